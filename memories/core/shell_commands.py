"""What a shell command that Claude ran tells: the program, whether it only looks, and the commit it makes."""

from __future__ import annotations

import re

_PARSED_CHARS = 4000
"""A command is looked at no further than this: it may carry a whole file."""

_LOOKING = frozenset(
    "cat cd cut date echo env export file find grep head less ls nl ps pwd rg sed sleep sort stat tail test tree true "
    "type wc which".split()
)
_TELLING = re.compile(
    r"\b(?:test|tests|pytest|build|deploy|migrate|release|publish|install|lint|mypy|ruff|make|push)\b"
)
_CHANGED_FOLDER = re.compile(r"\A\s*cd\s+[^;&|\n]+(?:&&|;)\s*")
_COMMIT = re.compile(r"""\bgit\b[^\n;&|'"]{0,200}\bcommit\b[^\n;&|'"]{0,200}?\s(?:-[a-zA-Z]*m|--message)[ =]?\s*""")
_HEREDOC = re.compile(r"""\$\(\s*cat\s*<<-?\s*\\?['"]?\w+['"]?[^\n]*\n""")


def without_folder(command: str) -> str:
    """The command without a `cd folder &&` in front, in which Claude wraps many; at most _PARSED_CHARS of it."""
    return _CHANGED_FOLDER.sub("", command[:_PARSED_CHARS], count=1).strip()


def only_looks(command: str) -> bool:
    """Whether a command shows or waits and changes nothing, by its first word."""
    words = without_folder(command).split(maxsplit=1)
    return bool(words) and words[0] in _LOOKING


def rank(command: str) -> int:
    """How telling a command is of what was done: 0 for tests, builds and the like, 2 for one that only looks."""
    if _TELLING.search(command[:_PARSED_CHARS]):
        return 0
    words = command.split(maxsplit=1)
    return 2 if words and words[0] in _LOOKING else 1


def commit_subject(command: str) -> str:
    """The first line of a `git commit -m` message; "" when there is none."""
    command = command[:_PARSED_CHARS]
    found = _COMMIT.search(command)
    if found is None:
        return ""
    rest = command[found.end() :]
    quote = rest[:1]
    if quote in {"'", '"'}:
        rest = rest[1:]
        heredoc = _HEREDOC.match(rest) if quote == '"' else None
        rest = rest[heredoc.end() :] if heredoc else rest.partition(quote)[0]
        return rest.lstrip().partition("\n")[0].strip()
    return re.split(r"[\s;&|]", rest, maxsplit=1)[0]
