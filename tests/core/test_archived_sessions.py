"""Finding an archived transcript by what people and search hits call it, and nothing outside the archive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.core import archived_sessions, session_logs, transcripts
from memories.core.errors import TranscriptError
from memories.core.paths import DataFolder
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session

THIRD = "c0ffee00-0000-4000-8000-000000000001"


def _put(folder: DataFolder, name: str, content: bytes = b"{}\n") -> Path:
    path = Path(folder.transcripts, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _refused(folder: DataFolder, name: str) -> str:
    with pytest.raises(TranscriptError) as caught:
        archived_sessions.find(folder, name)
    return str(caught.value)


def test_a_session_is_found_by_its_id_or_a_beginning_that_only_it_has(folder: DataFolder) -> None:
    path = _put(folder, f"{THIRD}.jsonl", b"12345")
    _put(folder, f"{SESSION}.jsonl")
    for name in (THIRD, "c0ffee", "C0FFEE00-0000", f"  {THIRD}\n"):
        found = archived_sessions.find(folder, name)
        assert (found.session_id, found.name, found.path, found.size) == (THIRD, THIRD, str(path), 5)
        assert not found.is_subagent


def test_a_beginning_that_several_have_is_answered_with_all_of_them(folder: DataFolder) -> None:
    for session in (SESSION, OTHER_SESSION):
        _put(folder, f"{session}.jsonl")
    said = _refused(folder, "7b1e2f")
    assert SESSION in said
    assert OTHER_SESSION in said
    assert archived_sessions.find(folder, SESSION).session_id == SESSION


def test_the_transcripts_beside_a_session_have_names_of_their_own(folder: DataFolder) -> None:
    _put(folder, f"{SESSION}.jsonl")
    agent = _put(folder, f"{SESSION}/subagents/agent-a1.jsonl")
    _put(folder, f"{SESSION}/subagents/agent-a1.meta.json")
    diverged = _put(folder, f"{SESSION}/diverged-00ff.jsonl")
    found = archived_sessions.find(folder, f"{SESSION[:8]}/agent-a1")
    assert (found.path, found.name, found.is_subagent) == (str(agent), f"{SESSION}/agent-a1", True)
    found = archived_sessions.find(folder, f"{SESSION}/diverged-00ff")
    assert (found.path, found.is_subagent) == (str(diverged), False)
    assert archived_sessions.beside(folder, SESSION) == ["agent-a1", "diverged-00ff"]
    assert "agent-a1, diverged-00ff" in _refused(folder, f"{SESSION}/agent-b2")


def test_a_session_that_is_not_archived_is_said_with_what_archives_it(folder: DataFolder) -> None:
    said = _refused(folder, SESSION)
    assert "still runs" in said
    assert "`llm-memory sync`" in said


@pytest.mark.parametrize(
    "name",
    [
        "", "7b1e2", "../../etc/passwd", f"../{SESSION}", f"{SESSION}/../x", f"{SESSION}/a/b", f"{SESSION}/a.b", "/etc",
        f"{SESSION}/", f"{SESSION}\0", f"{SESSION}.jsonl", "x" * 10_000, "７b1e2f04", f"{SESSION}/agent-x\n/y",
    ],
)  # fmt: skip
def test_what_is_no_session_is_refused(folder: DataFolder, name: str) -> None:
    _put(folder, f"{SESSION}.jsonl")
    assert len(_refused(folder, name)) < 500


def test_nothing_is_read_through_a_symlink_or_from_what_is_no_file(folder: DataFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text("{}", encoding="utf-8")
    outside = tmp_path / "outside"
    (outside / "subagents").mkdir(parents=True)
    (outside / "subagents" / "agent-x.jsonl").write_text("{}", encoding="utf-8")
    os.symlink(secret, transcripts.archive_path(folder, SESSION))
    os.symlink(outside, Path(folder.transcripts, SESSION))
    os.mkfifo(transcripts.archive_path(folder, OTHER_SESSION))
    Path(folder.transcripts, f"{THIRD}.jsonl").mkdir()
    for name in (SESSION, f"{SESSION}/agent-x", OTHER_SESSION, THIRD, SESSION[:30]):
        _refused(folder, name)
    assert archived_sessions.beside(folder, SESSION) == []
    assert archived_sessions.newest(folder, 10) == []


def test_a_transcripts_folder_that_is_itself_a_symlink_is_the_users_choice(folder: DataFolder, tmp_path: Path) -> None:
    _put(folder, f"{SESSION}.jsonl")
    os.rename(folder.transcripts, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", folder.transcripts)
    assert archived_sessions.find(folder, SESSION).size == 3


def test_the_newest_sessions_come_first(folder: DataFolder) -> None:
    for number, session in enumerate((SESSION, THIRD, OTHER_SESSION)):
        os.utime(_put(folder, f"{session}.jsonl"), (1_773_478_800 + 60 * number,) * 2)
    found = archived_sessions.newest(folder, 2)
    assert [(one.session_id, one.ended_at) for one in found] == [
        (OTHER_SESSION, "2026-03-14T09:02:00"),
        (THIRD, "2026-03-14T09:01:00"),
    ]


def test_the_project_is_what_the_sessions_log_says(folder: DataFolder, tmp_path: Path) -> None:
    assert archived_sessions.project_name(folder, SESSION) == ""
    path = short_session("/p").write(tmp_path)
    log = session_logs.build(path, None)
    assert log is not None
    session_logs.store(folder, {**log, "project": "orders"})
    assert archived_sessions.project_name(folder, SESSION) == "orders"
    Path(folder.records, log["uuid"] + ".json").write_text("broken", encoding="utf-8")
    assert archived_sessions.project_name(folder, SESSION) == ""
