"""One moment of another program's SQLite database, which that program may be writing to.

It is read in place, under SQLite's own locks, where that leaves no file beside it; otherwise from a private copy, in
which what a killed program had not committed is rolled back. The database itself is never written to.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import ExitStack, contextmanager

from memories.core import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"SQLite format 3\0"
"""What a database begins with (SQLite's "Database File Format", 1.3)."""

BUSY_SECONDS = 5.0
"""How long a program that has locked the database is waited for."""

TRIES = 5
PAUSE_SECONDS = 0.2
"""How often, and how long apart, a copy is tried of a database that changes meanwhile."""

_ENDINGS = ("", "-wal", "-journal")
"""The files that are a database together. The -shm is derived from the -wal."""

_ROLLBACK_MODE = b"\x01\x01"
_MODE = slice(18, 20)
"""Where the header says whether there is a log ("Database File Format", 1.3.3)."""

COPIES = "llm-memory-import-"
"""How the temporary folders of copies begin."""


class BusyError(Exception):
    """The program that has the database does not leave it alone for long enough."""


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """A connection to an SQLite database, in a transaction: whatever is read is of one moment.

    Raises BusyError, sqlite3.Error (no database, or a damaged one) and OSError.
    """
    with ExitStack() as stack:
        yield _connection(path, stack)


def _connection(path: str, stack: ExitStack) -> sqlite3.Connection:
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        connection = _in_place(path) if _leaves_nothing(path) else None
        if connection is None and (copy := _copy(path, stack)):
            connection = _begun(f"file:{_escaped(copy)}?mode=rw")
        if connection is not None:
            stack.callback(connection.close)
            return connection
    raise BusyError("it changes all the time")


def _leaves_nothing(path: str) -> bool:
    """Whether SQLite makes no file beside the database when it reads it: for a log it makes a -wal and a -shm."""
    with files.open_plain(path) as file:
        mode = file.read(_MODE.stop)[_MODE]
    log = os.path.lexists(path + "-wal")
    return (mode == _ROLLBACK_MODE and not log) or (log and os.path.lexists(path + "-shm"))


def _in_place(path: str) -> sqlite3.Connection | None:
    """The database itself; None where SQLite cannot read it without writing: a killed program's journal is there, the
    log's index went away, or its folder knows no locks."""
    try:
        # readonly_shm: not even the log's index is written to, nor made where it just went away.
        return _begun(f"file:{_escaped(path)}?mode=ro&readonly_shm=1")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise BusyError(str(error)) from error
        return None


def _begun(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read is the moment
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _copy(path: str, stack: ExitStack) -> str:
    """A copy that only this user can read, removed with the stack; "" where something changed while it was made."""
    place = tempfile.mkdtemp(prefix=COPIES)
    copies = stack.enter_context(ExitStack())
    copies.callback(shutil.rmtree, place, ignore_errors=True)
    copy = os.path.join(place, "copy.db")
    before = _state(path)
    for ending, found in zip(_ENDINGS, before, strict=True):
        if found is not None:
            try:
                with files.open_plain(path + ending) as source, open(copy + ending, "xb") as target:
                    shutil.copyfileobj(source, target)
            except FileNotFoundError:
                break  # gone since: _state sees it
    if _state(path) == before:
        return copy
    copies.close()
    return ""


def _state(path: str) -> list[tuple[int, int, int, int] | None]:
    """What tells that one of the files changed; None for each that is not there."""
    found: list[tuple[int, int, int, int] | None] = []
    for ending in _ENDINGS:
        try:
            status = os.stat(path + ending)
            found.append((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        except FileNotFoundError:
            found.append(None)
    return found


def _escaped(path: str) -> str:
    return os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
