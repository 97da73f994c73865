"""Atomic, private file writes: a reader sees the old content or the new, never a part.

Temp files are named `.<name>.tmp-<pid>` in the target's own folder, so that a rename never crosses file systems and a
file sync ignores them.
"""

from __future__ import annotations

import errno
import os
import re
import stat

from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, TypeVar

    T = TypeVar("T")

ATTEMPTS = 5
"""How often work on a file is begun anew because a file sync wrote it meanwhile."""

_MTIME_BITS = (1 << 63) - 1

_TEMP_NAME = r"^\..+\.tmp-(\d+)$"


def temp_path(path: str) -> str:
    """The temp file's path for a target: same folder, hidden, carries our process id."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.tmp-{os.getpid()}")


def fsync_folder(folder: str) -> None:
    """Make renames in a folder durable; file systems that cannot fsync a folder are left alone."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError:
        pass  # some network file systems refuse; the rename itself has succeeded
    finally:
        os.close(fd)


class ChangedMeanwhileError(Exception):
    """A file sync, which knows no lock of ours, wrote or removed a file after it was read."""


class Seen:
    """A file as it was when it was read. found: its stat then; None: it was not there."""

    __slots__ = ("_state", "path")

    def __init__(self, path: str, found: os.stat_result | None) -> None:
        self.path = path
        self._state = None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    @property
    def is_there(self) -> bool:
        """Whether there was a file."""
        return self._state is not None

    def check(self) -> None:
        """Raise ChangedMeanwhileError unless the file is what it was."""
        try:
            now = Seen(self.path, os.lstat(self.path))
        except FileNotFoundError:
            now = Seen(self.path, None)
        if now._state != self._state:
            raise ChangedMeanwhileError(self.path)

    def remove(self) -> None:
        """Unlink the file; one that is gone already is no matter. Raises as check, OSError."""
        try:
            if os.path.lexists(self.path):
                self.check()
                os.unlink(self.path)
        except FileNotFoundError:
            pass


def retried(path: str, work: Callable[[], T]) -> T:
    """What work gives, begun anew each time that it raises ChangedMeanwhileError. path: what it is about.

    Raises StorageError after ATTEMPTS of them, and what work raises.
    """
    for _ in range(ATTEMPTS):
        try:
            return work()
        except ChangedMeanwhileError:
            continue
    raise StorageError(f"{path} is being written by another program all the time: try again when it is done.")


def write_atomic(
    path: str, data: bytes, *, mode: int = 0o600, durable: bool = True, unchanged: Sequence[Seen] = ()
) -> None:
    """Write bytes to path through a temp file and a rename.

    durable=False skips both fsyncs, for this machine's own state that can be made again. unchanged: files that must be
    what they were, looked at last thing before the rename; else ChangedMeanwhileError, and nothing was written.
    Raises StorageError (with what to do) where the disk refuses; then the old content is intact and no temp file stays.
    """
    temp = temp_path(path)
    try:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        for seen in unchanged:
            seen.check()
        os.replace(temp, path)
        if durable:
            fsync_folder(os.path.dirname(path))
    except ChangedMeanwhileError:
        remove_quietly(temp)
        raise
    except OSError as error:
        remove_quietly(temp)
        raise StorageError(
            f"Cannot write {path}: {error.strerror or error}. Check free space and permissions, then try again."
        ) from error


def open_plain(path: str) -> BinaryIO:
    """A regular file, opened for reading. Never waits, as opening a FIFO would, nor gives a device that never ends.

    Raises OSError, also for what is no regular file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file: move it away", path)
    return open(fd, "rb")


def remove_quietly(path: str) -> None:
    """Unlink a file that may not be there."""
    try:
        os.unlink(path)
    except OSError:
        pass


def process_alive(pid: int) -> bool:
    """True when a process with that id exists (also one of another user)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def sweep_temp_files(folder: str, *, below: bool = False) -> int:
    """Remove temp files whose process is gone, with below also those in the folders below; returns how many."""
    removed = 0
    pending = [folder]
    while pending:
        place = pending.pop()
        found = entries(place)
        removed += remove_dead_temp_files(place, [entry.name for entry in found if entry.name.startswith(".")])
        if below:
            pending += [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
    return removed


def remove_dead_temp_files(folder: str, names: list[str]) -> int:
    """Remove those among a folder's hidden entries that are temp files of a process that is gone; returns how many."""
    removed = 0
    for name in names:
        if is_dead_temp_file(name):
            remove_quietly(os.path.join(folder, name))
            removed += 1
    return removed


def is_dead_temp_file(name: str) -> bool:
    """Whether a file's name is that of a temp file whose process is gone."""
    match = re.match(_TEMP_NAME, name)
    return match is not None and int(match[1]) != os.getpid() and not process_alive(int(match[1]))


class Listing:
    """A folder's entries, each looked at once: names, mtimes_ns and sizes side by side, in the folder's own order;
    hidden: names that begin with a dot, not looked at."""

    __slots__ = ("hidden", "mtimes_ns", "names", "sizes")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.mtimes_ns: list[int] = []
        self.sizes: list[int] = []
        self.hidden: list[str] = []

    def states(self) -> set[tuple[str, int, int]]:
        """(name, mtime_ns, size) of each entry."""
        return set(zip(self.names, self.mtimes_ns, self.sizes, strict=True))

    def fingerprint(self) -> str:
        """128 bits that are the same when nothing changed: 100,000 entries compared in a sixth of what sets take."""
        from array import array  # these two only for the folders that need them: hooks run without
        from hashlib import blake2b

        sums = blake2b("/".join(self.names).encode("utf-8", "surrogateescape"), digest_size=16)
        sums.update(array("q", self.mtimes_ns))
        sums.update(array("q", self.sizes))
        return sums.hexdigest()


def mtime_ns(found: os.stat_result) -> int:
    """A file's mtime in ns, in 63 bits: dated after 2262 it has more than SQLite's integers hold."""
    return found.st_mtime_ns & _MTIME_BITS


def listing(path: str) -> Listing:
    """Look at each entry of a folder. Raises OSError.

    Through the folder's descriptor, which spares resolving its path anew for each of 100,000 files.
    """
    found = Listing()
    names, mtimes_ns, sizes = found.names, found.mtimes_ns, found.sizes
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    found.hidden.append(name)
                    continue
                try:
                    state = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # gone meanwhile
                names.append(name)
                mtimes_ns.append(state.st_mtime_ns & _MTIME_BITS)
                sizes.append(state.st_size)
    finally:
        os.close(descriptor)
    return found


def entries(path: str) -> list[os.DirEntry[str]]:
    """What is in a folder, hidden entries too; nothing where it cannot be listed."""
    try:
        with os.scandir(path) as found:
            return list(found)
    except OSError:
        return []
