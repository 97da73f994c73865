"""The conversations' half of the mirror: transcripts/ -> session, turn, turn_fts. Derived, rebuilt at any time.

A file is read on from where its last turn begins, found by size and mtime as mirror.py finds records. Reading and
parsing take no lock; rows are written in short transactions between which stores and searches go on. One process at a
time indexes (flock on state/conversations.lock).
"""

from __future__ import annotations

import os
import sqlite3
import stat
import zlib

from memories.core import conversation_rows, mirror, turn_rows
from memories.core.errors import MirrorUnavailableError, StorageError, TranscriptError
from memories.core.locks import FileLock
from memories.core.transcripts import SUFFIX, is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memories.core.conversation_rows import Reading
    from memories.core.paths import DataFolder

BATCH_ROWS = 2000
"""Rows written in one transaction: some 0.1 s, and some 2 MB of text held."""

MARK_BYTES = 4096
"""How much before the place where reading stopped is compared before it goes on there."""


class IndexResult:
    """What an update did. files: transcripts read. turns: rows added. removed: transcripts taken out. total: rows in
    all. problems: (path below transcripts/, reason) of transcripts that cannot be read."""

    __slots__ = ("files", "problems", "removed", "total", "turns")

    def __init__(self) -> None:
        self.files = self.turns = self.removed = self.total = 0
        self.problems: list[tuple[str, str]] = []


def update(
    folder: DataFolder, *, wait_seconds: float = 0.0, progress: Callable[[int, int], None] | None = None
) -> IndexResult:
    """Bring the conversations up to date with transcripts/; mirror.update must have made the mirror.

    wait_seconds: how long to wait for another process that does this. progress(done, total) in bytes. Raises
    LockTimeoutError, MirrorUnavailableError, StorageError.
    """
    with FileLock(os.path.join(folder.state, "conversations.lock"), wait_seconds):
        connection = mirror.connect(folder.mirror)
        try:
            return _Update(folder, connection, progress).run()
        except sqlite3.Error as error:
            if mirror.is_damage(error):
                raise MirrorUnavailableError(
                    f"The index is damaged ({error}): run `llm-memory rebuild_index`."
                ) from error
            raise StorageError(f"The index cannot be written ({error}). Check free space, then run sync.") from error
        finally:
            connection.close()


class _Update:
    """One run: what is known, what is to be read, and the rows that wait to be written."""

    def __init__(
        self, folder: DataFolder, connection: sqlite3.Connection, progress: Callable[[int, int], None] | None
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._progress = progress
        self._waiting: list[Reading] = []
        self._waiting_rows = 0
        self._done_bytes = self._all_bytes = 0
        self.result = IndexResult()

    def run(self) -> IndexResult:
        todo = self._changed()
        self._all_bytes = sum(size for _, _, size in todo)
        for path, _, size in todo:
            self._read(path)
            self._done_bytes += size
            self._report()
        self._flush()
        conversation_rows.refresh_projects(self._connection)
        self.result.total = self._connection.execute("SELECT coalesce(sum(turns), 0) FROM session").fetchone()[0]
        self.result.problems = problems(self._connection)
        return self.result

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(self._done_bytes, self._all_bytes)

    def _changed(self) -> list[tuple[str, int, int]]:
        """(path, mtime_ns, size) of files that are new or changed, oldest first; those that are gone are taken out."""
        known = {
            path: (mtime_ns, size)
            for path, mtime_ns, size in self._connection.execute("SELECT path, mtime_ns, size FROM session")
        }
        seen = {path: (mtime_ns, size) for path, mtime_ns, size in transcript_files(self._folder)}
        gone = [path for path in known if path not in seen]
        if gone:
            self.result.removed = len(gone)
            for path in conversation_rows.remove(self._connection, gone):
                known.pop(path, None)
        changed = [(path, *state) for path, state in seen.items() if known.get(path) != state]
        return sorted(changed, key=lambda file: (file[1], file[0]))

    def _read(self, path: str) -> None:
        reading = conversation_rows.Reading(self._connection, path)
        full = os.path.join(self._folder.transcripts, path)
        try:
            found = os.lstat(full)
            if not stat.S_ISREG(found.st_mode):
                return
            reading.size, reading.mtime_ns = found.st_size, found.st_mtime_ns
            if reading.read_bytes and not _goes_on(full, reading):
                reading.start_over()
            self._read_rows(full, reading)
            reading.problem = None
        except FileNotFoundError:
            return  # the next update takes it out
        except (TranscriptError, OSError) as error:
            reading.problem = str(error)
        self.result.files += 1
        self._queue(reading)

    def _read_rows(self, full: str, reading: Reading) -> None:
        for row in turn_rows.iter_rows(full, reading.read_bytes, reading.read_lines, reading.size):
            if len(reading.rows) >= BATCH_ROWS and row.offset != reading.rows[-1].offset:
                reading.stop_at(row, _mark(full, row.offset))
                self._queue(reading)
                self._flush()
                reading.go_on()
            reading.rows.append(row)
        if reading.rows:
            last = reading.rows[-1]
            reading.stop_at(last, _mark(full, last.offset))

    def _queue(self, reading: Reading) -> None:
        self._waiting.append(reading)
        self._waiting_rows += len(reading.rows)
        if self._waiting_rows >= BATCH_ROWS or len(self._waiting) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Write what waits, in one transaction."""
        if self._waiting:
            self.result.turns += conversation_rows.write(self._connection, self._waiting)
            self._waiting, self._waiting_rows = [], 0


def _goes_on(full: str, reading: Reading) -> bool:
    """Whether a file that changed still begins with what was read of it, judged by the bytes before read_bytes."""
    return reading.size >= reading.read_bytes and _mark(full, reading.read_bytes) == reading.read_mark


def _mark(full: str, offset: int) -> int:
    with open(full, "rb") as file:
        start = max(0, offset - MARK_BYTES)
        file.seek(start)
        return zlib.crc32(file.read(offset - start))


def transcript_files(folder: DataFolder) -> Iterator[tuple[str, int, int]]:
    """(path below transcripts/, mtime_ns, size) of every archived transcript: sessions' own, their subagents', and
    earlier archives that differed. Regular files only."""
    for name, entry in _entries(folder.transcripts):
        if name.endswith(SUFFIX) and is_session_id(name[: -len(SUFFIX)]):
            yield from _state(entry, name)
        elif is_session_id(name) and entry.is_dir(follow_symlinks=False):
            for beside, file in _entries(entry.path):
                if beside.startswith("diverged-") and beside.endswith(SUFFIX):
                    yield from _state(file, f"{name}/{beside}")
            for agent, file in _entries(os.path.join(entry.path, "subagents")):
                if agent.endswith(SUFFIX):
                    yield from _state(file, f"{name}/subagents/{agent}")


def _entries(path: str) -> list[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(path) as entries:
            return [(entry.name, entry) for entry in entries]
    except OSError:
        return []


def _state(entry: os.DirEntry[str], path: str) -> Iterator[tuple[str, int, int]]:
    try:
        if entry.is_file(follow_symlinks=False):
            found = entry.stat(follow_symlinks=False)
            yield path.encode("utf-8", "replace").decode(), found.st_mtime_ns, found.st_size
    except OSError:
        return  # deleted meanwhile


def problems(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Transcripts that cannot be read: (path below transcripts/, reason), by path."""
    return connection.execute("SELECT path, problem FROM session WHERE problem IS NOT NULL ORDER BY path").fetchall()
