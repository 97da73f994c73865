"""What was said in one session is found and read in the next, with Claude Code's own copy gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.sessions import run_print
from tests.e2e.wire import tool_results

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

SAID = "The crates stay in the old mill at Nienburg until the bridge is mended"
ANSWER = "Understood: nothing crosses the bridge before that."
SEARCH = {"query": "where do we keep the crates", "scope": "transcripts"}


def test_the_next_session_finds_the_exact_words_and_reads_the_page(installed_home: Home) -> None:
    home = installed_home
    with home.model([ANSWER]) as api:
        first = run_print(home, api, SAID).session_id
    home.source(first).unlink()
    script = [
        {"tool": "mcp__llm_memory__memory_search", "input": SEARCH},
        {"tool": "mcp__llm_memory__transcript_read", "input": {"session_id": first}},
        "In the old mill.",
    ]
    with home.model(script) as api:
        run_print(home, api, "Where were the crates again?")
    found, page = (text for _, text in tool_results(api.of_kind("main")[-1].body))
    assert first in found
    assert "old mill at Nienburg" in found.replace("**", "")
    assert SAID in page
    assert ANSWER in page
    assert '{"result"' not in page
