"""A handoff note is put first in the project's next session, once; a `claude -p` run does not use it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.sessions import run_print
from tests.e2e.test_narrative import TOOL
from tests.e2e.tui import Tui
from tests.e2e.wire import hook_context

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

HANDOFF = "Stopped in the middle of moving the invoices; next: run migration 0042 on staging"
HEADING = "## Handoff from an earlier session"


def print_context(home: Home) -> str:
    """What the hook of a new `claude -p` run gave to the model."""
    with home.model(["OK."]) as api:
        run_print(home, api, "Go on")
    return hook_context(api.of_kind("main")[0].body, "SessionStart")


def terminal_context(home: Home) -> str:
    """What the hook of a new session in a terminal gave to the model."""
    with home.model(["Going on."]) as api, Tui(home, api) as tui:
        tui.say("Go on", "Going on.")
        tui.submit("/exit")
        tui.ended()
    return hook_context(api.of_kind("main")[0].body, "SessionStart")


def test_a_handoff_is_put_first_in_the_next_session_once(installed_home: Home) -> None:
    home = installed_home
    note = {"content": HANDOFF, "type": "note", "tags": "handoff", "importance": 8}
    with home.model([{"tool": TOOL + "memory_store", "input": note}, "Noted."]) as api:
        run_print(home, api, "Stop here, I will go on at home")
    for told in (print_context(home), terminal_context(home)):
        assert told.index(HEADING) < told.index(HANDOFF) < told.index("\n## Digest")
    assert [record["tags"] for record in home.records(type="note")] == ["handed-over"]
    later = terminal_context(home)
    assert HEADING not in later
    assert HANDOFF in later, "it stays a note"
