"""Writing the conversations' rows: sessions, turns and their index entries, each transaction whole."""

from __future__ import annotations

import os
import sqlite3

from memories.core import projects, turn_rows, words
from memories.core.mirror_rows import clean
from memories.core.transcripts import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.turn_rows import TurnRow

_STATE = "id, turns, words, repeats, read_bytes, read_lines, read_turns, read_mark, branch, started_at, ended_at"
_KEYS_AT_ONCE = 500


class Reading:
    """One file while it is read: what the mirror knows of it, and the rows that were read since.

    size, mtime_ns, problem: as session has them. rows: to be written. read_bytes, read_lines, read_mark: where reading
    goes on another time. is_complete: rows hold the last row of the file, with which reading goes on.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.path = path
        self.rows: list[TurnRow] = []
        self.size = self.mtime_ns = 0
        self.problem: str | None = None
        self.from_start = False
        self.is_complete = True
        known = connection.execute(f"SELECT {_STATE} FROM session WHERE path = ?", (path,)).fetchone()
        state = known or (None, 0, 0, 0, 0, 0, 0, 0, None, None, None)
        self.id: int | None = state[0]
        self.turns, self.words, self.repeats = state[1:4]
        self.read_bytes, self.read_lines, self.read_turns, self.read_mark = state[4:8]
        self.branch, self.started_at, self.ended_at = state[8:11]

    @property
    def session_id(self) -> str:
        """The session that the file belongs to."""
        return self.path.partition("/")[0].removesuffix(SUFFIX)

    @property
    def part(self) -> str:
        """The stem of a file beside a session's own; "" for that one."""
        return os.path.basename(self.path).removesuffix(SUFFIX) if "/" in self.path else ""

    def start_over(self) -> None:
        """The file is another than the one that was read: all that is known of it goes."""
        self.from_start = True
        self.turns = self.words = self.repeats = 0
        self.read_bytes = self.read_lines = self.read_turns = self.read_mark = 0
        self.branch = self.started_at = self.ended_at = None

    def stop_at(self, row: TurnRow, mark: int) -> None:
        """Reading will go on with that row, which is the last of rows or the one after them."""
        self.read_bytes, self.read_lines, self.read_mark = row.offset, row.line - 1, mark
        self.is_complete = bool(self.rows) and row is self.rows[-1]

    def go_on(self) -> None:
        """Rows were written in the middle of the file; the next ones follow."""
        self.rows = []
        self.from_start = False

    def columns(self) -> tuple[object, ...]:
        """The values of _COLUMNS. In the middle of a file, a size of -1 says that there is more."""
        return (
            self.path, self.session_id, self.part, self.branch, self.started_at, self.ended_at, self.turns, self.words,
            self.repeats, self.size if self.is_complete else -1, self.mtime_ns, self.read_bytes, self.read_lines,
            self.read_turns, self.read_mark, self.problem,
        )  # fmt: skip


_COLUMNS = (
    "path, session_id, part, branch, started_at, ended_at, turns, words, repeats, size, mtime_ns, read_bytes, "
    "read_lines, read_turns, read_mark, problem"
)
_UPSERT = (
    f"INSERT INTO session ({_COLUMNS}) VALUES ({', '.join('?' * 16)}) ON CONFLICT (path) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
)


