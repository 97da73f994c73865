"""Forgetting sessions: what the marks in trash/ (forgotten.py) say is carried out, here and wherever they arrive.

The marks come first and are durable, so that whoever dies at any later step leaves work that the next sync finds and
does. What goes by its name goes in enforce(), before anything is merged or indexed; what only the index or a look into
trash/ finds, and what SQLite keeps of deleted rows, goes in finish(), after both halves of the mirror were updated.
"""

from __future__ import annotations

import os
import sqlite3

from memories.core import files, forgotten, records, session_logs, session_place
from memories.core.errors import InvalidRecordError, MirrorUnavailableError, StorageError
from memories.core.forgotten import EXPIRED, FORGOTTEN
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from memories.core.paths import DataFolder

WAIT_SECONDS = 600.0
"""How long forget() waits for another process that merges, indexes records, or indexes conversations."""

_UUID_CHARS = 32
BUSY_SECONDS = 5.0
"""How long cleaning the index's file waits for each other process that writes to it or reads it."""


class Removed:
    """What went. sessions: ids of those of which anything went from transcripts/; logs: files in records/ and trash/;
    left: (path below the data folder, reason) of what could not be removed; is_settled: nothing that the marks stand
    for is left, in the index neither; problem: what kept the index from following, "" for nothing."""

    __slots__ = ("is_settled", "left", "logs", "problem", "sessions")

    def __init__(self) -> None:
        self.sessions: list[str] = []
        self.logs = 0
        self.left: list[tuple[str, str]] = []
        self.is_settled = True
        self.problem = ""


def forget(
    folder: DataFolder,
    session_ids: Iterable[str],
    *,
    wait_seconds: float = WAIT_SECONDS,
    progress: Callable[[str, int, int], None] | None = None,
) -> Removed:
    """Forget sessions for good: marks, then their archives, logs and rows, and what the index's file keeps of them.

    An index that cannot be written, as on a full disk, keeps nothing else from going: Removed.problem says so. What
    goes makes room. wait_seconds: how long to wait for each other process that is at work. progress(what, done, total).
    Raises ValueError (no session id), StorageError (also where a mark cannot be written), LockTimeoutError: whatever
    was raised after the first mark, the next sync goes on from there.
    """
    from memories.core import bundle_staging, conversation_index, mirror

    wanted = list(dict.fromkeys(session_ids))
    for done, session_id in enumerate(wanted, 1):
        _mark(folder, session_id, done - 1)
        if progress is not None:
            progress("marking", done, len(wanted))
    bundle_staging.sweep(folder)
    for session_id in wanted:
        files.remove_quietly(os.path.join(folder.state, "sessions", session_id))
    with FileLock(os.path.join(folder.state, "merge.lock"), wait_seconds):
        removed = enforce(folder)
    try:
        mirror.update(folder, wait_seconds=wait_seconds)
        conversation_index.update(folder, wait_seconds=wait_seconds)
        return finish(folder, removed)
    except (StorageError, MirrorUnavailableError, OSError, sqlite3.Error) as error:
        removed.is_settled, removed.problem = False, str(error)
        return removed


def _mark(folder: DataFolder, session_id: str, before: int) -> None:
    """before: how many were marked already, which the next sync removes."""
    try:
        folder.create()
        forgotten.mark(folder, session_id, FORGOTTEN)
    except (OSError, StorageError) as error:
        why = str(error)
        if isinstance(error, OSError):
            why = f"Cannot write {folder.trash}: {error.strerror}. Check free space and permissions, then try again."
        done = f"Only the first {before} are marked as forgotten, and go at the next sync" if before else ""
        raise StorageError(f"{done or 'Nothing was forgotten'}: {why}") from error


def enforce(folder: DataFolder) -> Removed:
    """Remove what marked sessions have under their names: their entries in transcripts/, their logs in records/ and
    trash/ with a file sync's copies of them. Nothing marked: two listings.

    The caller holds state/merge.lock, unless nothing of these sessions can be merging. Raises StorageError,
    LockTimeoutError, OSError.
    """
    removed = Removed()
    marks = forgotten.marked(folder)
    if not marks:
        return removed
    forgotten.sweep_marks(folder)
    files.sweep_temp_files(folder.transcripts)
    for session_id, names in session_place.grouped(folder).items():
        kind = marks.get(session_id)
        if kind is not None and _is_meant(folder, session_id, kind, names):
            _remove_place(folder, session_id, names, kind, removed)
    logs = {session_logs.log_uuid(one) for one, kind in marks.items() if kind == FORGOTTEN}
    if logs:
        with records.lock(folder):  # within it: a log that is being stored is there, or finds the mark
            _unlink(folder, [path for path in _named(folder) if _uuid_in(path) in logs], removed)
    return removed


def remove(folder: DataFolder, session_id: str) -> Removed:
    """Remove what one session has in transcripts/ that its mark stands for: somebody wrote it while it was marked."""
    removed = Removed()
    names = session_place.grouped(folder).get(session_id, [])
    kind = forgotten.kind_of(folder, session_id)
    if names and kind is not None and _is_meant(folder, session_id, kind, names):
        _remove_place(folder, session_id, names, kind, removed)
    return removed


