"""The mirror's file, opened: what readers and writers of it have in common."""

from __future__ import annotations

import os
import sqlite3

BUSY_SECONDS = 5.0
"""How long to wait for another process that writes."""


def opened(path: str, busy_seconds: float = BUSY_SECONDS, mode: str = "rw") -> sqlite3.Connection:
    """A connection to a database, of whatever version, in autocommit mode. mode: that of SQLite's file: URIs.

    In a folder that takes no file, one that is whole by itself (no -wal) is read as it is: SQLite could not make the
    shared memory that it reads by otherwise. Raises sqlite3.Error.
    """
    # quote() of urllib would cost a hot hook 10 ms; only these three characters mean something in a file: URI.
    escaped = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    if not os.access(os.path.dirname(path), os.W_OK) and os.path.exists(path) and not os.path.exists(f"{path}-wal"):
        mode = "ro&immutable=1"
    connection = sqlite3.connect(f"file:{escaped}?mode={mode}", uri=True, timeout=busy_seconds, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
