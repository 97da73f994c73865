"""However a session ends, its transcript is archived whole and its log is written."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.sessions import finish, run_print, start_print
from tests.e2e.tui import Tui
from tests.e2e.wire import hook_context

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

OPENING = "Check the stock levels"
IN_THE_MIDDLE = [
    {"tool": "Bash", "input": {"command": "echo 12 crates", "description": "Count"}},
    {"text": "Twelve crates.", "delay": 60},
]


def stop_in_the_middle(home: Home, number: signal.Signals) -> tuple[str, int]:
    """Run a session until it waits for its second answer, and signal it; its id and exit code."""
    with home.model(IN_THE_MIDDLE) as api:
        process = start_print(home, api, OPENING, "--allowedTools", "Bash")
        session_id = api.wait_for("main", 2).session_id
        process.send_signal(number)
        code = finish(process).code
    return session_id, code


def assert_kept(home: Home, session_id: str) -> None:
    assert home.archived(session_id).read_bytes() == home.source(session_id).read_bytes()
    [log] = home.session_logs(session_id)
    assert OPENING in log["content"]


def test_a_terminated_session_is_archived(installed_home: Home) -> None:
    session_id, code = stop_in_the_middle(installed_home, signal.SIGTERM)
    assert code == 143
    assert_kept(installed_home, session_id)


def test_a_session_left_with_ctrl_c_twice_is_archived(installed_home: Home) -> None:
    with installed_home.model(["Twelve crates."]) as api, Tui(installed_home, api) as tui:
        tui.say(OPENING, "Twelve crates")
        tui.settle()
        tui.key("C-c")
        tui.wait("again to exit")
        tui.key("C-c")
        tui.ended()
    assert_kept(installed_home, api.of_kind("main")[0].session_id)


def test_a_killed_session_is_archived_by_the_next_start_and_known_to_it(installed_home: Home) -> None:
    session_id, code = stop_in_the_middle(installed_home, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not installed_home.archived(session_id).exists()
    with installed_home.model(["Good morning."]) as api:
        run_print(installed_home, api, "Where were we?")
    assert_kept(installed_home, session_id)
    assert OPENING in hook_context(api.of_kind("main")[0].body, "SessionStart")
