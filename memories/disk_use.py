"""What the data folder takes on the disk: each part with its share, and whether a file sync carries it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from dataclasses import dataclass
from functools import lru_cache

from memories.core import other_mirrors
from memories.core.paths import PROGRAM, SYNCED_FOLDERS, DataFolder
from memories.core.transcript_page import shown_size

_GIGABYTE = 1_000_000_000
_WHAT = {
    "records": "memories",
    "transcripts": "conversations",
    "trash": "deleted memories",
    "config": "rules and settings",
    "memory.db": "the index",
    "state": "locks, logs, marks",
    "lib": "the program",
}
"""Part of the data folder, in the order shown -> what is in it."""


@dataclass(frozen=True)
class Part:
    """A folder or file below the data folder. size in bytes; share: per cent of all of them, rounded; travels: a file
    sync carries it to the other machines."""

    name: str
    what: str
    size: int
    share: int
    travels: bool

    @property
    def said(self) -> str:
        """Its size in words."""
        return said_size(self.size)


@dataclass(frozen=True)
class DiskUse:
    """parts: with what is in them; size: their sum; free: bytes left for this user on that disk, None where it cannot
    be told."""

    parts: list[Part]
    size: int
    free: int | None

    @property
    def said(self) -> str:
        """The size of all in words."""
        return said_size(self.size)

    @property
    def said_free(self) -> str:
        """What is free in words, "" where it cannot be told."""
        return "" if self.free is None else said_size(self.free)


def said_size(size: int) -> str:
    """Bytes as a person reads them: 0, 17 KB, 52.3 MB, 1.9 GB."""
    if size == 0:
        return "0"
    return shown_size(size) if size < _GIGABYTE else f"{size / _GIGABYTE:,.1f} GB"


def disk_use(folder: DataFolder, connection: sqlite3.Connection | None) -> DiskUse:
    """What there is. Records and conversations as the index saw them, so that no 10,000 files are looked at; without
    one (connection None), and all else, by walking. Raises sqlite3.Error.
    """
    programs = (os.path.join(folder.root, name) for name in PROGRAM)
    known = {"lib": sum(map(_lib_size, programs))} | ({} if connection is None else _indexed(connection))
    sizes = {name: _size(os.path.join(folder.root, name)) for name in _WHAT if name not in known}
    sizes |= known
    sizes["memory.db"] = sum(_size(path) for path in other_mirrors.files_of_all(folder))
    total = sum(sizes.values())
    parts = [
        Part(name, what, sizes[name], round(100 * sizes[name] / total) if total else 0, name in SYNCED_FOLDERS)
        for name, what in _WHAT.items()
    ]
    return DiskUse(parts, total, _free(folder.root))


def _indexed(connection: sqlite3.Connection) -> dict[str, int]:
    """Bytes of what the index knows the size of. Sizes below 0 are of files that were not read to their end yet."""
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(size), 0) FROM source_file), (SELECT coalesce(sum(max(size, 0)), 0) FROM session)"
    ).fetchone()
    return {"records": row[0], "transcripts": row[1]}


def _lib_size(lib: str) -> int:
    """Bytes of the installed program: thousands of files, which only an install changes, so walked once for each."""
    try:
        installed_ns = os.stat(os.path.join(lib, "install.json")).st_mtime_ns
    except OSError:
        return _size(lib)
    return _size_at(lib, installed_ns)


@lru_cache(maxsize=len(PROGRAM))
def _size_at(path: str, _changed_ns: int) -> int:
    return _size(path)


def _size(path: str) -> int:
    """Bytes of a file, or of all files below a folder; 0 for what is not there. Symlinks are not followed."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    if not stat.S_ISDIR(found.st_mode):
        return found.st_size
    try:
        with os.scandir(path) as entries:
            return sum(
                _size(entry.path) if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
                for entry in entries
            )
    except OSError:
        return 0  # gone meanwhile, or not ours to read


def _free(path: str) -> int | None:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None
