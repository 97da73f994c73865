"""The log of a session, told from its transcript."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import projects, records, session_log_text, session_logs, session_reading
from memories.core.errors import InvalidRecordError
from memories.core.paths import DataFolder
from memories.core.session_log_parts import parts
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
        "turns": 2,
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
    assert _ended(tmp_path, script) == session_reading.FINISHED
    script.user("Next")
    assert _ended(tmp_path, script) == session_reading.UNANSWERED
    script.call("Bash", {"command": "ls"}, result=None)
    assert _ended(tmp_path, script) == session_reading.IN_TOOL
    script.user("[Request interrupted by user for tool use]")
    assert _ended(tmp_path, script) == session_reading.INTERRUPTED
    script.user("Go on")
    script.call("Bash", {"command": "ls"})
    assert _ended(tmp_path, script) == session_reading.UNANSWERED
    script.answer("API Error: 500", isApiErrorMessage=True)
    assert _ended(tmp_path, script) == session_reading.API_ERROR


def test_lines_that_the_client_wrote_late_are_put_in_order(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("slow please")
    script.call("Bash", {"command": "make"}, result=None)
    script.lines.reverse()
    assert _ended(tmp_path, script) == session_reading.IN_TOOL


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


def test_a_log_tells_what_was_asked_decided_and_left_open_with_its_place(tmp_path: Path) -> None:
    script = short_session("/p")
    script.user("Now the docs. Don't mention the beta.")
    script.call("Bash", {"command": "make docs"}, result="Exit code 2\nmake: *** No rule to make target", failed=True)
    script.call("TodoWrite", {"todos": [{"content": "Publish", "status": "pending"}]})
    script.answer("No rule.")
    script.user("Never mind, done for today")
    script.answer("Good night.")
    assert (
        "## Further requests\n- [7b1e2f04:10] Now the docs. Don't mention the beta.\n\n"
        '## Decided\n- [7b1e2f04:10] the user said: "Don\'t mention the beta."\n\n'
        "## Last request\n> Never mind, done for today\n\n## Last answer\n> Good night.\n\n"
        "## Errors\n- [7b1e2f04:12] make docs: make: *** No rule to make target -- ended: not tried again\n\n"
        "## Open items\n- Publish\n\n## Files edited"
    ) in _content(tmp_path, script)


def test_a_request_that_is_quoted_whole_as_a_decision_is_not_listed_twice(tmp_path: Path) -> None:
    script = short_session("/p")
    script.user("No, use tabs. Never spaces.")
    script.user("Go on")
    content = _content(tmp_path, script)
    assert "Further requests" not in content
    assert content.count("Never spaces.") == 1


def test_of_many_entries_the_newest_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    script = Script("/p")
    for number in range(40):
        script.user(f"request {number} " + "x" * 80, timestamp=None)
        script.call("Bash", {"command": f"make x{number}"}, failed=True)
    for line in script.lines:
        line["timestamp"] = "2026-03-14T09:00:00.000Z"
    content = _content(tmp_path, script)
    further = parts(content)["Further requests"].splitlines()
    assert further[-1] == f"- and {38 - len(further) + 1} others"
    assert further[-2].startswith("- [7b1e2f04:115] request 38 ")
    assert "make x39: ok -- ended: not tried again\n- and " in content


def test_plans_and_answers_come_before_sentences_where_there_is_no_room(tmp_path: Path) -> None:
    script = Script("/p")
    script.call("ExitPlanMode", {"plan": "Move to SQLite"})
    for number in range(20):
        script.user(f"Never use x{number} " + "y" * 80)
    decided = parts(_content(tmp_path, script))["Decided"].splitlines()
    assert decided[0] == "- [7b1e2f04:2] plan approved: Move to SQLite"
    assert "Never use x19 " in decided[-2]


def test_commands_that_the_user_refused_were_not_run(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("go")
    refused = "The user doesn't want to proceed with this tool use. The tool use was rejected."
    script.call("Bash", {"command": "rm -rf build"}, result=refused, failed=True)
    script.answer("Not then.")
    assert "rm -rf" not in _content(tmp_path, script)


def test_an_edit_that_was_refused_or_failed_edited_nothing(tmp_path: Path) -> None:
    script = Script("/p")
    script.user("edit")
    script.call("Edit", {"file_path": "/p/a.py"}, result="no such text", failed=True)
    script.call("Edit", {"file_path": "/p/b.py"}, result=None)
    assert "Files edited" not in _content(tmp_path, script)


def test_the_clients_plan_files_and_marks_of_what_was_pasted_are_left_out(tmp_path: Path) -> None:
    script = Script("/p")
    script.user('<pasted_content id="1">\nlog\n</pasted_content id="1">\nwhy?')
    script.call("Write", {"file_path": "/home/ada/.claude/plans/calm-heron.md"})
    content = _content(tmp_path, script)
    assert "## Opening request\n> log why?\n" in content
    assert "plans" not in content


@pytest.mark.parametrize(
    ("entrypoints", "told"), [([None], None), (["cli"], "cli"), (["sdk-cli"], "sdk-cli"), (["cli", "sdk-cli"], "mixed")]
)
def test_turns_and_the_clients_entrypoint_are_fields(
    tmp_path: Path, entrypoints: list[str | None], told: str | None
) -> None:
    script = Script("/p")
    for entrypoint in entrypoints:
        script.user("hello", **({"entrypoint": entrypoint} if entrypoint else {}))
        script.answer("hi", entrypoint=7)
    log = _build(tmp_path, script)
    assert (log["turns"], log.get("entrypoint")) == (2 * len(entrypoints), told)


def test_a_resumed_session_loses_an_entrypoint_that_no_line_names(tmp_path: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(tmp_path)
    session_logs.refresh(folder, path, None)
    uuid_ = session_logs.log_uuid(SESSION)
    records.save(folder, {**records.load(folder, uuid_), "entrypoint": "cli"})
    assert session_logs.refresh(folder, path, None)
    assert "entrypoint" not in records.load(folder, uuid_)


def test_a_log_without_the_newer_fields_is_of_an_older_form(tmp_path: Path, folder: DataFolder) -> None:
    assert not session_logs.is_of_older_form(folder, SESSION)
    session_logs.refresh(folder, short_session("/p").write(tmp_path), None)
    assert not session_logs.is_of_older_form(folder, SESSION)
    log = records.load(folder, session_logs.log_uuid(SESSION))
    del log["turns"]
    records.save(folder, log)
    assert session_logs.is_of_older_form(folder, SESSION)


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
        script.call("Bash", {"command": "x" + command}, result=command, failed=True)
        script.call("ExitPlanMode", {"plan": command})
        script.user(f"Never {command}.")
    script.call("TodoWrite", {"todos": [{"content": command, "status": "pending"} for command in commands]})
    path = tmp_path_factory.getbasetemp() / f"{SESSION}.jsonl"
    path.write_bytes(script.dump())
    log = session_logs.build(str(path), projects.identify("/" + "long-name" * 60, {}))
    if log is not None:
        records.validate(log)
        records.dump(log)
        assert len(log["content"]) <= session_log_text.MAX_CHARS


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


def test_a_longer_log_that_a_file_sync_brings_while_one_is_stored_stays(
    tmp_path: Path, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = short_session("/p")
    path = script.write(tmp_path)
    log = session_logs.build(path, None)
    assert log is not None
    target = Path(records.record_path(folder, log["uuid"]))
    brought = [records.dump(log | {"content": "longer", "created_at": "2099-01-01T00:00:00"})]
    fsync = os.fsync

    def sync_writes(fd: int) -> None:
        fsync(fd)
        if brought:
            target.write_bytes(brought.pop())

    monkeypatch.setattr(os, "fsync", sync_writes)
    assert not session_logs.store(folder, log)
    assert records.load(folder, log["uuid"])["content"] == "longer"


def test_a_broken_file_in_the_logs_place_is_left_alone(tmp_path: Path, folder: DataFolder) -> None:
    path = short_session("/p").write(tmp_path)
    broken = Path(records.record_path(folder, session_logs.log_uuid(SESSION)))
    broken.write_bytes(b"{")
    with pytest.raises(InvalidRecordError):
        session_logs.refresh(folder, path, None)
    assert broken.read_bytes() == b"{"
