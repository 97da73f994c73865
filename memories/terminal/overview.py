"""`llm-memory help`: what the program can do, a line for each command; what it says of a word that is none."""

from __future__ import annotations

import os
import shutil
import textwrap

from memories.terminal import table

FIRST_STEPS = (
    ("search why did we leave redis", "ask in plain words"),
    ('store "Deploys go out on Tuesdays"', "keep what must not be lost"),
    ("recent", "what was kept last"),
    ("transcript", "the conversations, word for word"),
)
"""Command lines that a newcomer may type at once, and what each does."""

_VERSION = "version = "

_NAME_WIDTH = 13
"""Columns of a command's name in its group."""

_LEAST_WIDTH = 20
"""Columns that a text takes at least, however narrow the terminal."""


def overview(program: str, code: str) -> str:
    """Every command in its group, and how to go on. program: as usage texts name it; code: the folder of manage.py."""
    head = f"LLM Memory {version(code)}: persistent local memory for Claude Code."
    lines = [head, "", f"Usage: {program} COMMAND [OPTIONS]", "", "First steps"]
    wide = max(len(line) for line, _ in FIRST_STEPS) + len(program) + 1
    for line, what in FIRST_STEPS:
        lines += _row(f"{program} {line}", what, wide)
    for title, names in table.GROUPS:
        lines += ["", title]
        for name in names:
            lines += _row(name, table.COMMANDS[name][1], _NAME_WIDTH)
    last = f"`{program} help COMMAND` tells a command's options and shows examples; --json is for scripts."
    lines += ["", *textwrap.wrap(last, _columns(), break_on_hyphens=False)]
    return "\n".join(lines)


def _row(name: str, what: str, wide: int) -> list[str]:
    """A name and what it is, in two columns, the second going on below itself."""
    room = max(_columns() - wide - 4, _LEAST_WIDTH)
    said = textwrap.wrap(what, room, break_on_hyphens=False) or [""]
    return [f"  {name:<{wide}}  {said[0]}".rstrip(), *(f"{' ' * (wide + 4)}{line}" for line in said[1:])]


def _columns() -> int:
    """Of the terminal; 80 where there is none."""
    return max(shutil.get_terminal_size().columns, _LEAST_WIDTH)


def unknown(program: str, word: str) -> str:
    """One line on a word that is no command."""
    from memories.core.cleaning import clean
    from memories.terminal.parser import nearest  # neither is needed where all is well

    found = nearest(word, list(table.COMMANDS))
    meant = f" Did you mean {found}?" if found else ""
    return f"Unknown command: {clean(word)[:80]!r}.{meant} `{program} help` lists what there is."


def version(code: str) -> str:
    """The version that pyproject.toml beside manage.py names, in a clone and where it is installed; "" without one."""
    try:
        with open(os.path.join(code, "pyproject.toml"), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, ValueError):
        return ""
    given = (line.removeprefix(_VERSION) for line in lines if line.startswith(_VERSION))
    return next(given, "").strip().strip('"')
