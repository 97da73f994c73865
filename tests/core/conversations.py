"""An archive in a throwaway data folder, and what the index makes of it; for the tests of the conversations' index."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from memories.core import conversation_index, mirror, paths, turn_ids, turn_rows, words
from tests.core.transcript_lines import SESSION, Script

MAIN = SESSION + ".jsonl"


def new_folder(root: str | os.PathLike[str]) -> paths.DataFolder:
    """A data folder with an empty mirror."""
    folder = paths.DataFolder(os.path.join(root, "memory"))
    mirror.update(folder)
    return folder


def talk(*told: str, session: str = SESSION) -> Script:
    """The user and Claude in turns."""
    script = Script("/proj", session)
    for number, text in enumerate(told):
        if number % 2:
            script.answer(text)
        else:
            script.user(text)
    return script


def put(folder: paths.DataFolder, data: bytes, name: str = MAIN, *, mtime: int | None = None) -> Path:
    """Write an archived transcript. mtime: Unix seconds; None: now."""
    path = Path(folder.transcripts, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def select(folder: paths.DataFolder, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(mirror.connect(folder.mirror)) as connection:
        return connection.execute(sql, values).fetchall()


def turns(folder: paths.DataFolder) -> list[tuple[Any, ...]]:
    """Every turn in order: (path, position, line, offset, role, time, branch, is_sidechain, text)."""
    return select(
        folder,
        f"SELECT path, (turn.id >> {turn_ids.CLASS_BITS}) & 0xffffff, line, offset, role, time, turn.branch, "
        f"is_sidechain, text FROM turn JOIN session ON session.id = turn.id >> {turn_ids.SESSION_SHIFT} "
        "ORDER BY path, turn.id",
    )


def texts(folder: paths.DataFolder, name: str | None = None) -> list[str]:
    """The turns' texts, of one file or of all, by path and position."""
    return [turn[-1] for turn in turns(folder) if name is None or turn[0] == name]


def update(folder: paths.DataFolder, **options: Any) -> conversation_index.IndexResult:
    """An update, after which the index must be sound."""
    result = conversation_index.update(folder, **options)
    check(folder)
    return result


def check(folder: paths.DataFolder) -> None:
    """The index holds the terms of its turns and nothing else, and every session's figures are its turns'."""
    with closing(mirror.connect(folder.mirror)) as connection:
        connection.execute("INSERT INTO turn_fts (turn_fts) VALUES ('integrity-check')")
        rows = connection.execute("SELECT id, text, time FROM turn ORDER BY id").fetchall()
        assert _terms(connection) == _fresh_terms(rows)
        figures: dict[int, tuple[int, int]] = {}
        for row_id, text, _ in rows:
            session, count = row_id >> turn_ids.SESSION_SHIFT, len(words.split(text))
            assert row_id & turn_ids.CLASS_MASK == turn_ids.length_class(count)
            position = (row_id - turn_ids.session_range(session)[0]) >> turn_ids.CLASS_BITS
            before = figures.get(session, (0, 0))
            assert position == before[0], "positions are consecutive"
            figures[session] = (before[0] + 1, before[1] + count)
        said = connection.execute("SELECT id, turns, words FROM session").fetchall()
        assert {session: (turns, words) for session, turns, words in said if turns} == figures


def _terms(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.v USING fts5vocab('main', 'turn_fts', 'instance')")
    return sorted(connection.execute("SELECT * FROM temp.v"))


def _fresh_terms(rows: list[tuple[int, str, int | None]]) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE turn_fts USING fts5 (text, extra, tokenize = 'porter unicode61')")
        connection.executemany(
            "INSERT INTO turn_fts (rowid, text, extra) VALUES (?, ?, ?)",
            [(row_id, text, turn_rows.extra_of(text, time)) for row_id, text, time in rows],
        )
        return _terms(connection)
