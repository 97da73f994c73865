"""The harness itself, with hooks that only record: what the scenarios rely on when they say something was not there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import recorder
from tests.e2e.client import require_system_tools, skip
from tests.e2e.home import SETTINGS
from tests.e2e.loopback import LoopbackNetwork
from tests.e2e.sessions import run_print
from tests.e2e.tui import CLEARED, Tui
from tests.e2e.wire import PREVIEW_MARKS, hook_context, last_user_text, shown, tool_results

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e


def record(home: Home, **outputs: str) -> None:
    home.write_settings({**SETTINGS, "hooks": recorder.hooks(str(home.path / "hooks.jsonl"), **outputs)})


def recorded(home: Home, event: str) -> list[dict[str, Any]]:
    lines = (home.path / "hooks.jsonl").read_text("utf-8").splitlines()
    return [payload for payload in map(json.loads, lines) if payload["hook_event_name"] == event]


def added(event: str, text: str) -> str:
    return json.dumps({"hookSpecificOutput": {"hookEventName": event, "additionalContext": text}})


def test_a_print_session_plays_the_script_and_runs_the_hooks(bare_home: Home) -> None:
    record(bare_home, SessionStart=added("SessionStart", "FROM THE START HOOK"))
    with bare_home.model([{"tool": "Bash", "input": {"command": "echo hi", "description": "x"}}, "All done."]) as api:
        result = run_print(bare_home, api, "hello", "--allowedTools", "Bash")
    first, second = api.of_kind("main")
    assert result.answer() == "All done."
    assert hook_context(first.body, "SessionStart").startswith("FROM THE START HOOK")
    assert tool_results(second.body) == [(False, "hi")]
    assert [end["reason"] for end in recorded(bare_home, "SessionEnd")] == ["other"]
    assert bare_home.source(first.session_id).read_text("utf-8").count("All done.") >= 1


def test_a_terminal_session_compacts_clears_and_exits(bare_home: Home) -> None:
    record(bare_home, PreCompact="KEEP THE DECISIONS", SessionStart=added("SessionStart", "FROM THE START HOOK"))
    with bare_home.model({"main": ["First.", "Second.", "Third.", "Fourth."]}) as api, Tui(bare_home, api) as tui:
        tui.say("one please", "First")
        tui.say("two please", "Second")
        tui.say("/compact", "Compacted")
        tui.say("three please", "Third")
        tui.say("/clear", CLEARED)
        tui.say("four please", "Fourth")
        tui.submit("/exit")
        assert tui.ended() == 0
    [compaction] = api.of_kind("compact")
    after = api.of_kind("main")[2].body
    assert "KEEP THE DECISIONS" in last_user_text(compaction.body).partition("Additional Instructions:")[2]
    assert "SCRIPTED COMPACT SUMMARY" in shown(after)
    assert hook_context(after, "SessionStart").startswith("FROM THE START HOOK")
    assert [start["source"] for start in recorded(bare_home, "SessionStart")] == ["startup", "compact", "clear"]
    assert [end["reason"] for end in recorded(bare_home, "SessionEnd")] == ["clear", "prompt_input_exit"]


def test_the_client_cuts_context_of_more_than_ten_thousand_characters_whatever_its_json_is_long(
    bare_home: Home,
) -> None:
    cut = []
    for context in ('"' * 10_000, '"' * 10_001, "🦀" * 5_000, "🦀" * 5_001):
        record(bare_home, SessionStart=added("SessionStart", context))
        with bare_home.model() as api:
            run_print(bare_home, api, "hello")
        told = shown(api.of_kind("main")[0].body)
        assert (context in told) != all(mark in told for mark in PREVIEW_MARKS)
        cut.append(context not in told)
    assert cut == [False, True, False, True]


def test_what_tries_to_leave_the_loopback_network_is_counted() -> None:
    require_system_tools()
    network = LoopbackNetwork()
    attempt = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"
    try:
        if not network.isolated:
            skip("network namespaces are not permitted here; clients run with proxies that lead nowhere instead")
        assert network.escapes() == 0
        done = subprocess.run(network.inside([sys.executable, "-I", "-c", attempt]), capture_output=True, check=False)
        assert b"unreachable" in done.stderr
        assert network.escapes() == 1
    finally:
        network.close()
