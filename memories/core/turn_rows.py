"""What search knows of a transcript: one row for each thing said, with the tool calls that followed it as a line each.

No tool output, no injected context, none of the client's own lines (transcript_items says what a line holds). A row
begins with words of the user's or of Claude's; the tool calls after Claude's words belong to them.
"""

from __future__ import annotations

import time
from functools import lru_cache

from memories.core import clock, conversation, redaction, transcript_items, words
from memories.core.mirror_rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from memories.core.redact import Redactor
    from memories.core.transcript_items import Part

MAX_TOOLS = 20
"""Tool calls in one row; more of them begin another, so that a hit's line stays near what was found."""

MAX_CHARS = 6000
"""Characters in one row; a longer text goes on in another row of the same line."""

_ROLES = frozenset({"user", "assistant", "tool"})
"""Parts of a line that are indexed."""

_OUTPUT = (b'"type":"tool_result"', b'"type": "tool_result"')
_SAID_BESIDE_OUTPUT = (
    b'"answers"', b"The user doesn't want to proceed", b'"type":"text"', b'"type": "text"', b'"type":"assistant"',
    b'"type": "assistant"',
)  # fmt: skip
"""What a line with tool output holds when it may hold somebody's words as well; without it, it is not parsed."""

_THINKING = (b'"type":"thinking"', b'"type": "thinking"')
_SAID_BESIDE_THINKING = (b'"text"', b'"tool_use"')
"""What a line with Claude's thinking holds when it holds more."""


class TurnRow:
    """A row to be: line (1-based), offset (of its first byte), role, time (Unix seconds or None), branch, key (of the
    message, None for a text's further rows and for lines without uuid), is_sidechain (a subagent's), text, tools (how
    many calls are in it). begins_line: False where a call in its line belongs to the row before it, so that the row
    would be another one if reading began with this line."""

    __slots__ = ("begins_line", "branch", "is_sidechain", "key", "line", "offset", "role", "text", "time", "tools")

    def __init__(self, line: int, offset: int, role: str, text: str, entry: dict[str, Any]) -> None:
        self.line = line
        self.offset = offset
        self.role = role
        self.text = text
        self.time = _seconds(entry.get("timestamp"))
        branch = entry.get("gitBranch")
        self.branch = clean(branch) if isinstance(branch, str) and branch and branch != "HEAD" else None
        self.is_sidechain = bool(entry.get("isSidechain"))
        uuid = entry.get("uuid")
        self.key = message_key(uuid, role, text) if isinstance(uuid, str) else None
        self.tools = 0
        self.begins_line = True

    def words(self) -> list[str]:
        """The text's words, as words.split finds them."""
        return words.split(self.text)


def message_key(uuid: str, role: str, text: str) -> int:
    """A signed 64-bit key of a message: equal where a resumed or forked session repeats it. The text is part of it, so
    that ids which somebody numbered anew in each session drop nothing."""
    import hashlib  # where nothing new is indexed, as before most searches, 3 ms are saved

    whole = f"{uuid}\0{role}\0{text}".encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=1024)
def _minute(text: str) -> int | None:
    return clock.parse_time(f"{text}:00")


def _seconds(stamp: object) -> int | None:
    """Unix seconds of a line's time; the client's own form, UTC with milliseconds, without parsing it whole."""
    if isinstance(stamp, str) and stamp.endswith("Z") and stamp[17:19].isdecimal() and stamp[16:17] == ":":
        minute = _minute(stamp[:16])
        return None if minute is None else minute + int(stamp[17:19])
    return clock.parse_time(stamp)


@lru_cache(maxsize=1024)
def _day_words(day: int) -> str:
    return words.date_words(time.strftime("%Y-%m-%d", time.gmtime(day * 86_400)))


