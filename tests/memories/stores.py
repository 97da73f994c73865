"""Helpers of the services' tests: storing outside any project, and looking at or removing the real mirror."""

from __future__ import annotations

import os
from typing import Any

from memories import services
from memories.core import mirror, records
from memories.core.paths import DataFolder
from memories.services import Session

NOWHERE = Session()


def store(folder: DataFolder, session: Session, content: str, **more: Any) -> dict[str, Any]:
    """Store a note and give its record."""
    answer = services.memory_store(folder, session, **{"content": content, "type": "note", **more})
    assert answer["status"] == "stored"
    return records.load(folder, answer["uuid"])


def in_mirror(folder: DataFolder) -> set[str]:
    """The uuids that the mirror holds."""
    connection = mirror.connect(folder.mirror)
    try:
        return {uuid for (uuid,) in connection.execute("SELECT uuid FROM memory")}
    finally:
        connection.close()


def remove_mirror(folder: DataFolder) -> None:
    """Take the mirror away, as a user may at any time."""
    for suffix in ("-wal", "-shm", ""):
        if os.path.exists(folder.mirror + suffix):
            os.unlink(folder.mirror + suffix)
