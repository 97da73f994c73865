"""The mirror: records/ -> SQLite + FTS5 (schema.sql). Derived, disposable, rebuilt from the files at any time.

mirror_scan.py finds what changed. One process at a time updates (flock on state/mirror.lock); readers take no lock:
every update and rebuild is one transaction. A damaged file is removed and made again; a database of another version is
emptied and filled again in place, so that other processes' connections stay valid.
"""

from __future__ import annotations

import os
import sqlite3
import time

from memories.core import files, mirror_file, mirror_scan, mirror_schema, paths, records, redaction
from memories.core.errors import InvalidRecordError, MirrorUnavailableError, StorageError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

MIRROR_VERSION = paths.MIRROR_VERSION

BUSY_SECONDS = mirror_file.BUSY_SECONDS
DELETED = mirror_scan.DELETED

WAITING_COPY = "a file sync's copy of this record, waiting to be merged: run `llm-memory sync`"
"""The problem of a copy that the next sync merges; every other problem is one that it cannot solve."""

CHECK_EVERY = 32
"""Records read between two looks at the clock, where a deadline is given."""

_DAMAGED = ("malformed", "not a database", "disk image", "no such table", "no such column", "corrupt", "disk i/o")


_ROOM_BYTES = 100_000
"""SQLite takes 32 KB for `-shm` as soon as it opens a mirror, and a page or two of `-wal` with the first write."""


class UpdateResult:
    """What an update did. Counts of records added, changed and removed; skipped: (file name, reason); complete: whether
    every entry was looked at before the deadline; rebuilt: whether the mirror was made anew."""

    __slots__ = ("added", "changed", "complete", "rebuilt", "removed", "revived", "skipped", "total")

    def __init__(self) -> None:
        self.added = self.changed = self.removed = self.total = 0
        self.skipped: list[tuple[str, str]] = []
        self.revived: list[str] = []
        self.complete = True
        self.rebuilt = False


def connect(
    path: str, *, busy_seconds: float = BUSY_SECONDS, read_only: bool = False, redactor: Redactor | None = None
) -> sqlite3.Connection:
    """A connection to an existing mirror of this version, in autocommit mode; never creates a file.

    read_only: SQLite refuses every write. redactor: with which its rows must have been made; None: that of the last
    update will do. Raises MirrorUnavailableError when it is missing, damaged, of another version or other rules.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = mirror_file.opened(path, busy_seconds, "ro" if read_only else "rw")
        is_ours = connection.execute("PRAGMA user_version").fetchone() == (MIRROR_VERSION,)
        is_usable = is_ours and (redactor is None or _made_with(connection, redactor))
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise MirrorUnavailableError(f"The index {path} cannot be opened ({error}): run `llm-memory sync`.") from error
    if not is_usable:
        connection.close()
        raise MirrorUnavailableError("The index is of another version or still being built: run `llm-memory sync`.")
    return connection


def check_rules(connection: sqlite3.Connection, redactor: Redactor) -> None:
    """Raise MirrorUnavailableError where the rows were made with other rules or patterns than a redactor's."""
    if not _made_with(connection, redactor):
        raise MirrorUnavailableError("The index is made anew for other redaction settings: run `llm-memory sync`.")