def _is_meant(folder: DataFolder, session_id: str, kind: str, names: list[str]) -> bool:
    if kind == FORGOTTEN:
        return True
    ended_ns = session_place.place_of(folder, session_id, names).ended_ns
    return forgotten.kind_of(folder, session_id, ended_ns) == EXPIRED


def _remove_place(folder: DataFolder, session_id: str, names: list[str], kind: str, removed: Removed) -> None:
    if kind == FORGOTTEN:
        forgotten.unsettle(folder)
    removed.sessions.append(session_id)
    removed.left += session_place.remove(folder, names)


def _named(folder: DataFolder) -> list[str]:
    """The paths of what may be a record's file, a tombstone's, or a copy of one."""
    found = []
    for place in (folder.records, folder.trash):
        try:
            names = os.listdir(place)
        except FileNotFoundError:
            continue
        found += [os.path.join(place, name) for name in names]
    return found


def _uuid_in(path: str) -> str:
    """The uuid with which a file's name begins: `<uuid>.json`, its copies, its temp files, also when it is arriving; ""
    for none."""
    name = session_place.original(os.path.basename(path)).removeprefix(".")
    return name[:_UUID_CHARS] if name[_UUID_CHARS : _UUID_CHARS + 1] in {".", " ", "_"} else ""


def _unlink(folder: DataFolder, paths: list[str], removed: Removed) -> None:
    """Unlink the files of logs; what is gone meanwhile is no matter. The caller holds records.lock."""
    if paths:
        forgotten.unsettle(folder)
    for path in paths:
        try:
            os.unlink(path)
            removed.logs += 1
        except FileNotFoundError:
            pass
        except OSError as error:
            why = f"cannot be removed ({error.strerror}): check its permissions, then run `llm-memory sync`"
            removed.left.append((os.path.relpath(path, folder.root), why))


def finish(folder: DataFolder, removed: Removed | None = None) -> Removed:
    """Remove forgotten sessions' logs that have other names, and what the index's file still holds of any of them.

    To be called after both halves of the mirror were updated. removed: what enforce gave; it is added to. is_settled is
    False where another process still has rows of them, or reads the index: the next sync does the rest. Nothing
    forgotten: one listing. Raises MirrorUnavailableError, StorageError, LockTimeoutError, OSError.
    """
    from memories.core import mirror

    removed = removed or Removed()
    ids = forgotten.of_kind(folder, FORGOTTEN)
    if not ids:
        return removed
    connection = mirror.connect(folder.mirror, busy_seconds=BUSY_SECONDS)
    try:
        chosen = set(ids)
        logged = [uuid for uuid, one in connection.execute(_LOGS) if one in chosen]
        paths = [records.record_path(folder, uuid) for uuid in logged] + _in_trash(folder, chosen)
        if paths:
            with records.lock(folder):
                _unlink(folder, paths, removed)
        if logged:
            mirror.apply_records(folder, logged, busy_seconds=BUSY_SECONDS)
        removed.is_settled = not removed.left and (forgotten.is_settled(folder) or _clean(folder, connection, ids))
    except sqlite3.Error as error:
        if mirror.is_damage(error):
            raise StorageError(f"The index is damaged ({error}): run `llm-memory rebuild_index`, then sync.") from error
        removed.is_settled = False  # busy or full: the next sync tries again
    finally:
        connection.close()
    return removed


_LOGS = "SELECT uuid, session_id FROM memory WHERE type = 'session_log' AND session_id IS NOT NULL"


def _clean(folder: DataFolder, connection: sqlite3.Connection, ids: list[str]) -> bool:
    """Take what is deleted out of the index's file; False where some of it is not deleted yet, or is being read."""
    from memories.core import other_mirrors
    from memories.core.scrub import scrub

    other_mirrors.drop(folder)
    chosen = set(ids)
    if any(one in chosen for (one,) in connection.execute("SELECT session_id FROM session").fetchall()):
        return False  # another process is indexing; it takes them out
    if not scrub(connection):
        return False
    forgotten.note_settled(folder, ids)
    return True


def _in_trash(folder: DataFolder, chosen: set[str]) -> list[str]:
    """The tombstones, and copies of them, of these sessions' logs: by what they hold, as no index has them."""
    found = []
    for entry in files.entries(folder.trash):
        uuid = entry.name[:_UUID_CHARS]
        if not records.is_uuid(uuid):
            continue
        try:
            record: dict[str, Any] = records.parse(records.read_file(entry.path)[0], uuid)
        except (InvalidRecordError, OSError):
            continue  # no record: doctor names it
        if record["type"] == "session_log" and record.get("session_id") in chosen:
            found.append(entry.path)
    return found


def let_go(folder: DataFolder, session_id: str, names: list[str], ended_ns: int) -> list[tuple[str, str]]:
    """Mark a session as expired as far as it goes now, and remove its archive; its log stays.

    names, ended_ns: as session_place gives them. The caller holds state/merge.lock. Gives what session_place.remove
    does. Raises StorageError, OSError.
    """
    forgotten.mark(folder, session_id, EXPIRED, ended_ns)
    return session_place.remove(folder, names)
