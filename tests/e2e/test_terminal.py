"""One terminal session through /compact, /clear and /exit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.sessions import run_print
from tests.e2e.tui import CLEARED, Tui
from tests.e2e.wire import PREVIEW_MARKS, hook_context, last_user_text, shown, text_of

if TYPE_CHECKING:
    from tests.e2e.fake_anthropic import Request
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

OPENING = "Let us look at the invoices"
REQUEST = "Remember that invoices never change"
DECISION = "Decision: invoices are immutable; a correction is a new invoice."
LATER = "Gotcha: the invoice counter restarts every January."
STORE = "mcp__llm_memory__memory_store"
GREETING = "SessionStart:startup says: "
COMMAND_WRAPPERS = ("<local-command-caveat>", "<command-name>", "<local-command-stdout>")
"""How the client writes a slash command, such as the /exit that ends a session, as user lines."""


@dataclass(frozen=True)
class Story:
    """What was seen: the first screen, the requests to the model, the exit status; what each session's transcript had
    more than its archive when the terminal session was over."""

    home: Home
    opening_screen: str
    main: list[Request]
    compaction: Request
    status: int
    lagging: list[list[dict[str, Any]]]

    @property
    def before(self) -> str:
        """The session's id until /clear."""
        return self.main[0].session_id

    @property
    def after(self) -> str:
        """The session's id since /clear."""
        return self.main[-1].session_id


@pytest.fixture(scope="module")
def story(story_home: Home) -> Story:
    """Two exchanges (the second stores), /compact, one more, /clear, one that stores, /exit; then another session."""
    home = story_home
    script = [
        "They are in billing.",
        {"tool": STORE, "input": {"content": DECISION, "type": "note", "importance": 8}},
        "It is remembered.",
        "Carrying on.",
        {"tool": STORE, "input": {"content": LATER, "type": "note"}},
        "Stored as well.",
    ]
    with home.model(script) as api, Tui(home, api) as tui:
        screen = tui.wait(GREETING)
        tui.wait_for_server()
        tui.say(OPENING, "They are in billing")
        tui.say(REQUEST, "It is remembered")
        tui.say("/compact", "Compacted")
        tui.say("Go on please", "Carrying on")
        tui.say("/clear", CLEARED)
        tui.say("Store the counter gotcha", "Stored as well")
        tui.submit("/exit")
        status = tui.ended()
    [compaction] = api.of_kind("compact")
    main = api.of_kind("main")
    lagging = [missing(home, session_id) for session_id in (main[0].session_id, main[-1].session_id)]
    with home.model(["Good morning."]) as api:
        run_print(home, api, "And the next day")
    return Story(home, screen, main, compaction, status, lagging)


def missing(home: Home, session_id: str) -> list[dict[str, Any]]:
    """The lines by which a session's transcript is longer than its archive, which must be its beginning."""
    source, archive = home.source(session_id).read_bytes(), home.archived(session_id).read_bytes()
    assert source.startswith(archive)
    return [json.loads(line) for line in source[len(archive) :].splitlines()]


def test_the_user_sees_one_line_at_the_start(story: Story) -> None:
    [line] = [line for line in story.opening_screen.splitlines() if GREETING in line]
    assert line.endswith("LLM Memory: orders-api · nothing remembered yet")


def test_the_summarizer_is_told_what_to_keep(story: Story) -> None:
    guidance = last_user_text(story.compaction.body).partition("Additional Instructions:")[2]
    assert "decision" in guidance.lower()
    assert "open" in guidance.lower()


def test_after_compaction_the_recovery_text_is_there(story: Story) -> None:
    after = story.main[3].body
    assert "SCRIPTED COMPACT SUMMARY" in shown(after)
    assert REQUEST in hook_context(after, "SessionStart")
    assert DECISION in hook_context(after, "SessionStart")


def test_after_clear_the_briefing_is_there(story: Story) -> None:
    after = story.main[4]
    assert after.session_id != story.before
    assert DECISION in hook_context(after.body, "SessionStart")


def test_context_never_arrives_as_a_two_kilobyte_preview(story: Story) -> None:
    told = "\n".join(shown(request.body) for request in story.main)
    assert [mark for mark in PREVIEW_MARKS if mark in told] == []


def test_what_is_stored_after_clear_carries_the_new_session(story: Story) -> None:
    sessions = {record["content"]: record["session_id"] for record in story.home.records(type="note")}
    assert sessions == {DECISION: story.before, LATER: story.after}


def test_nothing_that_was_said_is_missing_from_an_archive_when_its_session_ends(story: Story) -> None:
    # Beside the SessionEnd hooks, or after them, 2.1.330 writes a cost-state line and 2.1.197 the /exit itself.
    assert story.status == 0
    late = [line for lines in story.lagging for line in lines if line["type"] in {"user", "assistant"}]
    said = [text_of(line["message"]["content"]) for line in late]
    assert [text for text in said if not text.startswith(COMMAND_WRAPPERS)] == []


def test_the_cleared_and_the_exited_session_are_archived_byte_for_byte_by_the_next_start(story: Story) -> None:
    for session_id in (story.before, story.after):
        assert story.home.archived(session_id).read_bytes() == story.home.source(session_id).read_bytes()


def test_the_cleared_and_the_exited_session_have_one_log_each(story: Story) -> None:
    for session_id in (story.before, story.after):
        assert len(story.home.session_logs(session_id)) == 1
    [log] = story.home.session_logs(story.before)
    assert OPENING in log["content"]


def test_all_four_hooks_ran_and_none_failed(story: Story) -> None:
    outcomes = story.home.hook_outcomes()
    assert {event for event, _ in outcomes} == {"session_start", "post_tool_use", "pre_compact", "session_end"}
    assert [one for one in outcomes if one[1].startswith(("failed", "bad", "not", "unknown"))] == []