def _made_with(connection: sqlite3.Connection, redactor: Redactor) -> bool:
    """Whether the rows were made with that redactor's rules and patterns: `PRAGMA application_id` says with which."""
    fingerprint: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return fingerprint == redactor.fingerprint


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an SQLite error says that the file is broken (to be made again) rather than locked or full."""
    return isinstance(error, sqlite3.DatabaseError) and any(word in str(error).lower() for word in _DAMAGED)


def update(
    folder: DataFolder,
    *,
    wait_seconds: float = 0.0,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    rebuild: bool = False,
    trust_above: int | None = None,
) -> UpdateResult:
    """Bring the mirror up to date with records/; rebuild it where missing, damaged, of another version, made with
    other rules or patterns of redaction, or asked for.

    wait_seconds: how long to wait for another process that updates. deadline: a time.monotonic() value after which the
    result is left incomplete (never the mirror inconsistent). trust_above: with more records than this, an unchanged
    mtime of the folders stands for unchanged files: nothing was made, renamed or removed, and only an edit in place,
    which none of our writers and no file sync makes, waits for the next full scan. progress(done, total) is called
    as files are read. Raises LockTimeoutError, StorageError.
    """
    if not os.path.isdir(folder.state):
        folder.create()
    if os.path.isdir(folder.mirror):
        raise StorageError(f"{folder.mirror} is a folder where the index belongs: move it away, then run sync.")
    with FileLock(os.path.join(folder.state, "mirror.lock"), wait_seconds):
        try:
            return _update_locked(folder, deadline, progress, rebuild, trust_above)
        except sqlite3.Error as error:
            if not is_damage(error) or is_full(folder.root):
                raise StorageError(
                    f"The index cannot be written ({error}). Check free space, then run sync."
                ) from error
            _remove(folder.mirror)
        try:
            return _update_locked(folder, deadline, progress, True, None)
        except sqlite3.Error as error:
            raise StorageError(f"The index cannot be built ({error}). Check free space, then run sync.") from error


def is_full(place: str) -> bool:
    """Whether a disk has no room for SQLite's shared memory and log: its error is then that of a broken file, too.

    place: a folder on it. Raises OSError where it is not there.
    """
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize < _ROOM_BYTES


def _remove(path: str) -> None:
    for suffix in ("-wal", "-shm", ""):
        files.remove_quietly(path + suffix)


def _make_private(path: str) -> None:
    """Make the mirror's file before SQLite does, which would leave its mode to the umask and give -wal and -shm the
    same. One that is there is not opened: closing it again would drop the locks of this process's connections."""
    if os.path.islink(path) and not os.path.exists(path):
        files.remove_quietly(path)  # a link to nothing, where SQLite could make no file
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if os.stat(path).st_mode & 0o177:
            try:
                os.chmod(path, 0o600)
            except OSError:
                pass  # another's, or a file system without modes: SQLite says whether it can be used
    except OSError:
        pass  # SQLite says why


def _update_locked(
    folder: DataFolder,
    deadline: float | None,
    progress: Callable[[int, int], None] | None,
    rebuild: bool,
    trust_above: int | None,
) -> UpdateResult:
    _make_private(folder.mirror)
    connection = mirror_file.opened(folder.mirror, mode="rwc")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        redactor = redaction.of(folder)
        fresh = rebuild or version != MIRROR_VERSION or not _made_with(connection, redactor)
        if fresh:
            connection.execute("PRAGMA journal_mode = WAL")
            deadline = None  # a half-built mirror would answer as if it were whole
        result = UpdateResult()
        result.rebuilt = fresh
        mtimes = mirror_scan.folder_mtimes(folder)
        trusted = not fresh and trust_above is not None and mirror_scan.unchanged(connection, mtimes, trust_above)
        changes = mirror_scan.dirty(connection) if trusted else mirror_scan.scan(folder, None if fresh else connection)
        if fresh or changes:
            _write(connection, _Source(folder, redactor), changes, result, _Pace(deadline, progress, len(changes)))
        if not trusted and result.complete:
            mirror_scan.note_mtimes(connection, mtimes)
        result.total = connection.execute("SELECT count(*) FROM memory").fetchone()[0]
        result.skipped = problems(connection)
        return result
    finally:
        connection.close()


class _Source:
    """Where rows come from: the data folder, and what its secrets are taken out with."""

    __slots__ = ("folder", "redactor")

    def __init__(self, folder: DataFolder, redactor: Redactor) -> None:
        self.folder = folder
        self.redactor = redactor


