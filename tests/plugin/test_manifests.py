"""The plugin's manifests, hooks and commands against the code: one version, one set of files, the same hooks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hooks import claude_settings
from hooks.shipped_files import COMMANDS, skill_texts

ROOT = Path(__file__).resolve().parents[2]
RUN = "${CLAUDE_PLUGIN_ROOT}/plugin/run.sh"
SERVERS = ("mcp__llm_memory__", "mcp__plugin_llm-memory_llm_memory__")
"""What tools are called of an installation's server, and of the plugin's."""
TOOL = re.compile(r"mcp__(?:llm_memory|plugin_llm-memory_llm_memory)__(\w+)")


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / name).read_text("utf-8"))
    return found


MANIFEST = read(".claude-plugin/plugin.json")


def test_the_plugin_has_the_projects_version() -> None:
    assert f'\nversion = "{MANIFEST["version"]}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_marketplace_offers_the_repository_itself() -> None:
    marketplace = read(".claude-plugin/marketplace.json")
    [offered] = marketplace["plugins"]
    assert (marketplace["name"], offered["name"], offered["source"]) == ("llm-memory", MANIFEST["name"], "./")


def test_a_clone_has_nothing_that_claude_code_takes_for_its_projects_own() -> None:
    for name in (".mcp.json", "hooks/hooks.json", "commands", "skills", "agents"):
        assert not (ROOT / name).exists()


def test_the_plugin_runs_the_hooks_that_an_install_registers() -> None:
    registered = read("plugin/hooks.json")["hooks"]
    assert list(registered) == list(claude_settings.HOOK_EVENTS)
    for event, (handler, timeout) in claude_settings.HOOK_EVENTS.items():
        [group] = registered[event]
        [entry] = group["hooks"]
        assert entry["args"] == [RUN, "hook", handler]
        assert (entry["type"], entry["command"], entry["timeout"]) == ("command", "/bin/sh", timeout)


def test_the_plugins_server_has_the_name_that_the_tools_are_known_by() -> None:
    [(name, entry)] = MANIFEST["mcpServers"].items()
    assert name == claude_settings.SERVER_NAME
    assert entry == {"command": "/bin/sh", "args": [RUN, "server"], "alwaysLoad": True}


def test_the_plugin_and_the_install_have_the_same_skill_and_commands() -> None:
    commands, skills = ROOT / MANIFEST["commands"], ROOT / MANIFEST["skills"]
    assert sorted(path.name for path in commands.iterdir()) == [f"{name}.md" for name in COMMANDS]
    assert skill_texts()["skills/llm-memory/SKILL.md"] == (skills / "SKILL.md").read_bytes()
    for name in COMMANDS:
        assert skill_texts()[f"commands/llm-memory/{name}.md"] == (commands / f"{name}.md").read_bytes()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_describes_itself_and_takes_arguments(name: str) -> None:
    _, front, text = skill_texts()[f"commands/llm-memory/{name}.md"].decode("utf-8").split("---\n", 2)
    assert re.search(r"^description: .{20,}$", front, re.M)
    assert re.search(r'^argument-hint: ".+"$', front, re.M)
    assert "$ARGUMENTS" in text
    assert len(text) < 1500


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_allowed_our_tools_by_both_of_their_names_and_never_deletion(name: str) -> None:
    text = skill_texts()[f"commands/llm-memory/{name}.md"].decode("utf-8")
    [allowed] = re.findall(r"^allowed-tools: (.+)$", text, re.M)
    tools = set(TOOL.findall(allowed))
    assert set(allowed.split(", ")) == {f"{server}{tool}" for tool in tools for server in SERVERS}
    assert {f"mcp__llm_memory__{tool}" for tool in tools} <= set(claude_settings.ALLOWED_TOOLS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_names_only_tools_that_there_are(name: str) -> None:
    text = skill_texts()[f"commands/llm-memory/{name}.md"].decode("utf-8").split("---\n", 2)[2]
    known = {tool.rpartition("__")[2] for tool in claude_settings.ALLOWED_TOOLS} | {"memory_delete"}
    named = set(re.findall(r"`((?:memory|transcript|narrative)_\w+)`", text)) - {"narrative_uuid"}
    assert named
    assert named <= known
