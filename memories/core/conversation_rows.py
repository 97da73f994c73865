"""Writing the conversations' rows: sessions, turns and their index entries, each transaction whole."""

from __future__ import annotations

import os
import sqlite3

from memories.core import mirror, turn_ids, words
from memories.core.transcripts import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

    from memories.core.redact import Redactor
    from memories.core.turn_rows import TurnRow

IN_THE_MIDDLE = -1
"""The size of a file that was not read to its end yet."""

_STATE = (
    "id, turns, words, repeats, read_bytes, read_lines, read_turns, read_mark, branch, started_at, ended_at, size, "
    "mtime_ns"
)
_ID = "SELECT id FROM session WHERE path = ?"
_KEYS_AT_ONCE = 500
_TURNS_AT_ONCE = 2000
"""Turns taken out in one transaction: some 0.2 s, in which nothing else can be stored."""


class Reading:
    """One file while it is read: what the mirror knows of it, and the rows that were read since.

    id, turns, words and what follows: as session has them. rows: to be written. read_bytes, read_lines, read_turns:
    where reading goes on another time. marked_bytes: read_mark is of the bytes before it.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.path = path
        self.rows: list[TurnRow] = []
        self.problem: str | None = None
        known = connection.execute(f"SELECT {_STATE} FROM session WHERE path = ?", (path,)).fetchone()
        state: tuple[Any, ...] = known or (None, 0, 0, 0, 0, 0, 0, 0, None, None, None, 0, 0)
        self.id: int | None = state[0]
        self.turns: int = state[1]
        self.words: int = state[2]
        self.repeats: int = state[3]
        self.read_bytes: int = state[4]
        self.read_lines: int = state[5]
        self.read_turns: int = state[6]
        self.read_mark: int = state[7]
        self.branch: str | None = state[8]
        self.started_at: int | None = state[9]
        self.ended_at: int | None = state[10]
        self.size: int = state[11]
        self.mtime_ns: int = state[12]

    @property
    def session_id(self) -> str:
        """The session that the file belongs to."""
        return self.path.partition("/")[0].removesuffix(SUFFIX)

    @property
    def part(self) -> str:
        """The stem of a file beside a session's own; "" for that one."""
        return os.path.basename(self.path).removesuffix(SUFFIX) if "/" in self.path else ""

    @property
    def marked_bytes(self) -> int:
        """Where the bytes end that read_mark is of: with all that was read; in the middle of a file where reading goes
        on."""
        return self.read_bytes if self.size == IN_THE_MIDDLE else self.size

    def stop_at(self, row: TurnRow) -> None:
        """Reading will go on with that row, which is one of rows or the one after them."""
        self.read_bytes, self.read_lines = row.offset, row.line - 1

    def add(self, row: TurnRow, count: int) -> None:
        """A row of so many words becomes one of the session's turns."""
        self.turns += 1
        self.words += count
        self.branch = self.branch or row.branch
        if row.time is not None:
            self.started_at = row.time if self.started_at is None else min(row.time, self.started_at)
            self.ended_at = row.time if self.ended_at is None else max(row.time, self.ended_at)

    def columns(self) -> tuple[object, ...]:
        """The values of _COLUMNS."""
        return (
            self.path, self.session_id, self.part, self.branch, self.started_at, self.ended_at, self.turns, self.words,
            self.repeats, self.size, self.mtime_ns, self.read_bytes, self.read_lines, self.read_turns, self.read_mark,
            self.problem,
        )  # fmt: skip


_COLUMNS = (
    "path, session_id, part, branch, started_at, ended_at, turns, words, repeats, size, mtime_ns, read_bytes, "
    "read_lines, read_turns, read_mark, problem"
)
_UPSERT = (
    f"INSERT INTO session ({_COLUMNS}) VALUES ({', '.join('?' * 16)}) ON CONFLICT (path) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
    + ", cwd = nullif(cwd, '')"
)


