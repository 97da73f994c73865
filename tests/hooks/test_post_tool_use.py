"""The reminder after many tokens: once per threshold, counted anew after a store or a compaction."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from memories.core import state
from tests.core.transcript_lines import SESSION
from tests.hooks.conftest import Hooks, can_be_refused


class Session:
    """A session whose transcript grows by one answer before each tool call."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.path = hooks.projects_dir / "-p" / f"{SESSION}.jsonl"
        self.path.parent.mkdir(parents=True)

    def line(self, tokens: int, **flags: object) -> None:
        usage = {"input_tokens": 1, "cache_read_input_tokens": tokens - 3, "output_tokens": 2}
        line = {"type": "assistant", "message": {"role": "assistant", "usage": usage}, **flags}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def tool(self, tokens: int, name: str = "Bash") -> str:
        """What the model is told after a tool call with this many tokens of context."""
        self.line(tokens)
        return self.hooks.run("post_tool_use", self.hooks.payload(self.path, tool_name=name)).context


@pytest.fixture
def session(hooks: Hooks) -> Session:
    return Session(hooks)


def test_below_the_threshold_it_prints_nothing(session: Session) -> None:
    assert session.tool(59_999) == ""
    assert " quiet " in session.hooks.log


def test_it_speaks_once_per_threshold(session: Session) -> None:
    told = session.tool(61_000)
    assert told.startswith("LLM Memory: about 61,000 tokens have passed")
    assert "memory_store" in told
    assert [session.tool(tokens) for tokens in (62_000, 119_000)] == ["", ""]
    assert "about 120,000 tokens" in session.tool(120_000)
    assert session.tool(125_000) == ""


def test_a_leap_over_two_thresholds_is_one_reminder(session: Session) -> None:
    assert session.tool(130_000) != ""
    assert session.tool(131_000) == ""


@pytest.mark.parametrize("name", ["mcp__llm_memory__memory_store", "mcp__plugin_llm-memory_mem__memory_store"])
def test_a_store_starts_the_count_anew(session: Session, name: str) -> None:
    assert session.tool(70_000) != ""
    assert session.tool(80_000, name) == ""
    assert session.tool(139_000) == ""
    assert "about 61,000 tokens" in session.tool(141_000)


def test_a_compaction_starts_the_count_anew(session: Session) -> None:
    assert session.tool(150_000) != ""
    assert session.tool(20_000) == ""
    assert session.tool(79_000) == ""
    assert session.tool(81_000) != ""


def test_after_pre_compact_the_next_usage_is_where_the_count_begins(session: Session) -> None:
    session.tool(50_000)
    session.hooks.run("pre_compact", session.hooks.payload(session.path, trigger="manual"))
    assert session.tool(65_000) == ""
    assert session.tool(124_000) == ""
    assert session.tool(126_000) != ""


def test_usage_of_subagents_does_not_count(session: Session) -> None:
    session.line(10_000)
    session.line(900_000, isSidechain=True)
    assert session.hooks.run("post_tool_use", session.hooks.payload(session.path)).stdout == ""


def test_without_usage_it_says_nothing(session: Session) -> None:
    session.path.write_text('{"type": "user"}\n', encoding="utf-8")
    assert session.hooks.run("post_tool_use", session.hooks.payload(session.path)).stdout == ""
    assert session.hooks.run("post_tool_use", session.hooks.payload("/nowhere.jsonl")).stdout == ""


def test_the_threshold_is_a_setting(session: Session) -> None:
    session.hooks.write_settings(checkpoint_tokens=1_000)
    assert session.tool(1_500) != ""


def test_a_broken_state_file_is_begun_anew(session: Session) -> None:
    place = Path(session.hooks.folder.state, "sessions")
    place.mkdir()
    for text in ("{", "[]", '{"baseline": "many", "reminded": -5}'):
        (place / SESSION).write_text(text, encoding="utf-8")
        assert session.tool(70_000) != ""


def test_without_a_session_id_it_says_nothing(session: Session) -> None:
    session.line(90_000)
    given = session.hooks.payload(session.path) | {"session_id": ""}
    assert session.hooks.run("post_tool_use", given).stdout == ""


@can_be_refused
def test_a_reminder_that_cannot_be_noted_is_not_given(session: Session) -> None:
    session.line(90_000)
    given = json.dumps(session.hooks.payload(session.path)).encode()
    os.chmod(session.hooks.folder.state, 0o500)
    outcome = session.hooks.raw("post_tool_use", given, bound=True)
    os.chmod(session.hooks.folder.state, 0o700)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")


def test_each_session_counts_for_itself(session: Session) -> None:
    assert session.tool(70_000) != ""
    assert state.session_state(session.hooks.folder, "another") == {}
