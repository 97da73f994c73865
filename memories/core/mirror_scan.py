"""Which record files changed since the mirror last looked at them.

A scan compares every record file's (mtime_ns, size) with what the last scan saw. A file whose mtime lies within
RACY_NS of the scan is noted as "look again", because a later edit within the same clock tick would not change its mtime
(git's index has the same rule).
"""

from __future__ import annotations

import os
import time

from memories.core import files
from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from memories.core.paths import DataFolder

RACY_NS = 2_000_000_000

DELETED = "deleted: its tombstone in trash/ is newer"
"""The problem of a file that a sync brought back; no trouble."""

FINGERPRINT_ABOVE = 5000
"""Records beyond which a scan first compares the whole listing's fingerprint with that of the last scan that found
nothing changed; below it, comparing each record costs less than importing the hash."""


def folder_mtimes(folder: DataFolder) -> tuple[int, int]:
    """mtimes of records/ and trash/ in ns; 0 for one that is missing or so young that a change might not show in it."""
    mtimes = []
    for path in (folder.records, folder.trash):
        try:
            mtime_ns = os.stat(path).st_mtime_ns
        except OSError:
            mtime_ns = 0
        mtimes.append(mtime_ns if time.time_ns() - mtime_ns >= RACY_NS else 0)
    return mtimes[0], mtimes[1]


def unchanged(connection: sqlite3.Connection, mtimes: tuple[int, int], above: int) -> bool:
    """Whether the folders' mtimes are those of the last scan, where it saw more than so many files."""
    count = connection.execute("SELECT count(*) FROM source_file").fetchone()[0]
    return count > above and 0 not in mtimes and _scanned_mtimes(connection) == mtimes


def _scanned_mtimes(connection: sqlite3.Connection) -> tuple[int, int] | None:
    row: tuple[int, int] | None = connection.execute("SELECT records_mtime_ns, trash_mtime_ns FROM scan").fetchone()
    return row


def note_mtimes(connection: sqlite3.Connection, mtimes: tuple[int, int]) -> None:
    """Keep what folder_mtimes gave before a scan that has looked at every file."""
    if _scanned_mtimes(connection) != mtimes:
        connection.execute("UPDATE scan SET records_mtime_ns = ?, trash_mtime_ns = ?", mtimes)


def forget_listing(connection: sqlite3.Connection) -> None:
    """Before source_file changes: a file put back to an earlier state must not look like the scan that saw it."""
    connection.execute("UPDATE scan SET listing = '' WHERE listing <> ''")


def dirty(connection: sqlite3.Connection) -> list[str]:
    """Files that were too young at the last scan to be trusted."""
    return [name for (name,) in connection.execute("SELECT name FROM source_file WHERE mtime_ns = 0")]


def _known_files(connection: sqlite3.Connection) -> set[tuple[str, int, int]]:
    return set(connection.execute("SELECT name, mtime_ns, size FROM source_file").fetchall())


def scan(folder: DataFolder, connection: sqlite3.Connection | None) -> list[str]:
    """Names in records/ whose file changed, appeared or vanished since the last scan, or that a tombstone concerns.

    connection: to what the last scan saw; None when nothing of it counts. Temp files of dead processes are removed.
    """
    try:
        listing = files.listing(folder.records)
    except FileNotFoundError:
        listing = files.Listing()
    except OSError as error:
        raise StorageError(f"Cannot read {folder.records}: {error.strerror}. Check its permissions.") from error
    files.remove_dead_temp_files(folder.records, listing.hidden)
    try:
        graves = set(os.listdir(folder.trash))
    except OSError:
        graves = set()
    if connection is None:
        return listing.names  # each is read, with its tombstone
    changed = _changed(connection, listing)
    concerned = graves.intersection(listing.names) | _hidden(connection).difference(graves)
    return [*changed, *concerned.difference(changed)] if concerned else changed


def _hidden(connection: sqlite3.Connection) -> set[str]:
    """Names whose tombstone hid their record at the last scan: one that vanished hides it no more."""
    return {name for (name,) in connection.execute("SELECT name FROM source_file WHERE problem = ?", (DELETED,))}


def _changed(connection: sqlite3.Connection, listing: files.Listing) -> list[str]:
    """Names that were changed, made or removed since the last scan; sets, as it runs over every record.

    The fingerprint is noted where nothing was changed: then the listing is what source_file says, young files too.
    """
    fingerprint = listing.fingerprint() if len(listing.names) > FINGERPRINT_ABOVE else ""
    if fingerprint and connection.execute("SELECT listing FROM scan").fetchone() == (fingerprint,):
        return []
    seen, known = listing.states(), _known_files(connection)
    if seen == known:
        if fingerprint:
            connection.execute("UPDATE scan SET listing = ?", (fingerprint,))
        return []
    changed = {name for name, _, _ in seen - known}
    gone = {name for name, _, _ in known - seen} - changed
    return [*gone, *changed]
