"""The same memory as a plugin of Claude Code's: the main job, its commands, its end of a session, beside install.sh."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import NEWEST
from tests.e2e.home import processes_of
from tests.e2e.installation import install
from tests.e2e.plugin import NAME, TOOLS, add_plugin, copy_source, give_venv, plugin_data
from tests.e2e.sessions import run_print
from tests.e2e.tui import READY, Tui
from tests.e2e.wire import hook_context, shown, tool_results

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e
newest = pytest.mark.parametrize(
    "version", [pytest.param(NEWEST, marks=pytest.mark.xdist_group(NEWEST))], indirect=True
)

OPENING = "Please settle how refunds are paid"
DECISION = "Decision: refunds go back to the card that paid."
SETUP_SECONDS = 60.0
COMMANDS = {f"llm-memory:{name}" for name in ("brief", "forget", "narrative", "recall", "remember")}
ALLOWED = ("--allowedTools", TOOLS.removesuffix("__"))
CONNECTED = r"✔ plugin:llm-memory:llm_memory|llm_memory · ✔"
"""The server's line in the /mcp panel of 2.1.330 and of 2.1.197."""
LARGE = "The ledger holds one more line. " * 120_000
"""An answer of 3.8 MB: too much for a plugin's hook to archive in its time."""


def store(content: str = DECISION) -> dict[str, Any]:
    return {"tool": TOOLS + "memory_store", "input": {"content": content, "type": "note"}}


def be_quick_to_fail(home: Home) -> None:
    """Let pip, which reaches nothing where the clients run, give up at once, and look at no other host."""
    place = home.path / ".config" / "pip" / "pip.conf"
    place.parent.mkdir(parents=True)
    place.write_text("[global]\nretries = 0\nindex-url = http://127.0.0.1:9/simple\n", "utf-8")


def wait_for_tools(tui: Tui) -> None:
    """Wait until the plugin's server is connected: a terminal session does not."""
    tui.say("/mcp", CONNECTED)
    tui.key("Escape")
    tui.wait(READY)


def wait_for_trouble(home: Home) -> None:
    """Wait until the setup that a session started has failed: a venv is made before pip is asked."""
    end = time.monotonic() + SETUP_SECONDS
    while not (plugin_data(home) / "trouble").exists() or any(
        "prepare.py" in one for one in processes_of(home.path).values()
    ):
        assert time.monotonic() < end, "the setup neither failed nor ended"
        time.sleep(0.1)


