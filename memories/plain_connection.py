"""The mirror's connection where Django does not run (the commands of people): SQLite's alone, one for each folder."""

from __future__ import annotations

from memories.core import mirror_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder

_open: dict[str, tuple[int, sqlite3.Connection]] = {}
"""Mirror's path -> the inode of the file that was opened, its connection: as long as the process."""

kept: dict[str, Any] = {}
"""What is kept beside the connections."""


def opened(folder: DataFolder, inode: int) -> sqlite3.Connection:
    """The process's connection to the folder's mirror; reopened where it stands on another file than inode.

    Raises sqlite3.Error.
    """
    kept = _open.get(folder.mirror)
    if kept is None or kept[0] != inode:
        close(folder)
        kept = _open[folder.mirror] = (inode, mirror_file.opened(folder.mirror))
    return kept[1]


def close_all() -> None:
    """Close every one, as a process that ends does."""
    while _open:
        _open.popitem()[1][1].close()


def close(folder: DataFolder) -> None:
    """Close it; whoever reads next opens it anew."""
    kept = _open.pop(folder.mirror, None)
    if kept is not None:
        kept[1].close()
