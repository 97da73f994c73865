"""`doctor --fix`: what a dry run lists is what is done; no record is touched, and a second run has nothing to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memories import doctor_fixes
from memories.core import mirror, private_files, records, session_logs
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, short_session
from tests.install.conftest import snapshot
from tests.mcp_bridge.client import ROOT
from tests.memories.conversations import archive, talk
from tests.other_user import NOBODY, as_root
from tests.terminal.running import call


@pytest.fixture
def projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code's transcripts."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    return tmp_path / "claude" / "projects"


@pytest.fixture
def dead() -> int:
    """The id of a process that is gone."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    return gone.pid


def _listed(folder: DataFolder) -> list[tuple[str, list[str]]]:
    return [(fix.what, fix.items) for fix in doctor_fixes.fixes(folder)]


def _done(folder: DataFolder) -> list[tuple[str, list[str]]]:
    outcomes = list(doctor_fixes.carry_out(folder))
    assert [one.error for one in outcomes] == [""] * len(outcomes)
    return [(one.fix.what, one.fix.items) for one in outcomes]


def test_a_sound_folder_needs_no_fix(folder: DataFolder, make_record: MakeRecord, projects: Path) -> None:
    make_record("one")
    mirror.update(folder)
    assert _listed(folder) == []


def test_a_dry_run_lists_what_is_then_done_and_changes_nothing(
    folder: DataFolder, make_record: MakeRecord, projects: Path, dead: int, tmp_path: Path
) -> None:
    record = make_record("one")
    path = Path(records.record_path(folder, record["uuid"]))
    os.chmod(path, 0o644)
    temp = Path(folder.records, f".x.json.tmp-{dead}")
    temp.touch(0o600)
    os.rmdir(folder.trash)
    before = snapshot(tmp_path)
    listed = _listed(folder)
    assert snapshot(tmp_path) == before
    assert listed == [
        ("set the modes of what is open to others or closed to its user", [f"{path} -> 0600"]),
        ("create the missing folders", [folder.trash]),
        ("remove temp files of processes that are gone", [str(temp)]),
        ("make the index again from the records and transcripts", [f"{folder.mirror}: missing"]),
    ]
    content = path.read_bytes()
    assert _done(folder) == listed
    assert path.read_bytes() == content
    assert _listed(folder) == []


@pytest.mark.parametrize("statement", ["DELETE FROM turn", "DELETE FROM memory_fts_docsize"])
def test_a_damaged_index_is_made_again(
    folder: DataFolder, make_record: MakeRecord, projects: Path, statement: str
) -> None:
    make_record("one")
    archive(folder, talk("the needle", "is here"))
    private_files.mend(folder)
    connection = mirror.connect(folder.mirror)
    connection.execute(statement)
    connection.close()
    [(_, [item])] = _done(folder)
    assert item.startswith(f"{folder.mirror}: damaged")
    assert _listed(folder) == []


@pytest.mark.parametrize("noise", [b"", b"noise" * 2000])
def test_an_index_of_noise_is_made_again(
    folder: DataFolder, make_record: MakeRecord, projects: Path, noise: bytes
) -> None:
    make_record("one")
    Path(folder.mirror).write_bytes(noise)
    os.chmod(folder.mirror, 0o600)
    assert [what for what, _ in _done(folder)] == ["make the index again from the records and transcripts"]
    assert mirror.connect(folder.mirror).execute("SELECT count(*) FROM memory").fetchone() == (1,)


def test_transcripts_are_archived_and_missing_logs_written(folder: DataFolder, projects: Path) -> None:
    path = short_session("/srv/shop").write(projects)
    mirror.update(folder)
    what = "archive transcripts and write session logs (a sync)"
    assert _done(folder) == [(what, [f"archive {SESSION} ({path})"])]
    log = records.record_path(folder, session_logs.log_uuid(SESSION))
    os.unlink(log)
    assert _done(folder) == [(what, [f"write the log of session {SESSION}"])]
    assert os.path.exists(log)


def test_with_memory_switched_off_no_transcript_is_opened(
    folder: DataFolder, projects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_session("/srv/shop").write(projects)
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    assert len(_done(folder)) == 1  # the index
    assert os.listdir(folder.transcripts) == []


def test_a_folder_that_others_could_write_is_closed_and_nothing_more(folder: DataFolder, projects: Path) -> None:
    os.chmod(folder.root, 0o777)  # noqa: S103
    assert _done(folder) == [
        ("set the modes of what is open to others or closed to its user", [f"{folder.root} -> 0700"])
    ]
    assert [what for what, _ in _listed(folder)] == ["make the index again from the records and transcripts"]


@as_root
def test_another_users_folder_is_left_alone(folder: DataFolder, projects: Path) -> None:
    os.chmod(folder.records, 0o755)  # noqa: S103
    os.chown(folder.root, NOBODY, 0)
    assert _listed(folder) == []


def test_a_fix_that_fails_is_said_and_the_others_are_done(folder: DataFolder, projects: Path, dead: int) -> None:
    temp = Path(folder.records, f".x.json.tmp-{dead}")
    temp.touch(0o600)
    os.mkdir(os.path.join(folder.state, "sync.lock"), 0o700)
    outcomes = list(doctor_fixes.carry_out(folder))
    assert not temp.exists()
    assert [bool(one.error) for one in outcomes] == [False, True]
    assert "sync.lock" in outcomes[1].error


def _doctor(folder: DataFolder, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    env = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "LLM_MEMORY_HOME": folder.root}
    command = [sys.executable, "-I", str(ROOT / "manage.py"), "doctor", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_the_command_lists_then_mends_then_checks(folder: DataFolder, tmp_path: Path) -> None:
    os.chmod(folder.trash, 0o755)  # noqa: S103
    listed = _doctor(folder, tmp_path, "--fix", "--dry-run", "--json")
    answer: dict[str, Any] = json.loads(listed.stdout)
    assert (listed.returncode, answer["ok"], answer["dry_run"]) == (1, False, True)
    done = _doctor(folder, tmp_path, "--fix")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    said = [line.removeprefix("done: ") for line in lines if line.startswith("done: ")]
    assert said == [fix["what"] for fix in answer["fixes"]]
    assert f"      {folder.trash} -> 0700" in lines
    assert any(line.startswith("ok    index: ") for line in lines)
    again = json.loads(_doctor(folder, tmp_path, "--fix", "--json").stdout)
    assert (again["ok"], again["fixes"]) == (True, [])


def test_a_dry_run_of_nothing_is_refused() -> None:
    with pytest.raises(LLMMemoryError, match="llm-memory doctor --fix --dry-run"):
        call("doctor", "--dry-run")


def test_a_folder_in_the_index_s_place_is_left_alone(folder: DataFolder, projects: Path) -> None:
    os.mkdir(folder.mirror)
    os.chmod(folder.mirror, 0o755)  # noqa: S103
    assert _listed(folder) == []
    assert _done(folder) == []
    assert os.stat(folder.mirror).st_mode & 0o777 == 0o755
