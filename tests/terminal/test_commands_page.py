"""docs/commands.md against the parsers."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from memories.terminal import table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text("utf-8")
PLAIN = sorted(name for name in table.COMMANDS if table.is_plain(name))


def section(name: str) -> str:
    found = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section {name!r}"
    return found[1]


@pytest.mark.parametrize("name", PLAIN)
def test_every_option_of_a_command_is_on_the_page_and_no_other(name: str) -> None:
    parser = importlib.import_module(table.module(name)).Command().parser(f"llm-memory {name}")
    options = [one for one in parser._actions if one.dest != "help" and one.help != "==SUPPRESS=="]
    wanted = {one.option_strings[-1] if one.option_strings else one.metavar or one.dest.upper() for one in options}
    table_of_options = section(name).partition("| Option | What it does |")[2]
    assert {row.split()[0] for row in re.findall(r"^\| `([^`]+)` \|", table_of_options, re.MULTILINE)} == wanted


@pytest.mark.parametrize("name", PLAIN)
def test_a_command_is_shown_at_work_and_its_json_is_described(name: str) -> None:
    text = section(name)
    assert f"llm-memory {name}" in text
    assert ("JSON: " in text) == ("`--json`" in text)


def test_the_page_follows_the_overview() -> None:
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert titles == [title for title, _ in table.GROUPS]
    assert re.findall(r"^### (.*)$", PAGE, re.MULTILINE) == [name for _, names in table.GROUPS[:-1] for name in names]
    for name in table.GROUPS[-1][1]:
        assert f"`llm-memory {name}" in PAGE
