"""Citations in a narrative: `[<session id>:<line>]`, and whether the archive has what they name."""

from __future__ import annotations

import os
import re

from memories.core import archived_sessions, budget, line_places
from memories.core.errors import TranscriptError, TranscriptGoneError
from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

_NUMBER = r"L?\d{1,12}(?![\w:])"
LINES = rf"{_NUMBER}(?: *[-–] *{_NUMBER})?"
"""A line, or a range of lines, of a place."""

_PLACE = (
    r"(?P<session>[0-9a-fA-F]{6,8}(?:-[0-9a-fA-F-]{0,28})?(?:/[A-Za-z0-9_-]{1,200})?): ?"
    rf"(?P<lines>{LINES}(?: *, *{LINES})*)"
)
_UNNAMED = _PLACE.replace("?P<session>", "?:").replace("?P<lines>", "?:")
PLACE = lazy(_PLACE)
CITATION = lazy(rf"\[`?{_UNNAMED}(?: *[,;] *{_UNNAMED})*`?\]")
"""`[<session id or its first 6+ characters>:<line>]`, also `:12, 40]`, `:12-40]`, `:L12]`; `<id>/agent-x` for a
subagent's; several in one pair of brackets are divided by `;` or `,`."""


class Fault:
    """A citation that the archive does not bear out. text: as written; reason: why not, a clause."""

    __slots__ = ("reason", "text")

    def __init__(self, text: str, reason: str) -> None:
        self.text = text
        self.reason = reason


def without_citations(text: str) -> str:
    """A text without its citations: they say where something was said, not what."""
    return CITATION.sub(" ", text)


def cited(content: str) -> dict[str, list[tuple[str, int]]]:
    """The citations of a narrative outside blocks of code: as written -> (session as named, greatest line) of each of
    its places."""
    found: dict[str, list[tuple[str, int]]] = {}
    fence = ""
    for line in content.splitlines():
        mark = line.strip()[:3]
        if mark in budget.FENCES and fence in {"", mark}:
            fence = "" if fence else mark
        for one in CITATION.finditer("" if fence else line):
            found[one[0]] = [(place["session"], _greatest(place["lines"])) for place in PLACE.finditer(one[0])]
    return found


def _greatest(lines: str) -> int:
    numbers = [int(number) for number in re.findall(r"\d+", lines)]
    return 0 if 0 in numbers else max(numbers)  # lines count from 1


def faults(folder: DataFolder, content: str) -> list[Fault]:
    """The citations whose session is not archived or not certain, or whose line is not in it; in their order.

    Those of sessions that were forgotten or let go are none: they stay as they are. Each cited file is read once at
    most, no further than to the greatest line that is asked for, in pieces.
    """
    citations = cited(content)
    paths: dict[str, str] = {}  # session as named -> file
    reasons: dict[str, str] = {}
    greatest: dict[str, int] = {}
    for session, line in (place for places in citations.values() for place in places):
        if session not in paths and session not in reasons:
            try:
                paths[session] = archived_sessions.find(folder, session).path
            except TranscriptGoneError:
                reasons[session] = ""
            except TranscriptError as error:
                reasons[session] = str(error)
        if session in paths:
            greatest[paths[session]] = max(line, greatest.get(paths[session], 0))
    there = {path: _lines(path, line) for path, line in greatest.items()}
    found = []
    for text, places in citations.items():
        wrong = [
            reasons[session] if session in reasons else _beyond(line, there[paths[session]]) for session, line in places
        ]
        reason = " ".join(dict.fromkeys(filter(None, wrong)))
        if reason:
            found.append(Fault(text, reason))
    return found


def _beyond(line: int, last: int) -> str:
    if line < 1:
        return "Lines count from 1."
    return "" if line <= last else f"That session has no line {line}: its lines are 1 to {last}."


def _lines(path: str, wanted: int) -> int:
    """How many lines a file has, counted no further than to the one that is wanted; 0 when it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return line_places.offset_of(fd, max(wanted, 1))[0]
    except OSError:
        return 0
    finally:
        os.close(fd)
