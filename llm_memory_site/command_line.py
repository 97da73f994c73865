"""Runs a command so that no traceback reaches a user: domain errors become one line with the next step."""

from __future__ import annotations

import gc
import os
import sys

from memories.core.errors import LLMMemoryError
from memories.terminal import surroundings, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.terminal.command import Command

HELP_WORDS = ("help", "--help", "-h")
OVERVIEW_CALLS: tuple[list[str], ...] = ([], *([word] for word in HELP_WORDS), *(["help", word] for word in HELP_WORDS))
VERSION_CALLS: tuple[list[str], ...] = (["--version"], ["-V"])

GARBAGE_OBJECTS = 50_000
"""New objects after which a command's garbage is looked for: what is imported stays, and looking it through at Python's
700 takes 3 ms of every start."""


def program(script: str) -> str:
    """The name that usage texts show: `llm-memory` where it is installed as that, and as the plugin's launcher."""
    is_installed = os.path.exists(os.path.join(os.path.dirname(script), "install.json"))
    return "llm-memory" if is_installed or os.environ.get("LLM_MEMORY_PLUGIN") else os.path.basename(script)


def run(argv: list[str]) -> int:
    """Run `manage.py <command>`; exit code 1 for a domain error, 2 for a line that is none, 130 for Ctrl-C, else the
    command's own."""
    surroundings.prepare()
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
        gc.set_threshold(GARBAGE_OBJECTS)
        __import__(table.module(name))  # importlib takes 0.6 ms to import
        command: Command = sys.modules[table.module(name)].Command()
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
        try:
            code = run()
        except SystemExit:
            surroundings.flush()
            raise
        surroundings.flush()
    except LLMMemoryError as error:
        return _refused(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        surroundings.discard()  # the reader (head, less) has what it wanted
        return 0
    return code


def _refused(error: LLMMemoryError) -> int:
    """Say it after what was printed before it; exit code 1."""
    from memories.core.cleaning import clean

    try:
        surroundings.flush()
    except (LLMMemoryError, BrokenPipeError):
        surroundings.discard()
    sys.stderr.write(f"Error: {clean(str(error))}\n")  # it may name what is stored
    return 1
