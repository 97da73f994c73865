"""What install.sh leaves behind, as the real client sees it; updating beside an open session; leaving and returning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import NEWEST
from tests.e2e.home import SETTINGS
from tests.e2e.installation import install
from tests.e2e.sessions import run_print
from tests.e2e.tui import Tui
from tests.e2e.wire import hook_context, tool_results

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

DECISION = "Decision: refunds go back to the card that paid."
EARLIER, LATER = "Noted before the update.", "Noted after the update."


def store(content: str) -> dict[str, Any]:
    """A turn that stores a note."""
    return {"tool": "mcp__llm_memory__memory_store", "input": {"content": content, "type": "note"}}


def read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def reinstall(home: Home, *args: str) -> None:
    result = install(home, *args)
    assert result.returncode == 0, (result.stdout, result.stderr)


def test_the_client_connects_to_the_server_that_was_registered(installed_home: Home) -> None:
    listed = installed_home.run_claude("mcp", "list")
    [line] = [line for line in listed.splitlines() if line.startswith("llm_memory: ")]
    assert line.endswith("Connected")
    entry = read_json(installed_home.path / ".claude.json")["mcpServers"]["llm_memory"]
    assert entry["alwaysLoad"] is True


def test_hooks_are_registered_without_a_shell(installed_home: Home) -> None:
    settings = read_json(installed_home.config / "settings.json")
    entries = [entry for groups in settings["hooks"].values() for group in groups for entry in group["hooks"]]
    assert len(entries) == 4
    for entry in entries:
        assert entry["command"] == str(installed_home.data / "lib" / "venv" / "bin" / "python")
        assert entry["args"][:3] == ["-I", "-S", str(installed_home.data / "lib" / "manage.py")]


def test_doctor_is_content_after_a_session(installed_home: Home) -> None:
    with installed_home.model([store(DECISION), "It is remembered."]) as api:
        run_print(installed_home, api, "Remember how refunds go")
    checks = installed_home.llm_memory("doctor").splitlines()
    assert [line for line in checks if not line.startswith("ok ")] == []


def test_an_update_does_not_break_an_open_session(installed_home: Home) -> None:
    home = installed_home
    with (
        home.model([store(EARLIER), "First one kept.", store(LATER), "Second one kept."]) as api,
        Tui(home, api) as tui,
    ):
        tui.wait_for_server()
        tui.say("Note this", "First one kept")
        lib = (home.data / "lib").stat().st_ino
        reinstall(home)
        assert (home.data / "lib").stat().st_ino != lib
        tui.say("Note that", "Second one kept")
        tui.submit("/exit")
        assert tui.ended() == 0
    answers = tool_results(api.of_kind("main")[-1].body)
    assert [is_error for is_error, _ in answers] == [False, False]
    assert {note["content"] for note in home.records(type="note")} == {EARLIER, LATER}
    assert home.hook_outcomes()[-1] == ("session_end", "archived")


@pytest.mark.parametrize("version", [pytest.param(NEWEST, marks=pytest.mark.xdist_group(NEWEST))], indirect=True)
def test_memory_survives_uninstalling_and_installing_again(installed_home: Home) -> None:
    home = installed_home
    with home.model([store(DECISION), "It is remembered."]) as api:
        run_print(home, api, "Remember how refunds go")
    reinstall(home, "--uninstall")
    assert "llm_memory" not in home.run_claude("mcp", "list")
    assert read_json(home.config / "settings.json") == SETTINGS
    with home.model(["Good morning."]) as api:
        away = run_print(home, api, "A session without memory").session_id
    assert hook_context(api.of_kind("main")[0].body, "SessionStart") == ""
    reinstall(home)
    assert home.archived(away).exists()
    with home.model(["Welcome back."]) as api:
        run_print(home, api, "How do refunds go?")
    assert DECISION in hook_context(api.of_kind("main")[0].body, "SessionStart")