def _write(
    connection: sqlite3.Connection, source: _Source, changes: list[str], result: UpdateResult, pace: _Pace
) -> None:
    """Apply the changes in one transaction, onto empty tables where the result says rebuilt."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if result.rebuilt:
            mirror_schema.create(connection)
        mirror_scan.forget_listing(connection)
        _apply(connection, source, changes, result, pace)
        if result.rebuilt:
            connection.execute("INSERT INTO memory_fts (memory_fts) VALUES ('rebuild')")
            mirror_schema.create_triggers(connection)
            connection.execute(f"PRAGMA user_version = {MIRROR_VERSION}")
            connection.execute(f"PRAGMA application_id = {source.redactor.fingerprint}")
            redaction.note_patterns(source.folder)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class _Pace:
    """Reports progress and says when the time is up."""

    def __init__(self, deadline: float | None, progress: Callable[[int, int], None] | None, total: int) -> None:
        self._deadline, self._progress, self._total = deadline, progress, total

    def over(self, done: int) -> bool:
        if done % CHECK_EVERY == 0 or done == self._total:
            if self._progress:
                self._progress(done, self._total)
            return self._deadline is not None and time.monotonic() > self._deadline
        return False


def _apply(
    connection: sqlite3.Connection, source: _Source, names: list[str], result: UpdateResult, pace: _Pace
) -> None:
    for done, name in enumerate(names, 1):
        _apply_file(connection, source, name, result)
        if pace.over(done) and done < len(names):
            result.complete = False
            return


def _apply_file(connection: sqlite3.Connection, source: _Source, name: str, result: UpdateResult) -> None:
    """Read one entry of records/ and make the mirror say what it says."""
    from memories.core import mirror_rows  # not needed, so not imported, when nothing changed

    folder = source.folder
    uuid = name.removesuffix(".json")
    path = os.path.join(folder.records, name)
    started = time.time_ns()
    record: dict[str, Any] | None = None
    problem: str | None = None
    found: os.stat_result | None = None
    try:
        if not (name.endswith(".json") and records.is_uuid(uuid)):
            found = os.lstat(path)
            problem = _name_problem(path, name)
        else:
            data, found = records.read_file(path)
            record = records.parse(data, uuid)
            redaction.record(record, source.redactor)
    except FileNotFoundError:
        connection.execute("DELETE FROM source_file WHERE name = ?", (name,))
        result.removed += mirror_rows.forget(connection, uuid)
        return
    except InvalidRecordError as error:
        problem = str(error)
        found = _stat(path)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    if record is not None:
        grave = records.tombstone(folder, uuid)
        if grave is not None and records.stays_deleted(record, grave):
            record, problem = None, DELETED
        elif grave is not None:
            result.revived.append(uuid)
    _note_file(connection, name, found, started, source.redactor.text(problem) if problem else problem)
    if record is None:
        if records.is_uuid(uuid):
            result.removed += mirror_rows.forget(connection, uuid)
    elif mirror_rows.write_row(connection, record, fresh=result.rebuilt):
        result.added += 1
    else:
        result.changed += 1


def _name_problem(path: str, name: str) -> str:
    """Why a file that is not called like a record is not in the mirror."""
    from memories.core import copies  # few folders hold one

    uuid = copied_record(copies.original_name(name))
    if uuid is None:
        return "its name is not <32 hex digits>.json"
    return copy_problem(path, uuid) or WAITING_COPY


def copied_record(original: str | None) -> str | None:
    """The uuid of the record whose file has that name; None where it is no record's."""
    uuid = (original or "").removesuffix(".json")
    return uuid if f"{uuid}.json" == original and records.is_uuid(uuid) else None


def copy_problem(path: str, uuid: str, *, is_tombstone: bool = False) -> str:
    """Why a file sync's copy of a record, or of its tombstone, cannot be merged; "" when it can."""
    parse = records.parse_tombstone if is_tombstone else records.parse
    try:
        parse(records.read_file(path)[0], uuid)
    except FileNotFoundError:
        return ""  # merged meanwhile
    except InvalidRecordError as error:
        return f"a copy that cannot be merged: {error}"
    except OSError as error:
        return f"a copy that cannot be read: {error.strerror}"
    return ""


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None  # gone meanwhile: the next scan sees that


def _note_file(
    connection: sqlite3.Connection, name: str, found: os.stat_result | None, now_ns: int, problem: str | None
) -> None:
    racy = found is None or now_ns - found.st_mtime_ns < mirror_scan.RACY_NS
    connection.execute(
        "INSERT INTO source_file (name, mtime_ns, size, problem) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "mtime_ns = excluded.mtime_ns, size = excluded.size, problem = excluded.problem",
        (
            name.encode("utf-8", "replace").decode(),
            0 if racy or found is None else files.mtime_ns(found),
            found.st_size if found else 0,
            problem,
        ),
    )


def apply_records(folder: DataFolder, uuids: list[str], *, busy_seconds: float = BUSY_SECONDS) -> None:
    """Bring the rows of just-written records up to date at once, without a scan.

    Raises MirrorUnavailableError; the records are stored all the same, and the next update repairs the mirror.
    """
    connection = connect(folder.mirror, busy_seconds=busy_seconds)
    try:
        connection.execute("BEGIN IMMEDIATE")
        mirror_scan.forget_listing(connection)
        source = _Source(folder, redaction.of(folder))
        for uuid in uuids:
            _apply_file(connection, source, uuid + ".json", UpdateResult())
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise MirrorUnavailableError(f"The index is busy or damaged ({error}); the next sync repairs it.") from error
    finally:
        connection.close()


def problems(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Entries of records/ that are not in the mirror, with the reason: (file name, reason), by name."""
    rows = connection.execute("SELECT name, problem FROM source_file WHERE problem IS NOT NULL ORDER BY name")
    return [(name, problem) for name, problem in rows]
