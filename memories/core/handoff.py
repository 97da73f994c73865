"""Handoff: a note tagged `handoff` is shown first in the next session of its project, on any machine, once.

Once it was shown, its tag is changed to `handed-over`: the change is synced with the note, which stays an ordinary one.
"""

from __future__ import annotations

import os

from memories.core import clock, records, redaction, scope
from memories.core.errors import LLMMemoryError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder

TAG = "handoff"
SHOWN_TAG = "handed-over"
MOST = 10
"""Handoffs that wait at once; more than this are not left by people."""

_HAS_TAG = f"',' || replace(lower(memory.tags), ' ', '') || ',' LIKE '%,{TAG},%'"
"""The index knows only words: a note tagged `handoff-protocol` must not take a handoff's place among the MOST."""

LOCK_SECONDS = 0.2
"""How long a session's start waits for a process that writes records; then the handoff is shown once more."""


def waiting(
    connection: sqlite3.Connection, folder: DataFolder, project: scope.Scope, session_id: str
) -> list[dict[str, Any]]:
    """The records of the project's active handoffs that another session stored, newest first.

    The full-text index finds the tag among 10,000 notes in 1 ms, also where all of them speak of it; the file says
    whether it still has it.
    """
    condition, values = project.sql()
    rows = connection.execute(
        "SELECT memory.uuid FROM memory_fts JOIN memory ON memory.id = memory_fts.rowid "
        f"WHERE memory_fts MATCH ? AND {_HAS_TAG} AND memory.type = 'note' AND {condition} AND {scope.VISIBLE} "
        "AND memory.session_id IS NOT ? ORDER BY memory.created_at DESC, memory.uuid DESC LIMIT ?",
        (f"search_meta : {TAG}", *values, session_id, MOST),
    ).fetchall()
    found = []
    for (uuid,) in rows:
        try:
            record = redaction.load(folder, uuid)
        except LLMMemoryError:
            continue  # deleted or broken since the last scan
        if TAG in _tags(record) and record.get("status") != "archived":
            found.append({**record, "created_at": clock.normalise_time(record["created_at"]) or ""})
    return found


def take(folder: DataFolder, uuids: list[str]) -> None:
    """Note that these handoffs were shown. One that cannot be written now is shown again next time."""
    try:
        with FileLock(os.path.join(folder.state, "records.lock"), LOCK_SECONDS):
            for uuid in uuids:
                _take(folder, uuid)
    except LLMMemoryError:
        return  # another process writes, or the disk refuses


def _take(folder: DataFolder, uuid: str) -> None:
    try:
        records.update(folder, uuid, _mark_shown)
    except LLMMemoryError:
        return  # deleted, broken, or the disk refuses


def _tags(record: dict[str, Any]) -> list[str]:
    return [tag.strip().lower() for tag in (record.get("tags") or "").split(",")]


def _mark_shown(record: dict[str, Any]) -> bool:
    tags = [tag.strip() for tag in (record.get("tags") or "").split(",") if tag.strip()]
    changed = [SHOWN_TAG if tag.lower() == TAG else tag for tag in tags]
    record["tags"] = ", ".join(dict.fromkeys(changed))
    return changed != tags
