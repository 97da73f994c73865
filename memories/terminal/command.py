"""What the commands share: options, plain or coloured lines, JSON, a question, errors as one line."""

from __future__ import annotations

import json
import os
import re
import sys

from memories.core.errors import MirrorUnavailableError, StorageError
from memories.core.paths import check_private, data_folder
from memories.terminal import surroundings
from memories.terminal.parser import EXAMPLES, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any, TextIO

    from memories.core.errors import LLMMemoryError
    from memories.core.paths import DataFolder

_ACTING = "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
"""Of what JSON leaves as it is."""

_INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as shells count: 128 and the signal's number."""


def damage() -> type[Exception]:
    """What a damaged index raises; asked for when something was raised, so that no other run imports sqlite3 for it."""
    import sqlite3

    return sqlite3.Error


class Style:
    """Colours of a terminal; each method gives the text back as it is where there is none (or NO_COLOR is set)."""

    __slots__ = ("is_on",)

    def __init__(self, out: TextIO) -> None:
        self.is_on = out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def heading(self, text: str) -> str:
        """What a part is about."""
        return self._in("36;1", text)

    def good(self, text: str) -> str:
        """What is well, or was said by Claude."""
        return self._in("32;1", text)

    def warning(self, text: str) -> str:
        """What to look at, and what is said about the output itself."""
        return self._in("33;1", text)

    def bad(self, text: str) -> str:
        """What is wrong."""
        return self._in("31;1", text)

    def _in(self, codes: str, text: str) -> str:
        return f"\x1b[{codes}m{text}\x1b[0m" if self.is_on else text


class Command:
    """A command over the data folder: `help`, add_arguments and handle. Domain errors pass through to the caller.

    needs_private_folder: False for the few that do not touch the user's data folder, or say what is wrong with it.
    """

    help = ""
    examples: tuple[str, ...] = ()
    """Command lines that --help shows, without the program's name."""
    needs_private_folder = True

    def __init__(self, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.style = Style(self.stdout)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's own options to its parser. What a value is called (metavar) says how it is completed: see
        complete.VALUES."""

    def handle(self, **options: Any) -> int | None:
        """Do it; the exit code, None for 0. options: by their argparse names."""
        raise NotImplementedError

    def parser(self, program: str) -> ArgumentParser:
        """The parser of its command line. program: how usage texts name it, `llm-memory search`."""
        first = program.split(" ", 1)[0]
        shown = "\n".join(f"  {first} {example}" for example in self.examples)
        parser = Parser(program, self.help, f"{EXAMPLES}{shown}" if shown else "")
        self.add_arguments(parser)
        return parser

    def run(self, program: str, arguments: list[str]) -> int:
        """Read the command line and carry it out; the exit code. A disk that refuses is a domain error like any other.

        Raises SystemExit (bad options, --help, a question that was answered with no), LLMMemoryError, StorageError
        also for a data folder that is not this user's alone, MirrorUnavailableError also for a damaged index.
        """
        options = vars(self.parser(program).parse_args(arguments))
        if self.needs_private_folder:
            check_private(self.folder)
        try:
            return self.handle(**options) or 0
        except BrokenPipeError:
            raise  # the reader has gone: no failure
        except damage() as error:
            raise MirrorUnavailableError(
                f"The index cannot be read ({error}). Run `llm-memory rebuild_index`, then try again."
            ) from error
        except OSError as error:
            if error.filename is None:
                surroundings.check_folder()
            where = error.filename or self.folder.root
            raise StorageError(
                f"{where}: {error.strerror or error}. `llm-memory doctor` says what is wrong."
            ) from error

    @property
    def folder(self) -> DataFolder:
        """The data folder that the environment names."""
        return data_folder()

    def say(self, line: str = "") -> None:
        """One line on stdout. Raises StorageError where that refuses, BrokenPipeError where nobody reads it."""
        try:
            self.stdout.write(line + "\n")
        except BrokenPipeError:
            raise
        except OSError as error:
            raise surroundings.no_output(error) from error

    def warn(self, line: str) -> None:
        """One line on stderr, beside the output: progress, what was skipped."""
        self.stderr.write(line + "\n")

    def say_json(self, value: Any) -> None:
        """A value as JSON on stdout; as escapes what acts on a terminal or turns its direction, and in a locale that
        lacks letters all that is not ASCII."""
        text = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()
        text = re.sub(_ACTING, lambda found: f"\\u{ord(found[0]):04x}", text)
        if not surroundings.takes_all(self.stdout):
            text = re.sub("[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
        self.say(text)

    def ask(self, question: str) -> str:
        """The answer that is typed; "" at the end of the input. Ctrl-C says that nothing was changed; SystemExit."""
        self.stdout.flush()
        try:
            return input(question)
        except EOFError:
            self.say()
            return ""
        except KeyboardInterrupt:
            self.say("\nNothing was changed.")
            raise SystemExit(_INTERRUPTED) from None

    def agree(self, question: str, error: type[LLMMemoryError]) -> None:
        """Come back when the answer is yes. Raises error where nobody can be asked, else SystemExit."""
        if not sys.stdin.isatty():
            raise error("Without a terminal nobody can be asked: say --yes. Nothing was changed.")
        if self.ask(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
            self.say("Nothing was changed.")
            raise SystemExit(1)
