"""What can become of memory.db: each fault does it to a data folder's, whoever has it open."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memories.core.paths import DataFolder

Fault = Callable[["DataFolder"], None]

PAGE = 4096


def _files(folder: DataFolder, *suffixes: str) -> list[Path]:
    return [Path(folder.mirror + suffix) for suffix in suffixes or ("", "-wal", "-shm")]


def _removed(*suffixes: str) -> Fault:
    def remove(folder: DataFolder) -> None:
        for path in _files(folder, *suffixes):
            path.unlink(missing_ok=True)

    return remove


def _cut(share: float | int, suffix: str = "") -> Fault:
    """To so many bytes (int), or that share of them."""

    def cut(folder: DataFolder) -> None:
        path = Path(folder.mirror + suffix)
        if path.exists():
            os.truncate(path, share if isinstance(share, int) else int(path.stat().st_size * share))

    return cut


def _noise(start: int, end: int | None, suffix: str = "") -> Fault:
    """Over bytes from start to end (None: the file's own), in place."""

    def overwrite(folder: DataFolder) -> None:
        path = Path(folder.mirror + suffix)
        if path.exists():
            with path.open("r+b") as file:
                file.seek(start)
                file.write(os.urandom((path.stat().st_size if end is None else end) - start))

    return overwrite


def _replaced(make: Callable[[str], object]) -> Fault:
    def replace(folder: DataFolder) -> None:
        _removed()(folder)
        make(folder.mirror)

    return replace


def _newer(path: str, *, with_other_tables: bool = False) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        if with_other_tables:
            connection.execute("CREATE TABLE memory (uuid TEXT, vector BLOB)")
            connection.execute("CREATE TABLE something_new (a TEXT REFERENCES memory (uuid))")
            connection.execute("CREATE VIEW source_file AS SELECT uuid FROM memory")
            connection.execute("INSERT INTO memory VALUES ('x', NULL)")
            connection.commit()
        connection.execute("PRAGMA user_version = 99")


def _set_version(folder: DataFolder) -> None:
    with closing(sqlite3.connect(folder.mirror, timeout=20)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _without_a_table(folder: DataFolder) -> None:
    with closing(sqlite3.connect(folder.mirror, timeout=20)) as connection:
        connection.execute("DROP TABLE link")


def _linked(folder: DataFolder) -> None:
    moved = Path(folder.root, "state", "elsewhere.db")
    _removed("-wal", "-shm")(folder)
    shutil.move(folder.mirror, moved)
    os.symlink(moved, folder.mirror)


HEALED: dict[str, Fault] = {
    "deleted": _removed(),
    "only its -wal and -shm deleted": _removed("-wal", "-shm"),
    "only the database deleted": _removed(""),
    "cut to nothing": _cut(0),
    "cut within its header": _cut(50),
    "cut to one page": _cut(PAGE),
    "cut to half": _cut(0.5),
    "cut within a page": _cut(0.77),
    "its -wal cut to half": _cut(0.5, "-wal"),
    "overwritten with noise": _noise(0, None),
    "its header overwritten": _noise(0, 100),
    "its first page's end overwritten": _noise(120, PAGE),
    "pages in the middle overwritten": _noise(4 * PAGE, 9 * PAGE),
    "its -wal overwritten": _noise(0, None, "-wal"),
    "replaced by noise": _replaced(lambda path: Path(path).write_bytes(os.urandom(30_000))),
    "replaced by a text": _replaced(lambda path: Path(path).write_text("index\n" * 2000, encoding="utf-8")),
    "of a newer version": _set_version,
    "replaced by a newer version's": _replaced(_newer),
    "replaced by a newer version's with other tables": _replaced(lambda path: _newer(path, with_other_tables=True)),
    "without one of its tables": _without_a_table,
    "an empty file": _replaced(lambda path: Path(path).touch()),
    "a link to itself elsewhere": _linked,
    "a link to nothing": _replaced(lambda path: os.symlink("/nowhere/at/all.db", path)),
    "a FIFO": _replaced(os.mkfifo),
}
"""What the product repairs by itself."""

SAID: dict[str, Fault] = {
    "a folder": _replaced(os.mkdir),
    "a folder that is not empty": _replaced(lambda path: os.makedirs(os.path.join(path, "mine"))),
}
"""What it leaves alone and says."""