class Transaction:
    """One transaction as a context manager: committed whole, or nothing of it where anything is raised."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def write(connection: sqlite3.Connection, readings: list[Reading], redactor: Redactor) -> int:
    """Write what was read, in one transaction; returns how many turns were added, those that were read again left out.

    Messages that another file has already are left out. redactor: with which it was read; a mirror that was made anew
    with other rules since takes nothing of it. Raises sqlite3.Error, MirrorUnavailableError, with nothing written.
    """
    with Transaction(connection):
        mirror.check_rules(connection, redactor)
        return sum(_write_one(connection, reading) for reading in sorted(readings, key=lambda one: one.id or 1 << 62))


def _write_one(connection: sqlite3.Connection, reading: Reading) -> int:
    if reading.id is None:
        connection.execute(_UPSERT, reading.columns())
    session: int | None
    (session,) = connection.execute(_ID, (reading.path,)).fetchone() or (None,)
    if session is None or reading.id not in {None, session}:
        return 0  # the mirror was rebuilt since: what was read before is not in it, so all is to be read again
    reading.id = session
    gone, gone_words = _delete_turns(connection, session, reading.read_turns)
    reading.turns -= gone
    reading.words -= gone_words
    turns, indexed = _rows_to_insert(connection, reading, session)
    connection.executemany("INSERT INTO turn VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", turns)
    connection.executemany("INSERT INTO turn_fts (rowid, text, extra) VALUES (?, ?, ?)", indexed)
    connection.execute(_UPSERT, reading.columns())
    return max(0, len(turns) - gone)  # the last one is read again when its file has grown


def _rows_to_insert(
    connection: sqlite3.Connection, reading: Reading, session: int
) -> tuple[list[tuple[object, ...]], list[tuple[int, str, str]]]:
    """The rows of turn and of turn_fts, those that repeat others left out; counts and places are noted in reading."""
    from memories.core import turn_rows  # where nothing is new, a search does without

    repeated = _present(connection, [row.key for row in reading.rows if row.key is not None])
    written: dict[int, str] = {}
    turns: list[tuple[object, ...]] = []
    indexed: list[tuple[int, str, str]] = []
    position = reading.read_turns
    for whole in _wholes(reading.rows):
        rows, first = whole, whole[0]
        if first.key is not None and (first.key in repeated or first.key in written):
            reading.repeats = 1
            rows = _unrepeated(connection, written, whole)
        if rows and rows[0].key is not None:
            written[rows[0].key] = _joined(rows)
        for row in rows:
            found = row.words()
            row_id = turn_ids.turn_id(session, position, len(found))
            reading.add(row, len(found))
            branch = row.branch if row.branch != reading.branch else None
            turns.append(
                (row_id, row.line, row.offset, row.role, row.time, branch, row.key, row.is_sidechain, row.text)
            )
            indexed.append((row_id, row.text, turn_rows.extra_of(row.text, row.time, found)))
            position += 1
        if first.offset < reading.read_bytes:
            reading.read_turns = position
    return turns, indexed


def _wholes(rows: list[TurnRow]) -> Iterator[list[TurnRow]]:
    """The rows, those together that one text was cut into."""
    whole: list[TurnRow] = []
    for row in rows:
        if whole and (row.key is not None or (row.line, row.role) != (whole[0].line, whole[0].role)):
            yield whole
            whole = []
        whole.append(row)
    if whole:
        yield whole


def _joined(rows: list[TurnRow]) -> str:
    return "".join(row.text for row in rows)


def _unrepeated(connection: sqlite3.Connection, written: dict[int, str], whole: list[TurnRow]) -> list[TurnRow]:
    """What a row whose message is in the index says beyond that: the calls that a fork made after an answer which it
    repeats. They are found again by the message and the first of them. written: texts of this transaction, by key."""
    from memories.core import turn_rows

    row, text = whole[0], _joined(whole)
    key = row.key
    while key is not None and (owned := written.get(key) or _text_of(connection, key)) is not None:
        text = _after_common_lines(text, owned)
        if not text:
            return []
        key = turn_rows.message_key(str(key), row.role, text.partition("\n")[0])
    return turn_rows.rows_of(row, key, text)


def _after_common_lines(text: str, other: str) -> str:
    """The lines of a text after those with which another one begins as well."""
    lines = text.split("\n")
    common = 0
    for line, same in zip(lines, other.split("\n"), strict=False):
        if line != same:
            break
        common += 1
    return "\n".join(lines[common:])


def _text_of(connection: sqlite3.Connection, key: int) -> str | None:
    """The text with that key, joined where it was cut into several rows; None where there is none."""
    sql = "SELECT id, line, role, text FROM turn WHERE uuid_key = ?"
    found = connection.execute(sql, (key,)).fetchone()
    if found is None:
        return None
    row_id, line, role, text = found
    last = turn_ids.session_range(row_id >> turn_ids.SESSION_SHIFT)[1]
    sql = "SELECT uuid_key, line, role, text FROM turn WHERE id > ? AND id <= ? ORDER BY id"
    for other, *where, more in connection.execute(sql, (row_id, last)):
        if other is not None or where != [line, role]:
            break
        text += more
    return str(text)


def _present(connection: sqlite3.Connection, keys: list[int]) -> set[int]:
    """Which of the message keys are in the index."""
    found: set[int] = set()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        found.update(
            key for (key,) in connection.execute(f"SELECT uuid_key FROM turn WHERE uuid_key IN ({marks})", some)
        )
    return found


def _delete_turns(connection: sqlite3.Connection, session: int, first: int, most: int = -1) -> tuple[int, int]:
    """Take a session's turns from a position on out of the index, at most so many of them (-1: all); (how many, how
    many words they had)."""
    from memories.core import turn_rows

    low, high = turn_ids.turn_id(session, first, 0), turn_ids.session_range(session)[1]
    sql = "SELECT id, text, time FROM turn WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"
    rows = connection.execute(sql, (low, high, most)).fetchall()
    connection.executemany(
        "INSERT INTO turn_fts (turn_fts, rowid, text, extra) VALUES ('delete', ?, ?, ?)",
        [(row_id, text, turn_rows.extra_of(text, time)) for row_id, text, time in rows],
    )
    if rows:
        connection.execute("DELETE FROM turn WHERE id BETWEEN ? AND ?", (low, rows[-1][0]))
    return len(rows), sum(len(words.split(text)) for _, text, _ in rows)


def remove(connection: sqlite3.Connection, paths: list[str]) -> set[str]:
    """Take files out of the index, in short transactions; returns those and the files that are to be read anew, because
    they repeat messages which one of these may have held.

    Those go first: whoever finds this half done finds the files that are to be removed, and begins again.
    """
    wanted = set(paths)
    found = connection.execute("SELECT id, path, repeats FROM session").fetchall()
    chosen = [(path in wanted, session, path) for session, path, repeats in found if repeats or path in wanted]
    for _, session, _ in sorted(chosen):
        while _remove_some(connection, session):
            pass
    return {path for _, _, path in chosen}


def _remove_some(connection: sqlite3.Connection, session: int) -> bool:
    """Take so many of a session's turns out; False when it is gone. One that is left half done is read anew: its
    read_mark fits no file."""
    with Transaction(connection):
        gone, _ = _delete_turns(connection, session, 0, _TURNS_AT_ONCE)
        if gone < _TURNS_AT_ONCE:
            connection.execute("DELETE FROM session WHERE id = ?", (session,))
            return False
        connection.execute("UPDATE session SET mtime_ns = 0, read_mark = -1 WHERE id = ?", (session,))
        return True


def note_problem(connection: sqlite3.Connection, path: str, problem: str) -> None:
    """Say why a file cannot be read; what was read of it before stays, and the next update looks again."""
    reading = Reading(connection, path)
    if reading.id is None:
        reading.problem = problem
        connection.execute(_UPSERT, reading.columns())
    else:
        connection.execute("UPDATE session SET mtime_ns = 0, problem = ? WHERE id = ?", (problem, reading.id))
