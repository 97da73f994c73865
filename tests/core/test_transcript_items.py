"""What of a transcript's line a page shows."""

from __future__ import annotations

from typing import Any

import pytest

from memories.core import transcript_items
from tests.core.transcript_lines import Script


def _shown(entry: dict[str, Any]) -> list[tuple[str, str]]:
    return [(part.role, part.text) for part in transcript_items.parts_of(entry)]


@pytest.fixture
def script() -> Script:
    return Script("/p")


def _result(script: Script, content: Any, **more: Any) -> dict[str, Any]:
    return script.user([{"type": "tool_result", "tool_use_id": "t", "content": content}], **more)


def test_words_are_whole_and_tools_a_line(script: Script) -> None:
    assert _shown(script.user(" two\r\nlines ")) == [("user", "two\nlines")]
    call = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}}
    assert _shown(script.assistant({"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes."}, call)) == [
        ("assistant", "Yes."),
        ("tool", "Bash: ls"),
    ]
    assert _shown(_result(script, [{"type": "text", "text": "a\nb"}, {"type": "image"}])) == [
        ("output", "-> 3 characters: a…")
    ]
    assert _shown(_result(script, [{"type": "image"}, 7])) == [("output", "-> 1 image")]


def test_a_plan_questions_and_their_answers_are_words(script: Script) -> None:
    plan = {"type": "tool_use", "id": "t", "name": "ExitPlanMode", "input": {"plan": "1. Do it"}}
    assert _shown(script.assistant(plan)) == [("tool", "ExitPlanMode"), ("assistant", "1. Do it")]
    kept = {"questions": [{"question": "Which?"}], "answers": {"Which?": "That"}}
    assert _shown(_result(script, "User has answered", toolUseResult=kept)) == [("user", "Which?: That")]


def test_a_subagents_result_names_its_transcript(script: Script) -> None:
    shown = _shown(_result(script, "Found it", toolUseResult={"agentId": "a1b2"}))
    assert shown == [("output", "-> Found it [transcript: agent-a1b2]")]
    assert _shown(_result(script, "Found it", toolUseResult={"agentId": "../x"})) == [("output", "-> Found it")]


def test_a_compaction_is_a_ruler_and_its_summary_is_folded(script: Script) -> None:
    script.compaction("This session is being continued\n" + "x" * 5000)
    boundary, summary = script.lines
    assert _shown(boundary) == [("mark", "--- conversation compacted here ---")]
    ((role, text),) = _shown(summary)
    assert (role, text) == ("output", "summary for Claude -> 5,032 characters: This session is being continued…")


def test_an_interruption_is_marked(script: Script) -> None:
    assert _shown(script.user("[Request interrupted by user]")) == [("mark", "--- interrupted by the user ---")]


def test_subagents_lines_are_shown(script: Script) -> None:
    assert _shown(script.user("Look for herons", isSidechain=True)) == [("user", "Look for herons")]


@pytest.mark.parametrize(
    "content", ["<system-reminder>injected</system-reminder>", "<local-command-stdout>Bye</local-command-stdout>", ""]
)
def test_what_the_client_put_in_is_not_shown(script: Script, content: str) -> None:
    assert _shown(script.user(content)) == []
    assert _shown(script.user("Injected", isMeta=True)) == []


def test_text_cannot_act_on_a_terminal() -> None:
    assert transcript_items.clean("\x1b]0;t\x07a\tb\x9b31m\r\nc\rd\u2028e\u202ef\x00\ud83d") == "]0;ta\tb31m\nc\nd\nef?"
    assert transcript_items.clean("👩‍👩‍👧 ok") == "👩‍👩‍👧 ok"
