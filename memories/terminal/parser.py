"""The parser of a command line: what is wrong with it is one line that names the help, no screenful of options."""

from __future__ import annotations

import argparse
import os
import sys

from memories.core.cleaning import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

WIDTH = 100
"""Columns of a help text where no terminal says otherwise, and at most."""

_NARROWEST = 40

if hasattr(argparse, "_"):
    vars(argparse)["_"] = str
    """argparse's words have no translations; to look for them takes 1.2 ms, a twelfth of what Python takes to start."""


def columns() -> int:
    """Columns for a text: the terminal's, at most WIDTH."""
    try:
        found = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):  # no terminal, or none any more
        return WIDTH
    return max(_NARROWEST, min(found, WIDTH))


EXAMPLES = "examples:\n"
"""How the part of a help text begins whose lines stay as they are."""


class _Formatter(argparse.HelpFormatter):
    """Told its width: asking for it costs argparse an import of shutil, 5 ms, for every option that is added."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=columns() - 2, max_help_position=28)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(EXAMPLES) else super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """argparse's, with whole option names only."""

    def __init__(self, program: str, description: str, examples: str) -> None:
        super().__init__(
            prog=program, description=description, epilog=examples, formatter_class=_Formatter, allow_abbrev=False
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and what was likely meant; exit code 2."""
        said = " ".join(clean(message).split())
        self.exit(2, f"{self.prog}: {said}.{self._meant(said)} `{self.prog} --help` shows what it takes.\n")

    def _meant(self, message: str) -> str:
        head, _, rest = message.partition("unrecognized arguments: ")
        if head or not rest.startswith("--"):
            return ""
        found = nearest(rest.split()[0].partition("=")[0], list(self._option_string_actions))
        return f" Did you mean {found}?" if found else ""


def nearest(word: str, known: list[str]) -> str | None:
    """The one of known that somebody who wrote word likely meant; None where nothing is like it."""
    from difflib import get_close_matches  # a slip only: no command that works pays for it

    return next(iter(get_close_matches(word, known, 1)), None)


def number(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number from least to most."""

    def parse(text: str) -> int:
        try:
            found = int(text)
        except ValueError:
            found = least - 1
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return found

    return parse
