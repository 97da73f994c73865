"""The conversations' half of the mirror: transcripts/ -> session, turn, turn_fts. Derived, rebuilt at any time.

A file is read on from where its last turn begins, found by size and mtime as mirror.py finds records. Reading and
parsing take no lock; rows are written in short transactions between which stores and searches go on. One process at a
time indexes (flock on state/conversations.lock).
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import zlib

from memories.core import conversation_projects, conversation_rows, files, mirror, redaction
from memories.core.errors import MirrorUnavailableError, StorageError, TranscriptError
from memories.core.locks import FileLock
from memories.core.transcripts import SUFFIX, is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memories.core.conversation_rows import Reading
    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

BATCH_ROWS = 8000
"""Rows written in one transaction: some half a second, and some 4 MB of text held."""

MARK_BYTES = 4096
"""How much of the end of what was read is compared before reading goes on in a file that changed."""

BUSY_SECONDS = 60.0
"""How long a write waits for others': a mirror that is rebuilt, 100,000 records in some 5 s, is one transaction."""

_STEM = r"[A-Za-z0-9_-]{1,200}"
"""Names of transcripts beside a session's, without suffix: as archived_sessions finds them."""

_DIVERGED = "diverged-"


class IndexResult:
    """What an update did. files: transcripts read. turns: new rows. removed: transcripts taken out. total: rows in all.
    problems: (path below transcripts/, reason) of transcripts that cannot be read."""

    __slots__ = ("files", "problems", "removed", "total", "turns")

    def __init__(self) -> None:
        self.files = self.turns = self.removed = self.total = 0
        self.problems: list[tuple[str, str]] = []


