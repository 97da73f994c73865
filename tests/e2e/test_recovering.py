"""What a session was in the middle of is there again after its compaction, from the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.tui import Tui
from tests.e2e.wire import hook_context

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

RULE = "Let's keep prices in cents, not in floats"
REQUEST = "Now write prices.py and run the linter over it, please, before we look at the invoices"
FAILS = "ls --no-such-option-of-the-linter"


def test_the_recovery_text_holds_the_right_facts(installed_home: Home) -> None:
    home = installed_home
    script = [
        "Cents it is.",
        {"tool": "Write", "input": {"file_path": str(home.project / "prices.py"), "content": "CENTS = 100\n"}},
        {"tool": "Bash", "input": {"command": f"make lint || {FAILS}", "description": "Lint"}},
        "The linter does not run here.",
        "Going on.",
    ]
    with home.model(script) as api, Tui(home, api, "--allowedTools", "Bash", "Write") as tui:
        tui.say(RULE, "Cents it is")
        tui.say(REQUEST, "The linter does not run here")
        tui.say("/compact", "Compacted")
        tui.say("Go on", "Going on")
        tui.submit("/exit")
        tui.ended()
    told = hook_context(api.of_kind("main")[-1].body, "SessionStart")
    assert REQUEST in told
    assert RULE in told
    assert "prices.py" in told
    assert FAILS in told
    assert told.index(REQUEST) < told.index(RULE), "the last request comes first"
    assert "SCRIPTED COMPACT SUMMARY" not in told, "the summary is the client's to give"
