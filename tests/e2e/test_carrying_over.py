"""The main job: three sessions in one project, each knowing what the ones before it left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.sessions import PrintResult, run_print
from tests.e2e.wire import PREVIEW_MARKS, hook_context, shown, tool_results

if TYPE_CHECKING:
    from tests.e2e.fake_anthropic import Request
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

OPENING = "Please settle how orders are numbered"
DECISION = "Decision: order numbers are ULIDs, because two regions assign them at the same time."
NEXT_STEP = "Write the migration that renumbers the old orders."
NARRATIVE = f"""# orders-api

## What this is
The order service of the shop.

## Current state
Numbering is settled.

## Next steps
{NEXT_STEP}

## Decisions with reasons
ULIDs, because two regions assign numbers at the same time.

## Gotchas
None yet.

## Session history
One session so far.

## Sources
The first session's transcript.
"""
STORE = "mcp__llm_memory__memory_store"


@dataclass(frozen=True)
class Story:
    """What was seen: each session's result and its requests to the model; the first one's archive as it ended."""

    home: Home
    results: list[PrintResult]
    requests: list[list[Request]]
    archived_at_the_end: bool

    def start_of(self, session: int) -> str:
        """What our hook told a session (1, 2, 3) in its first request."""
        return hook_context(self.requests[session - 1][0].body, "SessionStart")


@pytest.fixture(scope="module")
def story(story_home: Home) -> Story:
    """Session 1 decides and edits, session 2 writes the narrative, session 3 only starts."""
    home = story_home
    results, requests = [], []
    archived = False
    note = {"content": DECISION, "type": "note", "importance": 8, "tags": "decision"}
    edit = {"file_path": str(home.project / "numbering.md"), "content": "Orders are numbered with ULIDs.\n"}
    scripts: list[list[Any]] = [
        [{"tool": STORE, "input": note}, {"tool": "Write", "input": edit}, "Orders are numbered with ULIDs now."],
        [{"tool": STORE, "input": {"content": NARRATIVE, "type": "narrative"}}, "The narrative is stored."],
        ["Good morning."],
    ]
    for prompt, script in zip([OPENING, "Write the narrative", "Where were we?"], scripts, strict=True):
        with home.model(script) as api:
            results.append(run_print(home, api, prompt, "--allowedTools", "Write"))
        requests.append(api.of_kind("main"))
        if len(results) == 1:
            first = results[0].session_id
            archived = home.archived(first).read_bytes() == home.source(first).read_bytes()
    return Story(home, results, requests, archived)


def test_the_next_session_starts_with_the_decision(story: Story) -> None:
    assert DECISION in story.start_of(2)
    assert DECISION in story.start_of(3)


def test_the_next_session_starts_with_the_log_of_the_last(story: Story) -> None:
    assert OPENING in story.start_of(2)


def test_a_stored_narrative_opens_the_next_session(story: Story) -> None:
    assert NEXT_STEP not in story.start_of(2)
    assert NEXT_STEP in story.start_of(3)


def test_the_first_session_of_a_project_is_told_little(story: Story) -> None:
    told, _, _ = story.start_of(1).partition("\n\n")  # the client's own text begins behind an empty line
    assert 0 < len(told) < 500


def test_context_never_arrives_as_a_two_kilobyte_preview(story: Story) -> None:
    told = "\n".join(shown(request.body) for session in story.requests for request in session)
    assert [mark for mark in PREVIEW_MARKS if mark in told] == []


def test_search_and_store_are_among_the_tools_of_the_first_request(story: Story) -> None:
    tools = {tool["name"]: tool for tool in story.requests[0][0].body["tools"]}
    for name in ("mcp__llm_memory__memory_search", STORE):
        assert tools[name]["input_schema"]["required"]
        assert not tools[name].get("defer_loading")


def test_a_stored_memory_belongs_to_the_session_and_its_project(story: Story) -> None:
    [(is_error, answer), *_] = tool_results(story.requests[0][1].body)
    [note] = story.home.records(type="note")
    assert not is_error
    assert note["uuid"] in answer
    assert (note["content"], note["project"], note["importance"]) == (DECISION, "orders-api", 8)
    assert note["session_id"] == story.results[0].session_id


def test_the_user_gets_one_line_at_the_start(story: Story) -> None:
    for result in story.results:
        [output] = result.hook_outputs("SessionStart")
        assert output["systemMessage"].strip()
        assert "\n" not in output["systemMessage"]


def test_a_print_session_is_archived_byte_for_byte_when_it_ends(story: Story) -> None:
    assert story.archived_at_the_end


def test_every_session_has_one_log(story: Story) -> None:
    for result in story.results:
        [log] = story.home.session_logs(result.session_id)
        assert log["project"] == "orders-api"
    [first] = story.home.session_logs(story.results[0].session_id)
    assert OPENING in first["content"]
    assert "numbering.md" in first["content"]


def test_the_rules_and_the_servers_instructions_reach_the_model(story: Story) -> None:
    told = shown(story.requests[0][0].body)
    assert "## llm_memory" in told
    assert (story.home.data / "config" / "CLAUDE.md").read_text("utf-8").strip()[:200] in told
