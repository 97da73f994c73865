"""Looking for secrets in what is there, and redacting it: complete, whole files, nothing else touched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from memories.core import forgotten, masked_archive, mirror, records, redact_existing, session_logs, transcripts
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from memories.core.redact_existing import LOG, OTHER, OWN, RECORD, TOMBSTONE, TRANSCRIPT, Rescan
from tests.conftest import MakeRecord
from tests.core.killed import killed_before
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script, short_session

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
MASKED = {"redact_transcripts": True, "redact_patterns": []}
RAW = {"redact_transcripts": False, "redact_patterns": []}


def _run(folder: DataFolder, settings: dict[str, Any] = MASKED, *, apply: bool = True) -> Rescan:
    return redact_existing.run(folder, settings, apply=apply)


def _files(folder: DataFolder) -> dict[str, bytes]:
    root = Path(folder.root)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _secret_in(folder: DataFolder) -> list[str]:
    return sorted(path for path, data in _files(folder).items() if b"a1B2c3D4e5" in data)


def _fill(folder: DataFolder, make_record: MakeRecord) -> dict[str, Any]:
    """One secret of every kind; the record that holds it."""
    record = make_record(f"# Deploying\nUse {TOKEN} twice: {TOKEN}", tags="a, b", note={"deep": [TOKEN]})
    make_record("Nothing of note")
    deleted = make_record(f"Gone {TOKEN}")
    records.delete(folder, deleted["uuid"])
    kept = make_record(f"Lost to another {TOKEN}")
    kept.update(status="archived", conflict_of=record["uuid"], archived_in=record["uuid"])
    records.save(folder, kept)
    script = short_session("/p")
    script.user(f"Here is {TOKEN}")
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(script.dump())
    beside = Path(folder.transcripts, SESSION, "tool-results", "out.txt")
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"one\ntwo " + TOKEN.encode())
    Path(folder.state, "hooks.log").write_text(f"fine\nfailed: {TOKEN}\n")
    Path(folder.rules).write_text(f"# Rules\n{TOKEN}\n")
    Path(folder.state, "merged").mkdir()
    Path(folder.state, "merged", "0123-CLAUDE.md").write_text(TOKEN)
    Path(folder.records, "notes.txt").write_text(TOKEN)
    return record


OWNED = ["config/CLAUDE.md", "records/notes.txt", "state/merged/0123-CLAUDE.md"]


def test_a_dry_run_names_everything_and_changes_nothing(folder: DataFolder, make_record: MakeRecord) -> None:
    record = _fill(folder, make_record)
    before = _files(folder)
    found = _run(folder, apply=False)
    assert _files(folder) == before
    assert not found.is_clean
    kinds = [one.kind for one in found.findings]
    assert kinds == [
        *[one for one in kinds if one in {RECORD, OTHER}],
        TOMBSTONE,
        LOG,
        OWN,
        OWN,
        TRANSCRIPT,
        TRANSCRIPT,
    ]
    assert sorted(kinds) == sorted([RECORD, RECORD, OTHER, TOMBSTONE, LOG, OWN, OWN, TRANSCRIPT, TRANSCRIPT])
    own = next(one for one in found.findings if record["uuid"] in one.path)
    assert (own.title, own.counts, own.is_done) == ("Deploying", {"github-token": 3}, False)
    at = {one.path: one.lines for one in found.findings if one.lines}
    assert at["state/hooks.log"] == [(2, "github-token")]
    assert at[f"transcripts/{SESSION}/tool-results/out.txt"] == [(2, "github-token")]
    assert at[f"transcripts/{SESSION}.jsonl"] == [(len(short_session("/p").lines) + 1, "github-token")]
    assert found.looked == {RECORD: 4, TOMBSTONE: 1, LOG: 1, TRANSCRIPT: 2}


def test_applying_redacts_all_but_what_is_the_users_and_is_done_when_it_is_done(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = _fill(folder, make_record)
    sizes = {path: len(data) for path, data in _files(folder).items() if not path.startswith(("records", "trash"))}
    found = _run(folder)
    assert _secret_in(folder) == OWNED
    now = records.load(folder, record["uuid"])
    assert now["content"] == "# Deploying\nUse [redacted: github-token] twice: [redacted: github-token]"
    assert now["note"] == {"deep": ["[redacted: github-token]"]}
    assert (now["origin"], now["tags"]) == (records.machine_name(), "a, b")
    assert now["updated_at"] >= record["created_at"]
    assert all(len(data) == sizes.get(path, len(data)) for path, data in _files(folder).items())
    again = _run(folder)
    assert [one.kind for one in again.findings if one.kind not in {OWN, OTHER}] == []
    assert not found.is_clean  # the file in records/ that is no record
    Path(folder.records, "notes.txt").unlink()
    assert _run(folder).is_clean


def test_a_tombstone_stays_one_and_a_session_log_keeps_no_stamp(folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record(f"Gone {TOKEN}")["uuid"]
    deleted_at = records.delete(folder, uuid)["deleted_at"]
    log = make_record(f"Asked for {TOKEN}", type="session_log", session_id=SESSION)
    log["uuid"], old = session_logs.log_uuid(SESSION), log["uuid"]
    del log["origin"]
    records.save(folder, log)
    os.unlink(records.record_path(folder, old))
    assert _run(folder).is_clean
    grave = records.tombstone(folder, uuid)
    assert grave is not None
    assert (grave["content"], grave["deleted_at"]) == ("Gone [redacted: github-token]", deleted_at)
    assert "updated_at" not in grave
    now = records.load(folder, log["uuid"])
    assert now == {**log, "content": "Asked for [redacted: github-token]"}


def test_a_masked_transcript_counts_as_changed_for_a_file_sync_and_as_complete_for_the_sweep(
    folder: DataFolder, tmp_path: Path
) -> None:
    script = Script("/p")
    script.user(TOKEN)
    source = Path(script.write(tmp_path / "projects"))
    for mtime_ns in (1_700_000_000_000_000_999, 1_700_000_000_000_000_000):
        os.utime(source, ns=(mtime_ns, mtime_ns))
        transcripts.archive(folder, str(source))
        Path(transcripts.archive_path(folder, SESSION)).write_bytes(source.read_bytes())
        os.utime(transcripts.archive_path(folder, SESSION), ns=(mtime_ns, mtime_ns))
        assert _run(folder).is_clean
        found = transcripts.source_at(str(source))
        assert found is not None
        assert transcripts.is_archived(folder, found)
        assert abs(os.stat(transcripts.archive_path(folder, SESSION)).st_mtime_ns - mtime_ns) == 1
        assert _secret_in(folder) == []


def test_raw_transcripts_are_counted_while_the_setting_is_off(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("Nothing of note")
    script = Script("/p")
    script.user(TOKEN)
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(script.dump())
    Path(transcripts.archive_path(folder, OTHER_SESSION)).write_bytes(short_session("/p", OTHER_SESSION).dump())
    before = _files(folder)
    found = _run(folder, RAW)
    assert found.unmasked == [f"transcripts/{SESSION}.jsonl"]
    assert (found.findings, found.is_clean, _files(folder)) == ([], True, before)
    assert not redact_existing.is_archive_redacted(folder, Redactor())


def test_versions_that_differed_in_their_secrets_only_are_one_afterwards(folder: DataFolder) -> None:
    script = Script("/p")
    script.user(TOKEN)
    raw = script.dump()
    main = Path(transcripts.archive_path(folder, SESSION))
    main.write_bytes(raw.replace(TOKEN.encode(), b"*" * len(TOKEN)))
    beside = Path(folder.transcripts, SESSION, "diverged-0123456789ab.jsonl")
    beside.parent.mkdir()
    beside.write_bytes(raw)
    assert _run(folder).is_clean
    assert not beside.exists()
    assert main.read_bytes() == raw.replace(TOKEN.encode(), b"*" * len(TOKEN))


def test_the_archive_is_known_to_be_masked_until_the_rules_change(folder: DataFolder) -> None:
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(f"heron5 {TOKEN}\n".encode())
    _run(folder, apply=False)
    assert not redact_existing.is_archive_redacted(folder, Redactor())
    _run(folder)
    assert redact_existing.is_archive_redacted(folder, Redactor())
    patterns = ["heron[0-9]"]
    assert not redact_existing.is_archive_redacted(folder, Redactor(patterns))
    assert _run(folder, {**MASKED, "redact_patterns": patterns}).findings[0].counts == {"own-pattern": 1}


def test_a_pattern_that_fits_its_own_mask_finds_nothing_twice(folder: DataFolder) -> None:
    own = {**MASKED, "redact_patterns": [r"heron=(\S+)"]}
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(b"heron=grey\n")
    assert _run(folder, own).is_clean
    assert _run(folder, own).findings == []


def test_marks_links_and_temp_files_are_left_alone(folder: DataFolder, tmp_path: Path) -> None:
    forgotten.mark(folder, SESSION, forgotten.FORGOTTEN)
    (tmp_path / "elsewhere").write_text(TOKEN)
    for place in (folder.records, folder.trash, folder.transcripts, folder.state):
        Path(place, "hooks.log").symlink_to(tmp_path / "elsewhere")
    Path(folder.transcripts, f".{SESSION}.jsonl.tmp-1").write_text(TOKEN)
    found = _run(folder)
    assert (found.findings, found.left) == ([], [])
    assert (tmp_path / "elsewhere").read_text() == TOKEN


def test_what_cannot_be_written_is_named_and_stops_nothing(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_record(f"{number} {TOKEN}")["uuid"] for number in "12")
    replace = os.replace

    def refuse(source: str, target: str) -> None:
        if first in target:
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    found = _run(folder)
    assert [path for path, _ in found.left] == [f"records/{first}.json"]
    assert not found.is_clean
    assert records.load(folder, second)["content"] == "2 [redacted: github-token]"


def test_a_kill_at_any_point_leaves_whole_files_and_the_next_run_ends_the_work(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    uuids = [make_record(f"{number} {TOKEN}")["uuid"] for number in range(2)]
    records.delete(folder, make_record(f"gone {TOKEN}")["uuid"])
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(f"said {TOKEN}\n".encode())
    before, kill = _files(folder), 0
    while killed_before(kill, lambda: _run(folder)):
        assert [len(records.load(folder, uuid)["content"]) for uuid in uuids]
        assert Path(transcripts.archive_path(folder, SESSION)).stat().st_size == len(f"said {TOKEN}\n")
        assert _run(folder).is_clean
        assert _secret_in(folder) == []
        for path, data in before.items():
            Path(folder.root, path).write_bytes(data)
        kill += 1
    assert kill > len(before) // 2
    assert _secret_in(folder) == []


def test_a_log_to_which_a_hook_appends_meanwhile_loses_nothing(folder: DataFolder) -> None:
    log = Path(folder.state, "hooks.log")
    log.write_text(f"one\n{TOKEN}\n")
    inode = log.stat().st_ino
    with open(log, "a", encoding="utf-8") as hook:
        _run(folder)
        hook.write("three\n")
    assert log.read_text() == f"one\n{'*' * len(TOKEN)}\nthree\n"
    assert log.stat().st_ino == inode


def test_nothing_of_the_old_text_is_left_in_the_mirror(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {**RAW, "redact_patterns": ["quagmirezebra"]}
    uuid = make_record("The quagmirezebra stands here")["uuid"]
    mirror.update(folder)
    Path(folder.settings).write_text(json.dumps({"redact_patterns": own["redact_patterns"]}))
    assert _run(folder, own).is_clean
    told: list[str] = []
    assert redact_existing.refresh_mirror(folder, wait_seconds=5.0, progress=lambda what, *_: told.append(what))
    assert "index" in told
    data = b"".join(path.read_bytes() for path in Path(folder.root).glob("memory.db*"))
    assert b"quagmire" not in data
    connection = mirror.connect(folder.mirror)
    try:
        assert connection.execute("SELECT content FROM memory WHERE uuid = ?", (uuid,)).fetchone()[0] == (
            "The [redacted: own-pattern] stands here"
        )
    finally:
        connection.close()


def test_a_file_that_changes_while_it_is_masked_is_masked_as_it_is_then(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(transcripts.archive_path(folder, SESSION))
    path.write_bytes(f"{TOKEN}\n".encode())
    write, calls = masked_archive._write, []

    def grows(temp: str, found: Any) -> None:
        write(temp, found)
        calls.append(temp)
        if len(calls) == 1:
            path.write_bytes(f"{TOKEN}\nand {TOKEN}\n".encode())

    monkeypatch.setattr(masked_archive, "_write", grows)
    assert _run(folder).is_clean
    assert path.read_bytes() == b"*" * len(TOKEN) + b"\nand " + b"*" * len(TOKEN) + b"\n"


def test_what_masks_leave_is_named_and_never_shown(folder: DataFolder) -> None:
    script = Script(f"/srv/{TOKEN}")
    script.user("nothing")
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(script.dump())
    beside = Path(folder.transcripts, SESSION, "tool-results", f"{TOKEN}.txt")
    beside.parent.mkdir(parents=True)
    beside.write_text("nothing")
    for settings in (RAW, MASKED):
        found = _run(folder, settings)
        assert (found.is_clean, found.is_empty) == (True, False)
        told = dict(found.kept)
        assert told.pop(f"transcripts/{SESSION}.jsonl").startswith("in a field that is kept: cwd: github-token")
        assert told.pop(f"transcripts/{SESSION}/tool-results/[redacted: github-token].txt").startswith("in the file's")
        assert not told


def test_no_empty_folder_is_left_where_versions_became_one(folder: DataFolder) -> None:
    script = Script("/p")
    script.user(TOKEN)
    raw = script.dump()
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(raw.replace(TOKEN.encode(), b"*" * len(TOKEN)))
    beside = Path(folder.transcripts, SESSION, "diverged-0123456789ab.jsonl")
    beside.parent.mkdir()
    beside.write_bytes(raw)
    assert _run(folder).is_empty
    assert [entry.name for entry in os.scandir(folder.transcripts)] == [f"{SESSION}.jsonl"]
