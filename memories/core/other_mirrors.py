"""Mirrors of other versions beside this one's: memory.db (before version 7), memory.db.<version>.

Each version has a file of its own, so that two of them that work at once, as while an update is installed and a session
still runs its old server, do not make each other's anew with every call. One that nobody has written to for a while is
let go; whoever still wants it makes it again from the files.
"""

from __future__ import annotations

import os
import re
import time

from memories.core import files, paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

UNUSED_SECONDS = 7 * 86_400.0
"""As long as a session may be left open with an old server: after that making the mirror again costs it seconds."""

_NAME = re.compile(rf"({re.escape(paths.MIRROR)}(?:\.[0-9]+)?)(-wal|-shm|-journal)?")
_VERSION_OFFSET = 60
"""Of `user_version` in an SQLite file's header (https://www.sqlite.org/fileformat.html); 4 bytes, big-endian."""


def is_mirror(name: str) -> bool:
    """Whether a name at the data folder's top is that of a mirror of any version, or of a file that SQLite keeps beside
    it."""
    return _NAME.fullmatch(name) is not None


def files_of_all(folder: DataFolder) -> list[str]:
    """The paths of every version's mirror and of what is beside it."""
    return [entry.path for entry in files.entries(folder.root) if is_mirror(entry.name)]


def drop_unused(folder: DataFolder) -> None:
    """Remove the mirrors of other versions that nobody has written to for UNUSED_SECONDS. Raises nothing."""
    _drop(folder, time.time() - UNUSED_SECONDS)


def drop(folder: DataFolder) -> None:
    """Remove the mirrors of all other versions, whoever uses them: they hold what is to be gone. Raises nothing."""
    _drop(folder, None)


def _drop(folder: DataFolder, before: float | None) -> None:
    """before: Unix seconds of the last writing from which on a mirror stays; None: none does."""
    own = os.path.basename(folder.mirror)
    found: dict[str, list[str]] = {}
    for path in files_of_all(folder):
        match = _NAME.fullmatch(os.path.basename(path))
        if match is not None and match[1] != own:
            found.setdefault(os.path.join(folder.root, match[1]), []).append(path)
    for mirror, its_files in found.items():
        if _is_ours(mirror) and (before is None or max(map(_written_at, its_files)) < before):
            for path in sorted(its_files, reverse=True):  # the log before what it belongs to
                files.remove_quietly(path)


def _is_ours(path: str) -> bool:
    """Whether it is a database of a version of ours; that of the first LLM Memory has none, and is the user's."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.pread(fd, 4, _VERSION_OFFSET).strip(b"\0") != b""
    except OSError:
        return False
    finally:
        os.close(fd)


def _written_at(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
