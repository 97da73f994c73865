"""Taking what was deleted out of the mirror's files too: SQLite only marks it as free, and FTS5 only as deleted."""

from __future__ import annotations

import sqlite3

_TEXT_INDEXES = ("memory_fts", "turn_fts")


def scrub(connection: sqlite3.Connection) -> bool:
    """Leave nothing readable of deleted or changed rows in memory.db and memory.db-wal.

    connection: to a mirror, in autocommit mode (mirror.connect), with no transaction open. The text indexes are merged
    into one piece each, which drops the words of deleted rows, the file is written anew without free pages, and the
    log emptied. Costs about as much as copying the file; needs as much free space as it has, twice.

    False where another process's reading kept the log from being emptied: call it again later, as after every sqlite3
    error (locked, full), which are raised; the rows themselves are whole in any case.
    """
    connection.execute("PRAGMA secure_delete = ON")
    for name in _TEXT_INDEXES:
        connection.execute(f"INSERT INTO {name} ({name}) VALUES ('optimize')")
    connection.execute("VACUUM")
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
