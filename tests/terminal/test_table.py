"""The table against the commands and the overview's groups; tests/test_docs.py holds it against the pages."""

from __future__ import annotations

import importlib
import shlex
from pathlib import Path

import pytest

from memories.terminal import table
from memories.terminal.command import Command

ROOT = Path(__file__).resolve().parents[2]
PLAIN = sorted(name for name in table.COMMANDS if table.is_plain(name))
NOTHING_TO_SCRIPT = {"completion", "dashboard", "demo"}


def made(name: str) -> Command:
    command = importlib.import_module(table.module(name)).Command()
    assert isinstance(command, Command)
    return command


def test_every_command_stands_in_one_group() -> None:
    grouped = [name for _, names in table.GROUPS for name in names]
    assert sorted(grouped) == sorted(table.COMMANDS)


def test_every_module_of_a_command_is_in_the_table() -> None:
    modules = {table.module(name) for name in [*table.COMMANDS, *table.HIDDEN]}
    for app in ("memories", "hooks", "mcp_bridge", "llm_memory_site"):
        for path in (ROOT / app / "management" / "commands").glob("[!_]*.py"):
            assert f"{app}.management.commands.{path.stem}" in modules
    for path in (ROOT / "memories" / "terminal").glob("[!_]*.py"):
        if "class Command(command.Command)" in path.read_text("utf-8"):
            assert f"memories.terminal.{path.stem}" in modules


@pytest.mark.parametrize("name", sorted(table.COMMANDS))
def test_a_summary_is_a_short_line(name: str) -> None:
    _, summary = table.COMMANDS[name]
    assert summary[0].islower() or summary[0] == "`"
    assert len(summary) <= 80
    assert not summary.endswith(".")


@pytest.mark.parametrize("name", PLAIN)
def test_the_help_of_a_command_shows_examples_that_its_parser_takes(name: str) -> None:
    command = made(name)
    assert command.help.endswith((".", "source"))
    assert 2 <= len(command.examples) <= 6
    for example in command.examples:
        words = shlex.split(example.partition(" < ")[0])
        assert words[0] == name
        command.parser(f"llm-memory {name}").parse_args(words[1:])
        assert f"  llm-memory {example}\n" in command.parser(f"llm-memory {name}").format_help()


@pytest.mark.parametrize("name", PLAIN)
def test_every_command_speaks_json_where_there_is_something_to_script(name: str) -> None:
    options = made(name).parser(name).format_help()
    assert ("--json" in options) != (name in NOTHING_TO_SCRIPT)


def test_a_name_is_found_however_its_parts_are_joined() -> None:
    assert table.find("sync_setup") == "sync-setup"
    assert table.find("rebuild-index") == "rebuild_index"
    assert table.find("make-tea") is None
    assert table.find("complete") == "complete"
