"""Our server in Claude Code's .claude.json, with and without a `claude` command."""

from __future__ import annotations

import json

import pytest

from hooks import removal, setup
from tests.install.conftest import Sandbox

OTHER = {"type": "stdio", "command": "x", "args": ["y"], "env": {}}


def _wanted(sandbox: Sandbox) -> dict[str, object]:
    lib = str(sandbox.lib)
    return {
        "type": "stdio",
        "command": f"{lib}/venv/bin/python",
        "args": ["-I", f"{lib}/manage.py", "mcp"],
        "env": {},
        "alwaysLoad": True,
    }


def _write(sandbox: Sandbox, servers: dict[str, object]) -> None:
    sandbox.server_file.write_text(json.dumps({"numStartups": 3, "mcpServers": servers, "z": 1}), encoding="utf-8")


def _servers(sandbox: Sandbox) -> dict[str, object]:
    found = json.loads(sandbox.server_file.read_text(encoding="utf-8"))
    assert list(found) == ["numStartups", "mcpServers", "z"]
    servers: dict[str, object] = found["mcpServers"]
    return servers


def test_the_server_is_added_through_claude_with_the_guard_set(sandbox: Sandbox) -> None:
    sandbox.add_claude()
    assert setup.install() == 0
    (call,) = sandbox.claude_calls()
    assert call[:3] == ["mcp", "add-json", "llm_memory"]
    assert json.loads(call[3]) == _wanted(sandbox)
    assert call[4:] == ["--scope", "user", "guard=1"]


def test_a_server_that_is_right_already_is_not_touched(sandbox: Sandbox) -> None:
    sandbox.add_claude()
    _write(sandbox, {"llm_memory": _wanted(sandbox)})
    setup.install()
    assert sandbox.claude_calls() == []


def test_another_installations_server_is_removed_first(sandbox: Sandbox) -> None:
    sandbox.add_claude()
    _write(sandbox, {"llm_memory": OTHER, "mine": OTHER})
    setup.install()
    assert [call[:2] for call in sandbox.claude_calls()] == [["mcp", "remove"], ["mcp", "add-json"]]


def test_without_claude_the_command_that_is_left_is_said(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.install() == 0
    out = capsys.readouterr().out
    assert "claude mcp add-json llm_memory '" + json.dumps(_wanted(sandbox)) + "' --scope user" in out
    assert not sandbox.server_file.exists()


def test_without_claude_an_entry_that_would_not_start_is_corrected_in_place(sandbox: Sandbox) -> None:
    _write(sandbox, {"llm_memory": OTHER, "mine": OTHER})
    setup.install()
    assert _servers(sandbox) == {"llm_memory": _wanted(sandbox), "mine": OTHER}


def test_a_claude_that_fails_is_reported_with_what_it_said(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_claude("echo 'cannot do that' >&2; exit 3")
    assert setup.install() == 1
    assert "failed (cannot do that). Run it yourself." in capsys.readouterr().out


def test_a_broken_claude_json_is_left_alone(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.server_file.write_text("{broken", encoding="utf-8")
    assert setup.install() == 1
    assert sandbox.server_file.read_text(encoding="utf-8") == "{broken"
    assert ".claude.json is not valid JSON" in capsys.readouterr().out


def test_uninstall_takes_only_our_server_out_without_claude(sandbox: Sandbox) -> None:
    _write(sandbox, {"llm_memory": _wanted(sandbox), "mine": OTHER})
    assert removal.uninstall() == 0
    assert _servers(sandbox) == {"mine": OTHER}


def test_uninstall_takes_the_server_out_itself_where_claude_does_not(sandbox: Sandbox) -> None:
    sandbox.add_claude("exit 1")
    _write(sandbox, {"llm_memory": _wanted(sandbox)})
    assert removal.uninstall() == 0
    assert sandbox.claude_calls() == [["mcp", "remove", "llm_memory", "--scope", "user", "guard=1"]]
    assert _servers(sandbox) == {}
