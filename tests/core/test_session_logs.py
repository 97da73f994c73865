"""The log of a session, told from its transcript."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import projects, records, session_logs
from memories.core.errors import InvalidRecordError
from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION, Script, short_session


def _build(tmp_path: Path, script: Script) -> dict[str, Any]:
    log = session_logs.build(script.write(tmp_path / "projects"), projects.identify(script.cwd, {}))
    assert log is not None
    records.validate(log)
    return log


def _content(tmp_path: Path, script: Script) -> str:
    content: str = _build(tmp_path, script)["content"]
    return content


@given(st.text())
def test_ids_are_uuid5_of_the_session(session_id: str) -> None:
    expected = uuid.uuid5(uuid.UUID(session_logs.NAMESPACE), session_id.encode("utf-8", "replace").decode()).hex
    assert session_logs.log_uuid(session_id.encode("utf-8", "replace").decode()) == expected


def test_a_log_tells_the_session(tmp_path: Path) -> None:
    log = _build(tmp_path, short_session("/srv/orders"))
    assert {name: value for name, value in log.items() if name != "content"} == {
        "schema_version": 1,
        "uuid": session_logs.log_uuid(SESSION),
        "type": "session_log",
        "project": "orders",
        "project_id": "path:/srv/orders",
        "session_id": SESSION,
        "importance": 3,
        "transcript_ref": f'["{SESSION}"]',
        "tags": None,
        "created_at": "2026-03-14T09:00:08",
        "connections": [],
        "status": "active",
    }
    assert log["content"] == (
        "Project: orders · branch: main\n"
        "Time: 2026-03-14 09:00:01 to 2026-03-14 09:00:08 UTC (0 min)\n"
        "Said: 1 request, 1 answer\n"
        "Ended: finished after an answer\n\n"
        "## Opening request\n> Add a retry to the uploader\n\n"
        "## Last answer\n> The uploader now retries three times.\n\n"
        "## Files edited\n- uploader.py\n\n"
        "## Commits\n- Retry uploads three times\n\n"
        "## Tools used\nBash 1, Write 1"
    )


def test_nothing_injected_enters_a_log(tmp_path: Path) -> None:
    script = short_session("/p")
    script.user("<system-reminder>LEAK</system-reminder>")
    script.user("LEAK", isMeta=True)
    script.attachment({"type": "hook_success", "stdout": "LEAK"})
    script.user("<local-command-stdout>LEAK</local-command-stdout>")
    script.compaction("LEAK")
    script.answer("API Error: LEAK", isApiErrorMessage=True)
    assert "LEAK" not in _content(tmp_path, script)


def test_a_transcript_in_which_nobody_speaks_has_no_log(tmp_path: Path) -> None:
    script = Script("/p")
    script.attachment({"type": "hook_additional_context", "content": ["x"]})
    script.user("<command-name>/exit</command-name>")
    assert session_logs.build(script.write(tmp_path), None) is None


def test_without_a_project_the_log_says_so(tmp_path: Path) -> None:
    log = session_logs.build(short_session("/p").write(tmp_path), None)
    assert log is not None
    assert (log["project"], log["project_id"]) == (None, None)
    assert log["content"].startswith("Project: none · branch: main")


def test_a_log_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    script = short_session("/p")
    assert records.dump(_build(tmp_path, script)) == records.dump(_build(tmp_path / "other", script))


def test_a_transcript_without_times_ends_when_its_file_did(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("hello", timestamp="yesterday")
    path = script.write(tmp_path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    log = session_logs.build(path, None)
    assert log is not None
    assert log["created_at"] == "2023-11-14T22:13:20"


def _ended(tmp_path: Path, script: Script) -> str:
    return next(line for line in _content(tmp_path, script).splitlines() if line.startswith("Ended: "))[7:]


def test_how_a_session_ended(tmp_path: Path) -> None:
    script = short_session("/p")
    assert _ended(tmp_path, script) == session_logs.FINISHED
    script.user("Next")
    assert _ended(tmp_path, script) == session_logs.UNANSWERED
    script.call("Bash", {"command": "ls"}, result=None)
    assert _ended(tmp_path, script) == session_logs.IN_TOOL
    script.user("[Request interrupted by user for tool use]")
    assert _ended(tmp_path, script) == session_logs.INTERRUPTED
    script.user("Go on")
    script.call("Bash", {"command": "ls"})
    assert _ended(tmp_path, script) == session_logs.UNANSWERED
    script.answer("API Error: 500", isApiErrorMessage=True)
    assert _ended(tmp_path, script) == session_logs.API_ERROR


def test_lines_that_the_client_wrote_late_are_put_in_order(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("slow please")
    script.call("Bash", {"command": "make"}, result=None)
    script.lines.reverse()
    assert _ended(tmp_path, script) == session_logs.IN_TOOL


def test_the_last_exchange_is_told_beside_the_opening_request(tmp_path: Path) -> None:
    script = short_session("/p")
    script.user("Document it")
    script.answer("Documented.")
    content = _content(tmp_path, script)
    assert "## Last request\n> Document it\n\n## Last answer\n> Documented." in content
    script.user("And one thing left undone")
    content = _content(tmp_path, script)
    assert "## Last request\n> And one thing left undone\n\n## Files" in content


def test_compactions_are_counted(tmp_path: Path) -> None:
    script = short_session("/p")
    script.compaction("summary")
    script.answer("on")
    assert "Said: 1 request, 2 answers, compacted 1 time" in _content(tmp_path, script)


def test_commands_are_listed_once_with_the_most_telling_first(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("work")
    for command in ("ls -la", "echo hi", "./serve", "pytest -q", "./serve", "cat `x`"):
        script.call("Bash", {"command": command})
    assert "## Commands\n- `pytest -q`\n- `./serve`\n- `ls -la`\n- `echo hi`\n- `cat 'x'`\n" in _content(
        tmp_path, script
    )


@pytest.mark.parametrize(
    ("command", "subject"),
    [
        ("git commit -m 'Fix it'", "Fix it"),
        ('cd x && git -C /y commit -am "Fix it" && git push', "Fix it"),
        ("git commit --amend --message='Fix it'", "Fix it"),
        ("git commit -m \"$(cat <<'EOF'\nFix it\n\nBecause.\nEOF\n)\"", "Fix it"),
        ('git commit -m "Fix it\n\nBody"', "Fix it"),
        ("git commit -m Fix; ls", "Fix"),
    ],
)
def test_commit_subjects_are_found(tmp_path: Path, command: str, subject: str) -> None:
    script = Script("/p")
    script.user("commit")
    script.call("Bash", {"command": command})
    assert f"## Commits\n- {subject}\n" in _content(tmp_path, script) + "\n"


def test_a_commit_that_failed_is_only_a_command(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("commit")
    script.call("Bash", {"command": "git commit -m 'Fix it'"}, failed=True)
    content = _content(tmp_path, script)
    assert "## Commits" not in content
    assert "git commit" in content


def test_edited_files_outside_the_project_keep_their_path(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("edit")
    for name, key, path in (("Edit", "file_path", "/p/a.py"), ("NotebookEdit", "notebook_path", "/p/n.ipynb"),
                            ("MultiEdit", "file_path", "/etc/hosts"), ("Edit", "file_path", "/p/a.py"),
                            ("Read", "file_path", "/p/read.py"), ("Write", "file_path", "/project/x")):  # fmt: skip
        script.call(name, {key: path})
    assert "## Files edited\n- a.py\n- n.ipynb\n- /etc/hosts\n- /project/x\n" in _content(tmp_path, script)


_text = st.text(st.characters() | st.sampled_from("\n#` \ud800"), max_size=3000)


@given(st.lists(_text, max_size=3), st.lists(_text, max_size=40), _text)
def test_any_session_gives_a_valid_record_of_limited_size(
    tmp_path_factory: pytest.TempPathFactory, requests: list[str], commands: list[str], branch: str
) -> None:
    script = Script("/p", branch=branch)
    for request in requests:
        script.user(request)
        script.answer(request)
    for command in commands:
        script.call("Bash", {"command": command})
        script.call("Write", {"file_path": command})
        script.call(command, {})
    path = tmp_path_factory.getbasetemp() / f"{SESSION}.jsonl"
    path.write_bytes(script.dump())
    log = session_logs.build(str(path), projects.identify("/" + "long-name" * 60, {}))
    if log is not None:
        records.validate(log)
        records.dump(log)
        assert len(log["content"]) <= session_logs.MAX_CHARS


def test_a_resumed_session_refreshes_its_log_and_keeps_what_others_put_in(tmp_path: Path, folder: DataFolder) -> None:
    script = short_session("/p")
    project = projects.identify("/p", {})
    path = script.write(tmp_path)
    assert session_logs.refresh(folder, path, project)
    assert not session_logs.refresh(folder, path, project)
    uuid_ = session_logs.log_uuid(SESSION)
    kept = {"status": "archived", "archived_in": "0" * 32, "tags": "mine", "importance": 9, "x-unknown": {"a": 1}}
    kept["connections"] = [{"to_uuid": "1" * 32, "relationship": "related_to"}]
    records.save(folder, {**records.load(folder, uuid_), **kept})
    script.user("More")
    script.answer("Done.")
    script.write(tmp_path)
    assert session_logs.refresh(folder, path, project)
    log = records.load(folder, uuid_)
    assert {name: log[name] for name in kept} == kept
    assert "> Done." in log["content"]
    assert "updated_at" not in log


def test_a_log_never_goes_back_in_time(tmp_path: Path, folder: DataFolder) -> None:
    script = short_session("/p")
    session_logs.refresh(folder, script.write(tmp_path), None)
    before = records.load(folder, session_logs.log_uuid(SESSION))
    script.lines = script.lines[:3]
    assert not session_logs.refresh(folder, script.write(tmp_path), None)
    assert records.load(folder, session_logs.log_uuid(SESSION)) == before


def test_a_deleted_log_is_not_made_again(tmp_path: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(tmp_path)
    session_logs.refresh(folder, path, None)
    assert session_logs.exists(folder, SESSION)
    records.delete(folder, session_logs.log_uuid(SESSION))
    assert session_logs.exists(folder, SESSION)
    assert not session_logs.refresh(folder, path, None)
    assert os.listdir(folder.records) == []


def test_a_broken_file_in_the_logs_place_is_left_alone(tmp_path: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(tmp_path)
    broken = Path(records.record_path(folder, session_logs.log_uuid(SESSION)))
    broken.write_bytes(b"{")
    with pytest.raises(InvalidRecordError):
        session_logs.refresh(folder, path, None)
    assert broken.read_bytes() == b"{"
