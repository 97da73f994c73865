"""Runs a command so that no traceback reaches a user: domain errors become one line with the next step."""

from __future__ import annotations

import importlib
import os
import sys

from memories.core.errors import LLMMemoryError
from memories.terminal import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.terminal.command import Command

OVERVIEW_CALLS: tuple[list[str], ...] = ([], ["help"], ["--help"], ["-h"])
VERSION_CALLS: tuple[list[str], ...] = (["--version"], ["-V"])


def program(script: str) -> str:
    """The name that usage texts show: `llm-memory` where it is installed as that."""
    is_installed = os.path.exists(os.path.join(os.path.dirname(script), "install.json"))
    return "llm-memory" if is_installed else os.path.basename(script)


def run(argv: list[str]) -> int:
    """Run `manage.py <command>`; exit code 1 for a domain error, 2 for a line that is none, 130 for Ctrl-C, else the
    command's own."""
    return _guarded(lambda: _run(argv[0], argv[1:]))


def _run(script: str, words: list[str]) -> int:
    if words in OVERVIEW_CALLS or words in VERSION_CALLS:
        return _tell(script, is_version=words in VERSION_CALLS)
    if words[0] == "help":
        words = [words[1], "--help"]
    name = table.find(words[0])
    if name is None:
        from memories.terminal.overview import unknown

        sys.stderr.write(f"{unknown(program(script), words[0])}\n")
        return 2
    if table.is_plain(name):
        command: Command = importlib.import_module(table.module(name)).Command()
        return command.run(f"{program(script)} {name}", words[1:])
    from llm_memory_site.django_commands import run_django

    return run_django(program(script), table.django_name(name), words[1:], shown=name)


def _tell(script: str, *, is_version: bool) -> int:
    from memories.terminal.overview import overview, version

    code = os.path.dirname(os.path.abspath(script))
    sys.stdout.write(f"{version(code) if is_version else overview(program(script), code)}\n")
    return 0


def _guarded(run: Callable[[], int]) -> int:
    try:
        return run()
    except LLMMemoryError as error:
        from memories.core.cleaning import clean

        sys.stderr.write(f"Error: {clean(str(error))}\n")  # it may name what is stored
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