def update(
    folder: DataFolder, *, wait_seconds: float = 0.0, progress: Callable[[int, int], None] | None = None
) -> IndexResult:
    """Bring the conversations up to date with transcripts/; mirror.update must have made the mirror.

    wait_seconds: how long to wait for another process that does this. progress(done, total) in bytes. Raises
    LockTimeoutError, MirrorUnavailableError (also where the mirror was made with other rules of redaction, or is
    meanwhile), StorageError.
    """
    with FileLock(os.path.join(folder.state, "conversations.lock"), wait_seconds):
        redactor = redaction.of(folder)
        connection = mirror.connect(folder.mirror, busy_seconds=BUSY_SECONDS, redactor=redactor)
        try:
            while True:
                schema = connection.execute("PRAGMA schema_version").fetchone()
                result = _Update(folder, connection, redactor, progress).run()
                if schema == connection.execute("PRAGMA schema_version").fetchone():
                    return result  # else the mirror was rebuilt meanwhile, without the conversations
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
        self,
        folder: DataFolder,
        connection: sqlite3.Connection,
        redactor: Redactor,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._redactor = redactor
        self._progress = progress
        self._todo: list[tuple[str, int]] = []
        self._waiting: dict[str, Reading] = {}
        self._waiting_rows = 0
        self._done_bytes = self._all_bytes = 0
        self.result = IndexResult()

    def run(self) -> IndexResult:
        self._find_changed()
        self._all_bytes = sum(size for _, size in self._todo)
        for path, size in self._todo:  # grows where a file turns out to be another one than before
            self._read(path)
            self._done_bytes += size
            if self._progress is not None:
                self._progress(self._done_bytes, self._all_bytes)
        self._flush()
        conversation_projects.refresh(self._connection, self._folder)
        self.result.total = self._connection.execute("SELECT coalesce(sum(turns), 0) FROM session").fetchone()[0]
        self.result.problems = problems(self._connection)
        return self.result

    def _find_changed(self) -> None:
        """Note the files that are new or changed, oldest first; those that are gone are taken out."""
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
        changed = sorted((state, path) for path, state in seen.items() if known.get(path) != state)
        self._todo = [(path, size) for (_, size), path in changed]

    def _read(self, path: str) -> None:
        full = os.path.join(self._folder.transcripts, path)
        try:
            found = os.lstat(full)
            if path in self._waiting:
                self._flush()
            reading = conversation_rows.Reading(self._connection, path)
            if not _goes_on(full, found, reading):
                self._start_over(path)
                reading = conversation_rows.Reading(self._connection, path)
            if not stat.S_ISREG(found.st_mode):
                raise TranscriptError(f"{full} is not a regular file: it is not read. Move it away.")
            self._read_rows(full, found, reading)
        except FileNotFoundError:
            return  # the next update takes it out
        except (TranscriptError, OSError) as error:
            self._flush()
            conversation_rows.note_problem(self._connection, path, str(error))
        self.result.files += 1

    def _start_over(self, path: str) -> None:
        """The file is another one than was read: it is read anew, and after it those that repeat messages."""
        self._flush()
        for other in sorted(conversation_rows.remove(self._connection, [path]) - {path}):
            self._todo.append((other, 0))

    def _read_rows(self, full: str, found: os.stat_result, reading: Reading) -> None:
        from memories.core import turn_rows  # where nothing is new, a search does without

        for row in turn_rows.iter_rows(full, reading.read_bytes, reading.read_lines, found.st_size, self._redactor):
            if len(reading.rows) >= BATCH_ROWS and row.begins_line and row.offset != reading.rows[-1].offset:
                reading.stop_at(row)
                reading.size = conversation_rows.IN_THE_MIDDLE
                reading.read_mark = _mark(full, row.offset)
                self._queue(reading)
                self._flush()
                reading.rows = []
            reading.rows.append(row)
        last = next((row for row in reversed(reading.rows) if row.begins_line), None)
        if last is not None:
            reading.stop_at(last)
        reading.size, reading.mtime_ns = found.st_size, files.mtime_ns(found)
        reading.read_mark = _mark(full, reading.size)
        self._queue(reading)

    def _queue(self, reading: Reading) -> None:
        self._waiting[reading.path] = reading
        self._waiting_rows += len(reading.rows)
        if self._waiting_rows >= BATCH_ROWS or len(self._waiting) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Write what waits, in one transaction."""
        if self._waiting:
            self.result.turns += conversation_rows.write(self._connection, list(self._waiting.values()), self._redactor)
            self._waiting, self._waiting_rows = {}, 0


def _goes_on(full: str, found: os.stat_result, reading: Reading) -> bool:
    """Whether a file still begins with what was read of it, judged by the end of that; True where nothing was.

    The archive only appends: a file of the size that it had, written since, was written by somebody else.
    """
    if not reading.marked_bytes:
        return True
    if not stat.S_ISREG(found.st_mode) or found.st_size < reading.marked_bytes:
        return False
    is_rewritten = found.st_size == reading.size and files.mtime_ns(found) != reading.mtime_ns
    return _mark(full, reading.marked_bytes) == reading.read_mark and not is_rewritten


def _mark(full: str, offset: int) -> int:
    with open(full, "rb") as file:
        start = max(0, offset - MARK_BYTES)
        file.seek(start)
        return zlib.crc32(file.read(offset - start))


def transcript_files(folder: DataFolder) -> Iterator[tuple[str, int, int]]:
    """(path below transcripts/, mtime_ns, size) of every archived transcript: sessions' own, their subagents', and
    earlier archives that differed. What is not a regular file is among them; it is not read."""
    for name, entry in _entries(folder.transcripts):
        if name.endswith(SUFFIX) and is_session_id(name[: -len(SUFFIX)]):
            yield from _state(entry, name)
        elif is_session_id(name) and entry.is_dir(follow_symlinks=False):
            for beside, file in _entries(entry.path):
                if beside.startswith(_DIVERGED) and _is_beside(beside):
                    yield from _state(file, f"{name}/{beside}")
                elif beside == "subagents" and file.is_dir(follow_symlinks=False):
                    for agent, own in _entries(file.path):
                        if _is_beside(agent) and not agent.startswith(_DIVERGED):
                            yield from _state(own, f"{name}/subagents/{agent}")


def _is_beside(name: str) -> bool:
    return name.endswith(SUFFIX) and re.fullmatch(_STEM, name[: -len(SUFFIX)]) is not None


def _entries(path: str) -> list[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(path) as entries:
            return [(entry.name, entry) for entry in entries]
    except OSError:
        return []


def _state(entry: os.DirEntry[str], path: str) -> Iterator[tuple[str, int, int]]:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return  # deleted meanwhile
    yield path, files.mtime_ns(found), found.st_size


def problems(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Transcripts that cannot be read: (path below transcripts/, reason), by path."""
    return connection.execute("SELECT path, problem FROM session WHERE problem IS NOT NULL ORDER BY path").fetchall()
