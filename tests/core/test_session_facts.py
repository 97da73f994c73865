"""What a session says about itself: requests, decisions, errors and how they ended, open items."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import conversation, session_facts
from memories.core.session_facts import FIXED, NOT_TRIED_AGAIN, STILL_FAILING, SessionFacts
from tests.core.transcript_lines import Script

REFUSED = "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit)."
QUESTION = {"question": "Which store?", "options": [{"label": "SQLite"}, {"label": "Redis"}]}


@pytest.fixture
def script() -> Script:
    return Script("/srv/shop")


def _facts(script: Script, tmp_path: Path) -> SessionFacts:
    for line in script.lines:
        line.pop("timestamp")  # they begin anew each minute; without them the file's order counts
    facts = SessionFacts()
    for number, entry in conversation.in_time_order(conversation.iter_entries(script.write(tmp_path))):
        facts.add(number, entry, conversation.turn_of(number, entry))
    return facts


def _decisions(script: Script, tmp_path: Path) -> list[tuple[int, str]]:
    return [(fact.line, fact.text) for fact in _facts(script, tmp_path).decisions]


def _failures(script: Script, tmp_path: Path) -> list[tuple[str, str, str]]:
    return [(one.what, one.error, one.ended) for one in _facts(script, tmp_path).failures]


def _result(script: Script, name: str, arguments: dict[str, Any], told: Any, **flags: Any) -> None:
    """A call and its result with what the client itself kept of it."""
    script.call(name, arguments, result=None)
    call_id = script.lines[-1]["message"]["content"][0]["id"]
    block = {"type": "tool_result", "tool_use_id": call_id, "content": flags.pop("content", "ok"), **flags}
    script.user([block], toolUseResult=told)


def test_requests_are_the_users_own_words_with_their_lines(script: Script, tmp_path: Path) -> None:
    script.user("Fix the\n  test")
    script.answer("Done")
    script.user("<system-reminder>x</system-reminder>")
    script.compaction("This session is being continued")
    script.attachment({"type": "queued_command", "prompt": "and document it", "commandMode": "prompt"})
    script.user('<pasted_content id="1">\nlog\n</pasted_content id="1">\nwhy?')
    found = [(one.line, one.text) for one in _facts(script, tmp_path).requests]
    assert found == [(1, "Fix the test"), (6, "and document it"), (7, "log why?")]


def test_an_approved_plan_is_a_decision_and_a_refused_one_is_none(script: Script, tmp_path: Path) -> None:
    _result(script, "ExitPlanMode", {"plan": "# Use files"}, REFUSED, content=REFUSED, is_error=True)
    _result(script, "ExitPlanMode", {"plan": "# Use files"}, {"plan": "# Plan\n\n## Use SQLite\n1. Do it"})
    _result(script, "ExitPlanMode", {"plan": "Plan: migrate"}, {"plan": None})
    _result(script, "ExitPlanMode", {}, None)
    script.call("ExitPlanMode", {"plan": "never answered"}, result=None)
    assert _decisions(script, tmp_path) == [(4, "plan approved: Use SQLite"), (6, "plan approved: migrate")]


def test_answered_questions_are_decisions(script: Script, tmp_path: Path) -> None:
    told = {"questions": [QUESTION], "answers": {"Which store?": "SQLite", "Where?": " ", "How?": 3}}
    _result(script, "AskUserQuestion", {"questions": [QUESTION]}, told)
    _result(script, "AskUserQuestion", {"questions": [QUESTION]}, REFUSED, content=REFUSED, is_error=True)
    assert _decisions(script, tmp_path) == [(2, "answered: Which store? -> SQLite")]


def test_the_users_deciding_sentences_are_quoted_with_their_line_once(script: Script, tmp_path: Path) -> None:
    script.user("Fix the test. Don't change the API.")
    script.answer("You must never do that. Let's use Redis.")
    script.user("Don't change the API.")
    assert _decisions(script, tmp_path) == [(1, 'the user said: "Don\'t change the API."')]


def test_the_reason_for_refusing_a_call_is_the_users_word_and_no_error(script: Script, tmp_path: Path) -> None:
    reason = f"{REFUSED} To tell you how to proceed, the user said:\nread the lock file"
    script.call("Bash", {"command": "pip install x"}, result=reason, failed=True)
    script.call("Bash", {"command": "sleep 9"}, result=REFUSED, failed=True)
    _result(script, "Bash", {"command": "make x"}, "Error", is_error=True, content="This command requires approval")
    facts = _facts(script, tmp_path)
    assert [fact.text for fact in facts.decisions] == ['the user said: "read the lock file"']
    assert facts.failures == []


def test_plans_and_answers_outlive_sentences_where_there_are_too_many(script: Script, tmp_path: Path) -> None:
    _result(script, "ExitPlanMode", {"plan": "Use files"}, {"plan": "Use files"})
    for number in range(session_facts.MAX_DECISIONS + 10):
        script.user(f"never use x{number}")
    decisions = _decisions(script, tmp_path)
    assert len(decisions) == session_facts.MAX_DECISIONS
    assert decisions[0] == (2, "plan approved: Use files")
    assert f"x{session_facts.MAX_DECISIONS + 9}" in decisions[-1][1]


@pytest.mark.parametrize(
    ("later", "ended"),
    [
        ([("pytest -q", False)], FIXED),
        ([("cd /srv/shop && pytest  -q", False)], FIXED),
        ([("pytest -q", True), ("pytest -q", False)], FIXED),
        ([("pytest -q", True)], STILL_FAILING),
        ([("pytest -q", False), ("pytest -q", True)], NOT_TRIED_AGAIN),
        ([("pytest -q x.py", False)], NOT_TRIED_AGAIN),
        ([], NOT_TRIED_AGAIN),
    ],
)
def test_how_a_failed_command_ended(script: Script, tmp_path: Path, later: list[tuple[str, bool]], ended: str) -> None:
    script.call("Bash", {"command": "pytest -q"}, result="Exit code 1\n..F\nE   ValueError: no price", failed=True)
    for command, failed in later:
        script.call("Bash", {"command": command}, result="Exit code 1\nE   ValueError: no price", failed=failed)
    assert _failures(script, tmp_path) == [("pytest -q", "E ValueError: no price", ended)]


def test_a_failure_stands_at_its_last_place(script: Script, tmp_path: Path) -> None:
    script.call("Bash", {"command": "make"}, failed=True)
    script.call("Bash", {"command": "tox"}, failed=True)
    script.call("Bash", {"command": "make"}, failed=True)
    assert [(one.what, one.line) for one in _facts(script, tmp_path).failures] == [("tox", 4), ("make", 6)]


def test_looking_in_vain_is_no_error(script: Script, tmp_path: Path) -> None:
    for command in ("ls nowhere", "cd /srv && grep -r x .", "cat nothing"):
        script.call("Bash", {"command": command}, result="Exit code 1", failed=True)
    script.call("Read", {"file_path": "/nowhere"}, result="File does not exist.", failed=True)
    assert _failures(script, tmp_path) == []


def test_an_edit_counts_only_where_no_later_one_of_the_file_went_well(script: Script, tmp_path: Path) -> None:
    missed = "<tool_use_error>String to replace not found in file.\nString: x</tool_use_error>"
    for path in ("/srv/shop/a.py", "/srv/shop/b.py"):
        script.call("Edit", {"file_path": path}, result=missed, failed=True)
    script.call("Edit", {"file_path": "/srv/shop/a.py"})
    told = ("Edit: /srv/shop/b.py", "String to replace not found in file.", NOT_TRIED_AGAIN)
    assert _failures(script, tmp_path) == [told]


def test_calls_that_the_client_did_not_run_are_no_errors(script: Script, tmp_path: Path) -> None:
    script.call("TaskCreate", {}, result="<tool_use_error>Error: No such tool available</tool_use_error>", failed=True)
    script.call("mcp__db__query", {"query": "select"}, result="connection refused", failed=True)
    assert _failures(script, tmp_path) == [("mcp__db__query: select", "connection refused", NOT_TRIED_AGAIN)]


def test_of_many_failures_the_newest_are_kept_and_fixed_ones_go_first(script: Script, tmp_path: Path) -> None:
    script.call("Bash", {"command": "make first"}, failed=True)
    script.call("Bash", {"command": "make second"}, failed=True)
    script.call("Bash", {"command": "make second"})
    for number in range(session_facts.MAX_FAILURES - 1):
        script.call("Bash", {"command": f"make x{number}"}, failed=True)
    failures = _failures(script, tmp_path)
    assert len(failures) == session_facts.MAX_FAILURES
    assert [what for what, _, _ in failures[:2]] == ["make first", "make x0"]


def test_a_list_that_was_refused_is_not_the_list(script: Script, tmp_path: Path) -> None:
    script.call("TodoWrite", {"todos": [{"content": "a", "status": "pending"}]})
    refused = "<tool_use_error>Error: No such tool available: TodoWrite.</tool_use_error>"
    script.call("TodoWrite", {"todos": [{"content": "b", "status": "pending"}]}, result=refused, failed=True)
    script.call("TodoWrite", {"todos": [{"content": "c", "status": "pending"}]}, result=None)
    assert _facts(script, tmp_path).open_items == ["a"]


def test_what_is_gathered_is_bounded(script: Script, tmp_path: Path) -> None:
    for number in range(session_facts.MAX_CALLS + 50):
        script.user(f"request {number} " + "x" * 1000)
        script.call("Bash", {"command": f"make {number}"}, result=None)
    facts = _facts(script, tmp_path)
    assert len(facts.requests) == session_facts.MAX_REQUESTS
    assert facts.requests[-1].text.startswith(f"request {session_facts.MAX_CALLS + 49} ")
    assert max(len(one.text) for one in facts.requests) <= session_facts.REQUEST_CHARS
    assert len(facts._calls) == session_facts.MAX_CALLS


_value = st.none() | st.booleans() | st.text(max_size=6) | st.lists(st.text(max_size=3), max_size=2)
_told = st.dictionaries(st.sampled_from(["plan", "answers", "questions", "task", "todos", "command", "taskId"]), _value)
_block = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "tool_result"])},
    optional={
        "id": st.sampled_from(["a", "b"]), "tool_use_id": st.sampled_from(["a", "b"]), "is_error": st.booleans(),
        "name": st.sampled_from(["Bash", "ExitPlanMode", "AskUserQuestion", "TodoWrite", "TaskUpdate", "Edit"]),
        "input": _told | _value, "content": _value, "text": st.text(max_size=9),
    },
)  # fmt: skip
_line = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant"]), "message": st.fixed_dictionaries({"content": st.lists(_block)})},
    optional={"toolUseResult": _told | _value, "toolDenialKind": _value, "timestamp": _value},
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_line, max_size=6))
def test_no_line_breaks_it(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    path = os.path.join(tmp_path, "t.jsonl")
    Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    facts = SessionFacts()
    for number, entry in conversation.in_time_order(conversation.iter_entries(path)):
        facts.add(number, entry, conversation.turn_of(number, entry))
    texts = [fact.text for fact in facts.requests + facts.decisions] + [one.error for one in facts.failures]
    assert all("\n" not in text for text in texts)
    assert isinstance(facts.open_items, list)


def test_a_later_run_in_the_background_fixes_nothing_that_it_shows(script: Script, tmp_path: Path) -> None:
    for name in ("ends unseen", "fails again", "goes well"):
        script.call("Bash", {"command": f"make {name}"}, result="Error: bad", failed=True)
        script.call(
            "Bash", {"command": f"make {name}", "run_in_background": True}, result="Command running in background"
        )
    script.call("Bash", {"command": "make fails again"}, result="Error: worse", failed=True)
    script.call("Bash", {"command": "make goes well"})
    assert {what: ended for what, _, ended in _failures(script, tmp_path)} == {
        "make ends unseen": session_facts.RUN_ON,
        "make fails again": session_facts.STILL_FAILING,
        "make goes well": session_facts.FIXED,
    }


def test_an_edit_that_failed_is_made_good_by_another_tool_that_writes_the_file(script: Script, tmp_path: Path) -> None:
    missed = "<tool_use_error>String to replace not found in file.</tool_use_error>"
    script.call("Edit", {"file_path": "/srv/shop/a.py"}, result=missed, failed=True)
    script.call("Write", {"file_path": "/srv/shop/a.py"})
    assert _failures(script, tmp_path) == []


def test_a_failure_behind_a_harmless_first_word_is_one(script: Script, tmp_path: Path) -> None:
    script.call("Bash", {"command": "echo start && make build"}, result="make: *** [all] Error 2", failed=True)
    script.call("Bash", {"command": "grep 'a|b' x | sort"}, result="Exit code 1", failed=True)
    assert [what for what, _, _ in _failures(script, tmp_path)] == ["echo start && make build"]
