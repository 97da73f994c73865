"""A project's narrative: none yet, written by a subagent through the tools, seen by the next session, kept honest."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.sessions import run_print
from tests.e2e.tui import terminal_session
from tests.e2e.wire import hook_context, shown, tool_results

if TYPE_CHECKING:
    from tests.e2e.fake_anthropic import Request
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

ASKED = (
    "Let's use Postgres 16 for the orders, not SQLite",
    "Why does the export of invoices fail on Mondays?",
    "Add a retry to the export worker",
)
TOOL = "mcp__llm_memory__"
DECISION = "Orders live in Postgres 16; SQLite was rejected"
AGENT = {"description": "Write the narrative", "prompt": "Bring it up to date", "subagent_type": "general-purpose"}


@dataclass(frozen=True)
class Story:
    """The past sessions' ids, the first request of the session that had the narrative written, what the subagent's
    tools answered, the first request of the session after it, and the answers to a rewrite that drops the decision:
    refused, then with the loss accepted."""

    home: Home
    past: list[str]
    before: Request
    answers: list[str]
    after: Request
    refused: tuple[bool, str]
    accepted: tuple[bool, str]


def line_of(home: Home, session_id: str, text: str) -> int:
    """The 1-based line of the archived transcript in which the user said a text."""
    for number, line in enumerate(home.archived(session_id).read_text("utf-8").splitlines(), 1):
        entry = json.loads(line)
        if entry.get("type") == "user" and text in json.dumps(entry["message"]):
            return number
    raise AssertionError(text)


def narrative(decisions: str) -> str:
    """A narrative with these entries under its decisions."""
    return (
        "## What this is\nThe orders API.\n\n## Current state\nThe export retries.\n\n"
        "## Next steps\n- Find out why the export of invoices fails on Mondays\n\n"
        f"## Decisions with reasons\n{decisions}\n\n## Gotchas\n- The worker has no clock of its own\n\n"
        "## Session history\n- Three sessions on storage and export\n\n## Sources\nsee the decisions\n"
    )


def store(content: str, **more: Any) -> dict[str, Any]:
    """A turn that stores a narrative."""
    return {"tool": TOOL + "memory_store", "input": {"content": content, "type": "narrative", **more}}


@pytest.fixture(scope="module")
def story(story_home: Home) -> Story:
    """Three sessions; one in which a subagent writes the narrative; one that sees it and tries to drop a decision."""
    home = story_home
    past = [terminal_session(home, asked, "Understood.") for asked in ASKED]
    place = f"[{past[0][:8]}:{line_of(home, past[0], 'Postgres 16')}]"
    written = narrative(f"- {DECISION} {place}\n- The export worker retries three times")
    script: dict[str, list[Any]] = {
        "main": [
            {"tool": "Agent", "input": AGENT},
            {"tool": "Bash", "input": {"command": "echo waiting", "description": "Wait"}, "delay": 10},
            "It is done.",
        ],
        "subagent": [
            {"tool": TOOL + "narrative_coverage", "input": {}},
            *({"tool": TOOL + "transcript_read", "input": {"session_id": session_id}} for session_id in past),
            store(written, transcript_ref=past),
            "Written; nothing is left to be read.",
        ],
    }
    with home.model(script) as api:
        run_print(home, api, "Update the project memory", "--allowedTools", "Agent", "Bash")
    before = api.of_kind("main")[0]
    answers = [text for _, text in tool_results(api.of_kind("subagent")[-1].body)]
    shorter = narrative("- The export worker retries three times")
    with home.model([store(shorter), "I see."]) as api:
        run_print(home, api, "Tidy it up")
    after = api.of_kind("main")[0]
    refused = tool_results(api.of_kind("main")[-1].body)[-1]
    handles = re.findall(r"\b[0-9a-f]{6}\b", refused[1].partition(DECISION[:20])[0].rpartition("\n")[2])
    with home.model([store(shorter, accept_losses=handles), "Stored."]) as api:
        run_print(home, api, "We no longer care about that")
    accepted = tool_results(api.of_kind("main")[-1].body)[-1]
    return Story(home, past, before, answers, after, refused, accepted)


def test_before_there_is_a_narrative_the_first_request_holds_the_digest(story: Story) -> None:
    context = hook_context(story.before.body, "SessionStart")
    for asked in ASKED:
        assert asked in context
    assert "no narrative yet" in context.lower()
    assert re.search(r"upkeep is on", context)


def test_the_skill_is_offered(story: Story) -> None:
    assert re.search(r"llm-memory: Keep the project's memory narrative up to date", shown(story.before.body))


def test_the_subagent_uses_our_tools(story: Story) -> None:
    coverage, *pages, stored = story.answers
    assert all(session_id in coverage for session_id in story.past)
    for asked, page in zip(ASKED, pages, strict=True):
        assert asked in page
    assert '"status":"stored"' in stored.replace(" ", "")


def test_the_next_session_starts_with_the_narrative(story: Story) -> None:
    context = hook_context(story.after.body, "SessionStart")
    assert DECISION in context
    assert "Find out why the export of invoices fails on Mondays" in context


def test_a_rewrite_that_drops_a_decision_is_refused_with_its_name(story: Story) -> None:
    is_error, text = story.refused
    assert is_error
    assert DECISION in text
    assert "accept_losses" in text


def test_a_loss_that_is_named_is_accepted_and_the_version_before_is_kept(story: Story) -> None:
    is_error, text = story.accepted
    assert not is_error, text
    newest = story.home.records(type="narrative", status="active")
    archived = story.home.records(type="narrative", status="archived")
    assert [DECISION in record["content"] for record in newest] == [False]
    assert [DECISION in record["content"] for record in archived] == [True]
    assert DECISION in story.home.llm_memory("narrative", "orders-api", "--diff")
