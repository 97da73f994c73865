"""What a shell command that Claude ran tells: the program, whether it only looks, and the commit it makes."""

from __future__ import annotations

import re

from memories.core.patterns import lazy

_PARSED_CHARS = 4000
"""A command is looked at no further than this: it may carry a whole file."""

_LOOKING = frozenset(
    "awk basename cat cd cmp column comm cut date df diff dirname du echo env export false file find grep head "
    "hostname jq less ls nl printenv printf ps pwd rg sed sleep sort stat tail test tr tree true type uname uniq wc "
    "which whoami".split()
)
_TELLING = lazy(r"\b(?:test|tests|pytest|build|deploy|migrate|release|publish|install|lint|mypy|ruff|make|push)\b")
_QUOTED = r"""'[^']*'|"(?:[^"\\]|\\.)*\""""
_JOINT = r"&&|\|\|?|[;\n]"
_CHANGES = frozenset({"-i", "-delete", "-exec", "-execdir"})
"""Options with which `sed` and `find` change files."""

_CHANGED_FOLDER = r"\A\s*cd\s+[^;&|\n]+(?:&&|;)\s*"
_COMMIT = r"""\bgit\b[^\n;&|'"]{0,200}\bcommit\b[^\n;&|'"]{0,200}?\s(?:-[a-zA-Z]*m|--message)[ =]?\s*"""
_HEREDOC = r"""\$\(\s*cat\s*<<-?\s*\\?['"]?\w+['"]?[^\n]*\n"""


def without_folder(command: str) -> str:
    """The command without a `cd folder &&` in front, in which Claude wraps many; at most _PARSED_CHARS of it."""
    return re.sub(_CHANGED_FOLDER, "", command[:_PARSED_CHARS], count=1).strip()


def only_looks(command: str) -> bool:
    """Whether a command shows or waits and changes nothing, by the first word of each of its parts."""
    parts = [part.split() for part in re.split(_JOINT, re.sub(_QUOTED, "_", without_folder(command))) if part.strip()]
    return bool(parts) and all(words[0] in _LOOKING and not _CHANGES.intersection(words) for words in parts)


def rank(command: str) -> int:
    """How telling a command is of what was done: 0 for tests, builds and the like, 2 for one that only looks."""
    if _TELLING.search(command[:_PARSED_CHARS]):
        return 0
    words = command.split(maxsplit=1)
    return 2 if words and words[0] in _LOOKING else 1


def commit_subject(command: str) -> str:
    """The first line of a `git commit -m` message; "" when there is none."""
    command = command[:_PARSED_CHARS]
    found = re.search(_COMMIT, command)
    if found is None:
        return ""
    rest = command[found.end() :]
    quote = rest[:1]
    if quote in {"'", '"'}:
        rest = rest[1:]
        heredoc = re.match(_HEREDOC, rest) if quote == '"' else None
        rest = rest[heredoc.end() :] if heredoc else rest.partition(quote)[0]
        return rest.lstrip().partition("\n")[0].strip()
    return re.split(r"[\s;&|]", rest, maxsplit=1)[0]
