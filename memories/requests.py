"""The user's requests in an indexed conversation, a few at a time: by their lines, at the cost of what is shown."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass

from memories import selectors
from memories.core import clock, turn_ids
from memories.core.archived_sessions import ArchivedTranscript
from memories.core.files import mtime_ns
from memories.core.line_places import START
from memories.core.paths import DataFolder
from memories.shown_text import plain_line

SHOWN = 25
"""Requests in one part of the outline."""

MAX_STEPS = 3000
"""Turns among which so many are looked for: a session may have one request and 20,000 answers."""

TEXT_CHARS = 90
_READ_CHARS = 300


@dataclass(frozen=True)
class Request:
    """A request. line: its number; text: its beginning on one line; time: a record's time, or ""."""

    line: int
    text: str
    time: str


@dataclass(frozen=True)
class Outline:
    """Some of a conversation's requests in order. earlier: the line before which more may be looked for, later: the
    one from which on; None where there are none."""

    requests: list[Request]
    earlier: int | None
    later: int | None


class IndexedConversation:
    """A conversation in the index. id: its row. is_current: the index was made of the file as it is, so that line
    numbers and offsets fit it. repeats: another session has some of it too, whose requests are listed there alone."""

    def __init__(self, raw: sqlite3.Connection, row: tuple[int, int, int, int], found: ArchivedTranscript) -> None:
        self._raw = raw
        self.id, size, modified, self.repeats = row
        try:
            status = os.lstat(found.path)
            self.is_current = (status.st_size, mtime_ns(status)) == (size, modified)
        except OSError:
            self.is_current = False
        self._first, self._last = turn_ids.session_range(self.id)

    def known_place(self, line: int) -> tuple[int, int]:
        """The place of the turn nearest before a line; the file's start where none is known."""
        turn = self._turn_at(line) if self.is_current else None
        return (turn[1], turn[2]) if turn and turn[1] <= line else START

    def _turn_at(self, line: int) -> tuple[int, int, int] | None:
        """(id, line, offset) of the last turn at or before a line, else of the first one; None where there is none.

        Bisects: row ids are in the order of the lines.
        """
        sql = "SELECT id, line, offset FROM turn WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1"
        best: tuple[int, int, int] | None = self._raw.execute(sql, (self._first, self._last)).fetchone()
        low, high = turn_ids.place(self._first), turn_ids.place(self._last_id())
        while best and low < high:
            middle = (low + high + 1) // 2
            turn = self._raw.execute(sql, (turn_ids.place_range(middle)[0], self._last)).fetchone()
            if turn is not None and turn[1] <= line:
                low, best = middle, turn
            else:
                high = middle - 1
        return best

    def _last_id(self) -> int:
        sql = "SELECT id FROM turn WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
        row = self._raw.execute(sql, (self._first, self._last)).fetchone()
        return int(row[0]) if row else self._first

    def after(self, line: int, count: int = SHOWN) -> Outline:
        """The next requests at or after a line."""
        return self._some(line, count, forwards=True)

    def before(self, line: int, count: int = SHOWN) -> Outline:
        """The last requests before a line."""
        return self._some(line, count, forwards=False)

    def _some(self, line: int, count: int, *, forwards: bool) -> Outline:
        turn = self._turn_at(line if forwards else line - 1)
        if turn is None:
            return Outline([], None, None)
        steps = MAX_STEPS << turn_ids.CLASS_BITS
        near = turn[0] - turn[0] % (1 << turn_ids.CLASS_BITS)
        low, high = (near, min(near + steps, self._last)) if forwards else (max(near - steps, self._first), turn[0])
        order, side = ("", ">=") if forwards else ("DESC", "<")
        rows = self._raw.execute(
            f"SELECT line, substr(text, 1, {_READ_CHARS}), time FROM turn WHERE id BETWEEN ? AND ? AND role = 'user' "
            f"AND line {side} ? ORDER BY id {order} LIMIT ?",
            (low, high, line, count + 1),
        ).fetchall()
        found = [_request(*row) for row in rows]
        if forwards:
            beyond = found[count].line if len(found) > count else self._line_of(high + 1, forwards=True)
            return Outline(found[:count], None, beyond)
        beyond = found[count - 1].line if len(found) > count else self._line_of(low, forwards=False)
        return Outline(found[:count][::-1], beyond, None)

    def _line_of(self, row_id: int, *, forwards: bool) -> int | None:
        """The line of the first turn from a row id on, the line after that of the last one before it; None where there
        is none."""
        if forwards:
            sql, span = "SELECT line FROM turn WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1", (row_id, self._last)
        else:
            sql = "SELECT line FROM turn WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
            span = (self._first, row_id - 1)
        row = self._raw.execute(sql, span).fetchone()
        return int(row[0]) + (not forwards) if row else None


def _request(line: int, text: str, seconds: int | None) -> Request:
    shown = plain_line(text)
    shown = shown if len(shown) <= TEXT_CHARS else shown[:TEXT_CHARS].rstrip() + "…"
    return Request(line, shown, clock.format_time(seconds) if seconds is not None else "")


def indexed(folder: DataFolder, found: ArchivedTranscript) -> IndexedConversation | None:
    """The conversation of a transcript in the index; None when it is not in it. Raises MirrorUnavailableError."""
    raw = selectors.mirror_connection(folder)
    part = found.name.partition("/")[2]
    sql = "SELECT id, size, mtime_ns, repeats FROM session WHERE session_id = ? AND part = ?"
    row = raw.execute(sql, (found.session_id, part)).fetchone()
    return IndexedConversation(raw, row, found) if row else None