def extra_of(text: str, seconds: int | None, found: list[str] | None = None) -> str:
    """What is indexed beside a turn's text: words.extras and its day. The same arguments always give the same."""
    day = "" if seconds is None else _day_words(seconds // 86_400)
    return f"{words.extras(text, found)} {day}".strip()


def iter_rows(
    path: str, start: int, lines_before: int, end: int, redactor: Redactor | None = None
) -> Iterator[TurnRow]:
    """The rows of the lines between two byte offsets (of line beginnings), in the file's order.

    lines_before: how many lines there are before start. redactor: as in conversation.iter_lines. The last row may have
    to be read again when the file has grown: tool calls may follow it. A call whose line stands twice in a row is taken
    once. Raises TranscriptError.
    """
    redactor = redactor or redaction.default()
    row: TurnRow | None = None
    taken: set[str] = set()  # calls in the row's lines, and no more: an update's reading begins with some row
    for number, offset, entry in redaction.batched(_entries(path, start, end), redactor):
        begins_line = True
        calls: list[str] = []
        for part in transcript_items.parts_of(entry):
            call = _call_id(part, entry)
            calls += filter(None, [call])
            if call in taken:
                begins_line = False
            elif part.role == "tool" and row is not None and _takes_call(row, entry):
                row.text += f"\n{part.text}"
                row.tools += 1
                begins_line = begins_line and row.offset == offset
            elif part.role in _ROLES:
                if row is not None:
                    yield from _cut(row)
                role = "user" if part.role == "user" else "assistant"
                row = TurnRow(lines_before + number, offset, role, part.text, entry)
                row.tools = int(part.role == "tool")
                row.begins_line = begins_line
                taken = set()
        taken.update(calls)
    if row is not None:
        yield from _cut(row)


def _entries(path: str, start: int, end: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    for number, offset, line in conversation.raw_lines(path, start, end):
        entry = _entry(line)
        if entry is not None:
            yield number, offset, entry


def _call_id(part: Part, entry: dict[str, Any]) -> str | None:
    """What tells a tool call that the client wrote twice; None for other parts and for lines without uuid."""
    uuid = entry.get("uuid")
    return f"{uuid}\0{part.text}" if part.role == "tool" and isinstance(uuid, str) else None


def _takes_call(row: TurnRow, entry: dict[str, Any]) -> bool:
    """Whether a tool call in a line belongs to the row before it."""
    return row.role == "assistant" and row.tools < MAX_TOOLS and row.is_sidechain == bool(entry.get("isSidechain"))


def _entry(line: bytes) -> dict[str, Any] | None:
    """A line that may hold words or tool calls, parsed; None for all others, most of them unparsed."""
    if not conversation.may_be_read(line):
        return None
    if b'"tool_result"' in line and _holds(line, _OUTPUT):
        if not _holds(line, _SAID_BESIDE_OUTPUT):
            return None
    elif b'"thinking"' in line and _holds(line, _THINKING) and not _holds(line, _SAID_BESIDE_THINKING):
        return None
    return conversation.parse(line)


def _holds(line: bytes, marks: tuple[bytes, ...]) -> bool:
    return any(mark in line for mark in marks)


def rows_of(row: TurnRow, key: int | None, text: str) -> list[TurnRow]:
    """A row like another one with a key and a text of its own, as several where that is longer than MAX_CHARS."""
    other = _piece(row, text)
    other.key = key
    return list(_cut(other))


def _cut(row: TurnRow) -> Iterator[TurnRow]:
    """The row, as several where its text is longer than MAX_CHARS, which join to the whole; cut after white space
    where there is some."""
    text = row.text
    while len(text) > MAX_CHARS:
        space = max(text.rfind(" ", MAX_CHARS // 2, MAX_CHARS), text.rfind("\n", MAX_CHARS // 2, MAX_CHARS))
        cut = space + 1 if space > 0 else MAX_CHARS
        yield _piece(row, text[:cut])
        text = text[cut:]
        row = _piece(row, text)
        row.key = None
    yield row


def _piece(row: TurnRow, text: str) -> TurnRow:
    piece = TurnRow.__new__(TurnRow)
    for name in TurnRow.__slots__:
        setattr(piece, name, getattr(row, name))
    piece.text = text
    return piece
