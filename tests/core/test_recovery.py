"""What a session was in the middle of, from the end of its transcript."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import recovery
from tests.core.transcript_lines import Script, short_session


def _gather(script: Script, tmp_path: Path) -> recovery.Recovery:
    return recovery.gather(script.write(tmp_path))


def test_the_last_request_answer_and_files_are_found(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.user("Now the docs")
    script.call("Edit", {"file_path": "/srv/shop/a.md"})
    script.call("Edit", {"file_path": "/srv/shop/uploader.py"})
    script.answer("Both are done.")
    found = _gather(script, tmp_path)
    assert (found.last_request, found.last_answer) == ("Now the docs", "Both are done.")
    assert found.files == ["/srv/shop/a.md", "/srv/shop/uploader.py"]
    assert found.ended_at == "2026-03-14T09:00:14"


def test_an_answer_to_an_earlier_request_is_not_the_last_ones(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.user("And now?")
    found = _gather(script, tmp_path)
    assert (found.last_request, found.last_answer) == ("And now?", "")


def test_the_compaction_and_what_the_client_puts_in_are_no_request(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.compaction("This session is being continued from a previous conversation")
    script.user("<command-name>/compact</command-name>")
    script.user("<local-command-stdout>Compacted</local-command-stdout>")
    script.user("a reminder", isMeta=True)
    script.answer("from a subagent", isSidechain=True)
    assert _gather(script, tmp_path).last_request == "Add a retry to the uploader"
    assert _gather(script, tmp_path).last_answer == "The uploader now retries three times."


def test_lines_that_the_client_wrote_late_are_taken_by_their_time(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.user("the newest request")
    script.lines.insert(0, script.lines.pop())
    assert _gather(script, tmp_path).last_request == "the newest request"


def test_the_open_items_of_the_newest_todo_list_are_kept(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.call("TodoWrite", {"todos": [{"content": "old", "status": "pending"}]})
    todos: list[Any] = [{"content": "a", "status": "pending"}, {"content": "b", "status": "in_progress"}]
    script.call("TodoWrite", {"todos": [*todos, {"content": "c", "status": "completed"}, {"status": "pending"}, 5]})
    assert _gather(script, tmp_path).open_items == ["a", "b"]


def _task(script: Script, number: str, subject: str) -> None:
    script.call("TaskCreate", {"subject": subject, "description": "x"}, result=None)
    block = {"type": "tool_result", "content": f"Task #{number} created successfully: {subject}"}
    script.user([block], toolUseResult={"task": {"id": number, "subject": subject}})


def test_the_open_tasks_of_the_task_tools_are_kept(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    for number, subject in (("1", "schema"), ("2", "backfill"), ("3", "docs"), ("4", "extra")):
        _task(script, number, subject)
    script.call("TaskUpdate", {"taskId": "1", "status": "completed"})
    script.call("TaskUpdate", {"taskId": "2", "status": "in_progress", "subject": "backfill in batches"})
    script.call("TaskUpdate", {"taskId": "4", "status": "deleted"})
    script.call("TaskUpdate", {"taskId": "99", "subject": "of a list from before"})
    assert _gather(script, tmp_path).open_items == ["backfill in batches", "docs"]


def test_only_the_newest_files_are_named(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    for number in range(recovery.MAX_FILES + 5):
        script.call("Edit", {"file_path": f"/srv/shop/{number}"})
    assert _gather(script, tmp_path).files[-1] == f"/srv/shop/{recovery.MAX_FILES + 4}"
    assert len(_gather(script, tmp_path).files) == recovery.MAX_FILES


def test_of_a_huge_transcript_only_the_end_is_read_but_no_request_is_lost(tmp_path: Path) -> None:
    script = short_session("/srv/shop", request="at the very beginning")
    script.other(type="api-request-blob", body="x" * recovery.TAIL_BYTES)
    script.answer("at the end")
    found = _gather(script, tmp_path)
    assert (found.last_request, found.last_answer) == ("at the very beginning", "at the end")
    assert found.files == []


@pytest.mark.parametrize("shift", [-1, 0, 1, 5, 200])
def test_a_request_that_lies_across_the_tails_beginning_is_found(tmp_path: Path, shift: int) -> None:
    script = Script("/srv/shop")
    script.user("the request")
    script.other(type="api-request-blob", body="")
    size = len(script.dump().splitlines(keepends=True)[0]) + len(script.dump().splitlines(keepends=True)[1])
    script.lines[-1]["body"] = "x" * (recovery.TAIL_BYTES - size + shift)
    assert _gather(script, tmp_path).last_request == "the request"


def test_requests_before_a_compaction_count(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.user("Never touch the schema.")
    script.answer("Understood.")
    script.compaction("This session is being continued from a previous conversation")
    script.call("Bash", {"command": "make"}, result="Exit code 2\nmake: *** No rule", failed=True)
    found = _gather(script, tmp_path)
    assert (found.last_request, found.last_answer) == ("Never touch the schema.", "Understood.")
    assert found.decisions == ['the user said: "Never touch the schema."']
    assert found.failed == ["make: make: *** No rule"]


def test_the_last_request_is_verbatim(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.user("first line\n\n    indented <b>\nlast " + "x" * 5000)
    assert _gather(script, tmp_path).last_request == "first line\n\n    indented <b>\nlast " + "x" * 5000


def test_what_failed_last_is_told_newest_last_and_what_was_fixed_is_not(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    for number in range(recovery.MAX_FAILED + 2):
        script.call("Bash", {"command": f"make {number}"}, result="fatal: no", failed=True)
    script.call("Bash", {"command": f"make {recovery.MAX_FAILED}"})
    failed = _gather(script, tmp_path).failed
    assert len(failed) == recovery.MAX_FAILED
    assert failed[-2:] == [f"make {recovery.MAX_FAILED - 1}: fatal: no", f"make {recovery.MAX_FAILED + 1}: fatal: no"]


def test_the_clients_plan_files_are_no_files_in_work(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    script.call("Write", {"file_path": "/home/ada/.claude/plans/calm-heron.md"})
    assert _gather(script, tmp_path).files == ["/srv/shop/uploader.py"]


@pytest.mark.parametrize("path", ["", "/nowhere.jsonl", "/", "a\0b"])
def test_a_transcript_that_is_not_there_gives_nothing(path: str) -> None:
    found = recovery.gather(path)
    assert (found.last_request, found.files, found.open_items, found.ended_at) == ("", [], [], None)
    assert (found.decisions, found.failed) == ([], [])


_keys = st.sampled_from(["type", "text", "content", "task", "id", "todos"])
_value: st.SearchStrategy[Any] = st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.text(max_size=3))
_json = _value | st.dictionaries(_keys, _value, max_size=3)
_lines = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "attachment"])},
    optional={
        "message": st.fixed_dictionaries({"content": _json}) | _json, "toolUseResult": _json, "timestamp": _json,
        "isSidechain": _json, "isMeta": _json, "attachment": _json, "uuid": _json,
    },
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_lines, max_size=4), st.binary(max_size=8))
def test_no_line_breaks_it(tmp_path: Path, lines: list[dict[str, Any]], ending: bytes) -> None:
    path = os.path.join(tmp_path, "t.jsonl")
    Path(path).write_bytes("".join(json.dumps(line) + "\n" for line in lines).encode() + ending)
    found = recovery.gather(path)
    assert isinstance(found.last_request, str)


def test_files_whose_edit_was_refused_or_failed_are_not_in_work(tmp_path: Path) -> None:
    script = short_session("/srv/shop")
    refused = "The user doesn't want to proceed with this tool use. The tool use was rejected"
    script.call("Edit", {"file_path": "/srv/shop/refused.py"}, result=refused, failed=True)
    script.call("Edit", {"file_path": "/srv/shop/going_on.py"}, result=None)
    script.call("Edit", {"file_path": "/srv/shop/uploader.py"}, result="String not found", failed=True)
    assert _gather(script, tmp_path).files == ["/srv/shop/uploader.py", "/srv/shop/going_on.py"]


def test_of_many_files_the_newest_are_kept_in_their_order(tmp_path: Path) -> None:
    script = Script("/srv/shop")
    for number in [0, *range(recovery.MAX_FILES + 3), 5]:
        script.call("Edit", {"file_path": f"/srv/{number}"})
    newest = [*(number for number in range(3, recovery.MAX_FILES + 3) if number != 5), 5]
    assert _gather(script, tmp_path).files == [f"/srv/{number}" for number in newest]


def test_what_the_last_request_replies_to_is_the_answer_before_it(tmp_path: Path) -> None:
    script = Script("/srv/shop")
    script.user("Rewrite the importer")
    script.answer("I look at it.")
    script.answer("By mmap, or in chunks?")
    script.user("the second")
    script.answer("Chunks then.")
    found = _gather(script, tmp_path)
    assert (found.replied_to, found.last_request, found.last_answer) == (
        "By mmap, or in chunks?", "the second", "Chunks then."
    )  # fmt: skip