def files_of(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def source(bare_home: Home) -> Path:
    """A clone's folder, which the client reads in place."""
    return copy_source(bare_home.path / "clone")


@pytest.fixture
def plugin_home(bare_home: Home, source: Path, seed: Home) -> Home:
    """A home with the plugin, ready."""
    add_plugin(bare_home, source)
    give_venv(bare_home, source, seed)
    return bare_home


@newest
def test_what_one_session_stores_the_next_one_is_told(plugin_home: Home, source: Path) -> None:
    home, before = plugin_home, files_of(source)
    with home.model([store(), "Refunds are settled."]) as api:
        first = run_print(home, api, OPENING, *ALLOWED)
    [(is_error, _), *_] = tool_results(api.of_kind("main")[1].body)
    [event] = [event for event in first.events if event.get("subtype") == "init"]
    assert not is_error
    assert set(event["slash_commands"]) >= COMMANDS
    assert "llm-memory:llm-memory" in event["skills"]
    told = shown(api.of_kind("main")[0].body)
    assert "plugin:llm-memory:llm_memory" in told  # the server's instructions
    assert home.archived(first.session_id).read_bytes() == home.source(first.session_id).read_bytes()
    [log] = home.session_logs(first.session_id)
    assert OPENING in log["content"]
    [output] = first.hook_outputs("SessionStart")
    assert "setting itself up" not in output["systemMessage"]
    with home.model(["Good morning."]) as api:
        run_print(home, api, "Where were we?")
    assert DECISION in hook_context(api.of_kind("main")[0].body, "SessionStart")
    assert files_of(source) == before, "something was written into the plugin's root"
    home.run_claude("plugin", "uninstall", NAME)
    [note] = home.records(type="note")
    assert note["content"] == DECISION


@pytest.mark.long
def test_the_manifests_are_what_the_client_asks_for(bare_home: Home, source: Path) -> None:
    assert "Validation passed" in bare_home.run_claude("plugin", "validate", str(source))


@pytest.mark.long
def test_a_large_transcript_is_archived_after_the_client_has_gone(plugin_home: Home) -> None:
    home = plugin_home
    with home.model([LARGE]) as api:
        session_id = run_print(home, api, OPENING).session_id
    assert ("session_end", "left to a process of its own") in home.hook_outcomes()
    assert home.wait_until_quiet() == []
    assert home.hook_outcomes()[-1] == ("session_end", "archived")
    assert home.archived(session_id).read_bytes() == home.source(session_id).read_bytes()
    assert home.archived(session_id).stat().st_size > 3_000_000


@pytest.mark.long
@newest  # 2.1.197 shows so long an answer so slowly that the keys typed meanwhile are lost
def test_a_session_in_the_terminal_has_tools_and_is_archived_at_exit(plugin_home: Home) -> None:
    home = plugin_home
    with home.model([store(), "Refunds are settled.", LARGE]) as api, Tui(home, api, *ALLOWED) as tui:
        wait_for_tools(tui)
        tui.submit(OPENING)
        tui.wait("Refunds are settled")
        tui.submit("List the ledger")
        tui.settle(3)
        tui.submit("/exit")
        tui.ended()
    assert home.wait_until_quiet() == []
    session_id = api.of_kind("main")[0].session_id
    assert home.archived(session_id).read_bytes() == home.source(session_id).read_bytes()
    assert [path.name for path in (home.data / "transcripts").iterdir() if ".tmp" in path.name] == []


@pytest.mark.long
def test_without_network_the_first_use_says_so_and_the_session_is_kept(bare_home: Home, source: Path) -> None:
    home = bare_home
    be_quick_to_fail(home)
    add_plugin(home, source)
    with home.model(["Good morning."]) as api:
        first = run_print(home, api, OPENING)
    [output] = first.hook_outputs("SessionStart")
    assert "setting itself up (first use)" in output["systemMessage"]
    wait_for_trouble(home)
    assert home.archived(first.session_id).read_bytes() == home.source(first.session_id).read_bytes()
    with home.model(["Good morning."]) as api:
        second = run_print(home, api, "Where were we?")
    [output] = second.hook_outputs("SessionStart")
    assert "the memory tools are missing: it could not fetch its Python packages with pip: " in output["systemMessage"]
    assert OPENING in hook_context(api.of_kind("main")[0].body, "SessionStart")
    wait_for_trouble(home)


@pytest.mark.long
def test_the_tools_come_into_the_session_that_is_open_when_the_setup_is_done(
    bare_home: Home, source: Path, seed: Home
) -> None:
    home = bare_home
    be_quick_to_fail(home)
    add_plugin(home, source)
    with home.model(["Good morning.", store(), "Refunds are settled."]) as api, Tui(home, api, *ALLOWED) as tui:
        tui.say("Hello", "Good morning")
        wait_for_trouble(home)
        give_venv(home, source, seed)
        tui.settle(4)
        wait_for_tools(tui)
        tui.submit(OPENING)
        tui.wait("Refunds are settled")
        tui.submit("/exit")
        tui.ended()
    [note] = home.records(type="note")
    assert note["content"] == DECISION
    assert note["session_id"] == api.of_kind("main")[0].session_id


@pytest.mark.long
@newest
def test_beside_an_installation_the_plugin_stands_aside(installed_home: Home) -> None:
    home = installed_home
    add_plugin(home, copy_source(home.path / "clone"))
    with home.model(["Good morning."]) as api:
        result = run_print(home, api, OPENING)
    said = [output.get("systemMessage", "") for output in result.hook_outputs("SessionStart")]
    assert sum("installed twice" in line for line in said) == 1
    ran = [event for event, _ in home.hook_outcomes()]
    assert ran.count("session_start") == 1
    assert ran[-2:] == ["session_start", "session_end"]
    names = {tool["name"] for tool in api.of_kind("main")[0].body["tools"]}
    assert "mcp__llm_memory__memory_store" in names
    assert not any(name.startswith(TOOLS) for name in names)
    assert "the plugin" in install(home).stdout
    assert install(home, "--uninstall").returncode == 0
    assert json.loads((home.config / "settings.json").read_text("utf-8"))["enabledPlugins"] == {NAME: True}