def write(connection: sqlite3.Connection, readings: list[Reading]) -> int:
    """Write what was read, in one transaction; returns how many turns were added.

    Messages that another file has already are counted as repeats. Raises sqlite3.Error, with nothing written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        added = sum(_write_one(connection, reading) for reading in sorted(readings, key=lambda one: one.id or 1 << 62))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return added


def _write_one(connection: sqlite3.Connection, reading: Reading) -> int:
    if reading.id is not None:
        first = 0 if reading.from_start else reading.read_turns
        gone, gone_words = _delete_turns(connection, reading.id, first)
        if not reading.from_start:
            reading.turns -= gone
            reading.words -= gone_words
    else:
        cursor = connection.execute(_UPSERT, reading.columns())
        reading.id = cursor.lastrowid
    turns, indexed = _rows_to_insert(connection, reading)
    connection.executemany("INSERT INTO turn VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", turns)
    connection.executemany("INSERT INTO turn_fts (rowid, text, extra) VALUES (?, ?, ?)", indexed)
    connection.execute(_UPSERT, reading.columns())
    return len(turns)


def _rows_to_insert(
    connection: sqlite3.Connection, reading: Reading
) -> tuple[list[tuple[object, ...]], list[tuple[int, str, str]]]:
    """The rows of turn and of turn_fts, those that repeat others left out; counts and places are noted in reading."""
    assert reading.id is not None
    repeated = _present(connection, [row.key for row in reading.rows if row.key is not None])
    turns: list[tuple[object, ...]] = []
    indexed: list[tuple[int, str, str]] = []
    position = reading.read_turns
    skipped: tuple[int, str] | None = None
    offset = -1
    for row in reading.rows:
        if row.offset != offset:
            offset, reading.read_turns = row.offset, position
        if row.key in repeated or (row.key is None and skipped == (row.line, row.role)):
            reading.repeats += row.key is not None
            skipped = (row.line, row.role)
            continue
        skipped = None
        if row.key is not None:
            repeated.add(row.key)
        text = clean(row.text)
        found = row.words()
        row_id = turn_rows.turn_id(reading.id, position, len(found))
        reading.branch = reading.branch or row.branch
        branch = row.branch if row.branch != reading.branch else None
        turns.append((row_id, row.line, row.offset, row.role, row.time, branch, row.key, int(row.is_sidechain), text))
        indexed.append((row_id, text, turn_rows.extra(text, row.time, found)))
        if row.time is not None:
            reading.started_at = min(row.time, reading.started_at or row.time)
            reading.ended_at = max(row.time, reading.ended_at or row.time)
        reading.turns += 1
        reading.words += len(found)
        position += 1
    if not reading.is_complete:
        reading.read_turns = position
    return turns, indexed


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


def _delete_turns(connection: sqlite3.Connection, session: int, first: int) -> tuple[int, int]:
    """Take a session's turns from a position on out of the index; (how many, how many words they had)."""
    low, high = turn_rows.turn_id(session, first, 0), turn_rows.session_range(session)[1]
    rows = connection.execute("SELECT id, text, time FROM turn WHERE id BETWEEN ? AND ?", (low, high)).fetchall()
    connection.executemany(
        "INSERT INTO turn_fts (turn_fts, rowid, text, extra) VALUES ('delete', ?, ?, ?)",
        [(row_id, text, turn_rows.extra(text, time)) for row_id, text, time in rows],
    )
    connection.execute("DELETE FROM turn WHERE id BETWEEN ? AND ?", (low, high))
    return len(rows), sum(len(words.split(text)) for _, text, _ in rows)


def remove(connection: sqlite3.Connection, paths: list[str]) -> set[str]:
    """Take files out of the index; returns those and the files that are to be read anew, because they repeat messages
    which one of these may have held."""
    marks = ", ".join("?" * len(paths))
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = connection.execute(
            f"SELECT id, path FROM session WHERE path IN ({marks}) OR repeats > 0", paths
        ).fetchall()
        for session, _ in found:
            _delete_turns(connection, session, 0)
            connection.execute("DELETE FROM session WHERE id = ?", (session,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return {path for _, path in found}


def refresh_projects(connection: sqlite3.Connection) -> int:
    """Give every session the project that its log names (a log may be written or arrive after the transcript was read).

    Returns how many sessions changed.
    """
    changed = []
    rows = connection.execute(
        "SELECT session.id, session.project, session.project_id, memory.project, memory.project_id FROM session "
        "JOIN memory ON memory.session_id = session.session_id AND memory.type = 'session_log'"
    )
    for session, project, project_id, named, named_id in rows:
        if (project, project_id) != (named, named_id):
            changed.append((named, projects.fold_name(named) if named else None, named_id, session))
    if changed:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE session SET project = ?, project_key = ?, project_id = ? WHERE id = ?", changed)
        connection.execute("COMMIT")
    return len(changed)
