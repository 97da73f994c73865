"""The mirror's connection where Django runs (dashboard, MCP server): its own, so that the ORM reads the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError, connection

from memories.core.paths import DataFolder

_mode: ContextVar[str] = ContextVar("mirror_mode", default="rw")


@contextmanager
def read_only_mirror() -> Iterator[None]:
    """Within it, the mirror is opened so that SQLite itself refuses every write."""
    before = _mode.set("ro")
    try:
        yield
    finally:
        _mode.reset(before)


def opened(folder: DataFolder, inode: int) -> sqlite3.Connection:
    """Django's connection, pointed at the folder's mirror; reopened where it stands on another file than inode.

    Raises sqlite3.Error.
    """
    name = f"file:{quote(folder.mirror)}?mode={_mode.get()}"
    if connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name
    if getattr(connection, "mirror_inode", None) != inode:
        connection.close()
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise sqlite3.OperationalError(str(error)) from error
    connection.mirror_inode = inode  # type: ignore[attr-defined]
    raw: sqlite3.Connection = connection.connection
    return raw


def kept() -> dict[str, Any]:
    """What is kept beside the connection, which is this thread's own."""
    found: dict[str, Any] = connection.__dict__.setdefault("mirror_kept", {})
    return found


def close() -> None:
    """Close it; whoever reads next opens it anew."""
    connection.close()
