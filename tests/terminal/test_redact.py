"""`llm-memory redact` as a user runs it: whole processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memories import redact_report
from memories.core import records, transcripts
from memories.core.paths import DataFolder
from memories.core.redact_existing import Finding, Rescan
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, Script
from tests.terminal.cli import Cli

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


def _set(folder: DataFolder, **settings: object) -> None:
    Path(folder.settings).write_text(json.dumps(settings))


def _archive(folder: DataFolder) -> Path:
    script = Script("/p")
    script.user("nothing")
    script.user(f"use {TOKEN}")
    path = Path(transcripts.archive_path(folder, SESSION))
    path.write_bytes(script.dump())
    return path


def _everything(folder: DataFolder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(Path(folder.root).rglob("*")) if path.is_file())


def test_it_lists_first_and_redacts_when_told_to(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record(f"# Deploys\nUse {TOKEN}")["uuid"]
    _archive(folder)
    said = cli.run("redact", code=1)
    assert said == cli.run("redact", "--dry-run", code=1)
    assert "Looked at 1 memory, 1 file of archived transcripts." in said
    assert f'  records/{uuid}.json "Deploys": github-token\n' in said
    assert "1 file of archived transcripts with what looks like a secret (kept as they are: the setting" in said
    assert "dry run" in said
    assert ".stversions" in said
    assert TOKEN not in said
    _set(folder, redact_transcripts=True)
    assert f"  transcripts/{SESSION}.jsonl: github-token, line 2\n" in cli.run("redact", code=1)
    assert TOKEN.encode() in _everything(folder)
    said = cli.run("redact", "--apply")
    assert "1 memory redacted:" in said
    assert "Done." in said
    assert TOKEN.encode() not in _everything(folder)
    assert "[redacted: github-token]" in records.load(folder, uuid)["content"]
    assert "Nothing to redact." in cli.run("redact")


def test_programs_get_json(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record(f"Use {TOKEN}")["uuid"]
    Path(folder.rules).write_text(f"mine\n{TOKEN}\n")
    found = json.loads(cli.run("redact", "--json", code=1))
    assert (found["applied"], found["clean"], found["index_scrubbed"]) == (False, False, None)
    record, rules = found["findings"]
    assert (record["path"], record["rules"], record["redacted"]) == (f"records/{uuid}.json", {"github-token": 1}, False)
    assert (rules["kind"], rules["lines"]) == ("yours", [{"line": 2, "rule": "github-token"}])
    found = json.loads(cli.run("redact", "--apply", "--json", code=1))
    assert (found["applied"], found["clean"], found["index_scrubbed"]) == (True, False, True)  # the rules are mine
    assert [one["redacted"] for one in found["findings"]] == [True, False]


def test_copies_that_wait_are_merged_before(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("One text")
    copy = Path(folder.records, f"{record['uuid']}.sync-conflict-20260314-101112-ABCDEFG.json")
    copy.write_bytes(records.dump({**record, "content": f"Another {TOKEN}"}))
    assert "1 file that is no readable memory with what looks like a secret (not changed:" in cli.run("redact", code=1)
    assert "Done." in cli.run("redact", "--apply")
    assert TOKEN.encode() not in _everything(folder)
    assert len(list(Path(folder.records).iterdir())) == 2


def test_patterns_that_cannot_be_read_are_an_error_and_other_faults_are_named(
    cli: Cli, folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("Nothing of note")
    _set(folder, redact_patterns=["("])
    assert "Correct " in cli.run("redact", "--apply", code=1)
    _set(folder, unknown=1)
    assert "setting ignored: unknown setting 'unknown'" in cli.run("redact")


def test_what_is_left_is_said_with_the_next_step_and_many_lines_are_counted() -> None:
    found = Rescan()
    one = Finding("state/hooks.log", "log", {"github-token": 9})
    one.lines = [(line, "github-token") for line in range(1, 10)]
    found.findings.append(one)
    found.left.append(("records/a\x1b[2J.json", "cannot be read"))
    said = list(redact_report.lines(found, applies=True, scrubbed=False))
    assert "  state/hooks.log: github-token (9), lines 1, 2, 3, 4, 5 and 4 more" in said
    assert any(line.startswith("The index is being read by another process") for line in said)
    assert "Not all of it could be redacted: see above." in said
    assert not any("\x1b" in line for line in said)
    assert not redact_report.as_json(found, applies=True, scrubbed=True)["clean"]


def test_what_stays_raw_is_named_and_never_called_done(cli: Cli, folder: DataFolder) -> None:
    for number in range(12):
        script = Script("/p", f"7b1e2f04-0000-4000-8000-{number:012d}")
        script.user(TOKEN)
        Path(transcripts.archive_path(folder, script.session_id)).write_bytes(script.dump())
    said = cli.run("redact", "--apply", code=1)
    assert "  transcripts/7b1e2f04-0000-4000-8000-000000000009.jsonl\n  and 2 more\n" in said
    assert (
        "Nothing was redacted; 12 files of archived transcripts stay raw because redact_transcripts is off.\n" in said
    )
    assert "Done" not in said
    assert "Nothing to redact" not in said
    _set(folder, redact_transcripts=True)
    assert "Done. Nothing is left." in cli.run("redact", "--apply")
    assert "Nothing to redact." in cli.run("redact", "--apply")


def test_a_file_of_the_users_is_said_to_be_left(cli: Cli, folder: DataFolder) -> None:
    Path(folder.rules).write_text(f"mine\n{TOKEN}\n")
    assert "Nothing was redacted; 1 file of yours is not changed." in cli.run("redact", "--apply", code=1)
