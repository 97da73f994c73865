"""`llm-memory complete -- WORDS`: what may stand for the last of the words. Called by the shells' completion scripts
(completion.py) at every press of Tab, so it is quick, never fails and says nothing but values."""

from __future__ import annotations

import importlib

from memories.core.cleaning import clean
from memories.core.errors import LLMMemoryError
from memories.core.paths import check_private
from memories.terminal import command, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Action, ArgumentParser

    from memories.terminal.values import Value

SAID_CHARS = 80
"""Of what is said of a value."""

_UNOPENED = "\"'"


class Command(command.Command):
    """A line for each value: the value, a tab, what is said of it."""

    help = "Print what may stand for the last of WORDS (for the completion scripts)."
    needs_private_folder = False

    def run(self, program: str, arguments: list[str]) -> int:  # noqa: ARG002 - a command's interface
        """Print the values; always 0, and no error is ever said: a shell's prompt is no place for it."""
        words = arguments[1:] if arguments[:1] == ["--"] else arguments
        try:
            found = self._values(words or [""])
        except (LLMMemoryError, OSError, ValueError, SystemExit):
            return 0  # no folder, no index, one of another version
        except command.damage():
            return 0
        for value, said in found:
            line = " ".join(clean(value).split())
            if line == value:  # what cannot stand in a command line as it is would be another value
                self.say(f"{value}\t{_shortened(said)}")
        return 0

    def _values(self, words: list[str]) -> list[Value]:
        *before, last = words
        last = last[1:] if last[:1] in tuple(_UNOPENED) else last
        if not before or before == ["help"]:
            return [(name, table.COMMANDS[name][1]) for name in _shown() if name.startswith(last)]
        name = table.find(before[0])
        if name is None or not table.is_plain(name):
            return []
        return self._of_command(name, _split(before[1:]), last)

    def _of_command(self, name: str, before: list[str], last: str) -> list[Value]:
        parser = importlib.import_module(table.module(name)).Command(self.stdout, self.stderr).parser(name)
        asked = _option(parser, before[-1]) if before else None
        if last == "=" and asked is not None:  # bash splits `--project=` there
            last = ""
        option, equals, beginning = last.partition("=")
        if equals and option.startswith("--"):
            return [(f"{option}={value}", said) for value, said in self._of(_option(parser, option), beginning)]
        if asked is not None:
            return self._of(asked, last)
        if last.startswith("-"):
            shown = [one for one in parser._actions if one.help != _SUPPRESSED]
            return [(word, one.help or "") for one in shown for word in one.option_strings if word.startswith(last)]
        return self._of(_positional(parser, before), last)

    def _of(self, action: Action | None, beginning: str) -> list[Value]:
        if action is None:
            return []
        if action.choices is not None:
            return [(str(value), "") for value in action.choices if str(value).startswith(beginning)]
        from memories.terminal.values import VALUES  # only they read the index

        wanted = VALUES.get(str(action.metavar))
        if wanted is None:
            return []
        check_private(self.folder)
        return wanted(self.folder, beginning)


def _shortened(said: str) -> str:
    line = " ".join(clean(said).split())
    return line if len(line) <= SAID_CHARS else line[: SAID_CHARS - 1].rstrip() + "…"


_SUPPRESSED = "==SUPPRESS=="
"""argparse.SUPPRESS: the help of an option that is nobody's to use."""


def _shown() -> list[str]:
    """The commands that people call, in the overview's order, then those that programs do."""
    return [name for _, names in table.GROUPS for name in names if name in table.COMMANDS]


def _split(words: list[str]) -> list[str]:
    """The words before, without the `=` that bash makes a word of its own."""
    return [word for word in words if word != "="]


def _option(parser: ArgumentParser, word: str) -> Action | None:
    """The option that takes a value, where word is its name."""
    found = next((one for one in parser._actions if word in one.option_strings), None)
    return found if found is not None and found.nargs != 0 else None


def _positional(parser: ArgumentParser, before: list[str]) -> Action | None:
    """The argument that comes after the words before; the last one where it takes any number."""
    given, skips = 0, False
    for word in before:
        if skips:
            skips = False
        elif word.startswith("-"):
            skips = _option(parser, word) is not None and "=" not in word
        else:
            given += 1
    known: list[Action] = [one for one in parser._actions if not one.option_strings]
    if given < len(known):
        return known[given]
    return known[-1] if known and known[-1].nargs in {"*", "+"} else None
