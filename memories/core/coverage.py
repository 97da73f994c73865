"""What a project's narrative covers: its sessions in the archive against those it was written from.

A session counts when it has a session log and an archived transcript; subagent transcripts lie inside their session's
folder and never count.
"""

from __future__ import annotations

import os

from memories.core import clock, records, scope
from memories.core.errors import LLMMemoryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder

LISTED = 50
"""Sessions that the answer lists in full; the summary tells how many there are."""


class Narrative:
    """The narrative that a project shows. uuid, content, created_at, refs (session ids it was written from), sizes
    (session id -> bytes of the transcript when it was read); forks: uuids of other active narratives, to be merged."""

    __slots__ = ("content", "created_at", "forks", "refs", "sizes", "uuid")

    def __init__(self, record: dict[str, Any], forks: list[str]) -> None:
        self.uuid: str = record["uuid"]
        self.content: str = record["content"]
        self.created_at: str = clock.normalise_time(record["created_at"]) or ""
        self.refs = records.session_refs(record.get("transcript_ref"))
        sizes = record.get("processed_bytes")
        self.sizes: dict[str, int] = sizes if isinstance(sizes, dict) else {}
        self.forks = forks


def narrative(connection: sqlite3.Connection, folder: DataFolder, project: scope.Scope) -> Narrative | None:
    """The project's narrative: of several active ones the latest by created_at, then uuid; None when there is none."""
    condition, values = project.sql()
    rows = connection.execute(
        f"SELECT uuid FROM memory WHERE type = 'narrative' AND {scope.VISIBLE} AND {condition} "
        "ORDER BY created_at DESC, uuid DESC",
        values,
    ).fetchall()
    for index, (uuid,) in enumerate(rows):
        try:
            record = records.load(folder, uuid)
        except LLMMemoryError:
            continue  # deleted or broken since the last scan
        return Narrative(record, [other for (other,) in rows[index + 1 :]])
    return None


def archived_sizes(folder: DataFolder) -> dict[str, int]:
    """Session id -> bytes of its archived transcript."""
    sizes = {}
    try:
        with os.scandir(folder.transcripts) as entries:
            for entry in entries:
                if entry.name.endswith(".jsonl") and entry.name[0] != ".":
                    sizes[entry.name[:-6]] = entry.stat(follow_symlinks=False).st_size
    except OSError:
        pass
    return sizes


def _sessions(connection: sqlite3.Connection, project: scope.Scope) -> list[tuple[str, str]]:
    """(session id, end) of the project's logged sessions, oldest first, each once."""
    condition, values = project.sql()
    rows = connection.execute(
        "SELECT session_id, max(created_at) FROM memory WHERE type = 'session_log' AND session_id IS NOT NULL "
        f"AND {condition} GROUP BY session_id ORDER BY 2, 1",
        values,
    )
    return [(session_id, ended_at) for session_id, ended_at in rows]


def coverage(connection: sqlite3.Connection, folder: DataFolder, project: scope.Scope) -> dict[str, Any]:
    """How far the project's narrative has come: coverage_of the narrative that it shows."""
    return coverage_of(narrative(connection, folder, project), connection, folder, project)


def coverage_of(
    current: Narrative | None, connection: sqlite3.Connection, folder: DataFolder, project: scope.Scope
) -> dict[str, Any]:
    """How far a narrative has come.

    Gives {project, narrative_uuid, status (`none`: no narrative, `stale`, `current`), on_disk and processed (counts of
    sessions), unprocessed and grown (lists of {session_id, ended_at, bytes, path}, oldest first), stale_refs (session
    ids the narrative names that are not in the archive), forks, summary}.
    """
    sizes = archived_sizes(folder)
    sessions = [(sid, ended) for sid, ended in _sessions(connection, project) if sid in sizes]
    refs = set(current.refs) if current else set()
    entry = {
        sid: {
            "session_id": sid,
            "ended_at": ended,
            "bytes": sizes[sid],
            "path": os.path.join(folder.transcripts, f"{sid}.jsonl"),
        }
        for sid, ended in sessions
    }
    unprocessed = [entry[sid] for sid, _ in sessions if sid not in refs]
    grown = [
        entry[sid] for sid, ended in sessions if current and sid in refs and _grew(current, sid, ended, sizes[sid])
    ]
    missing = [sid for sid in (current.refs if current else []) if sid not in sizes]
    processed = len(sessions) - len(unprocessed) - len(grown)
    status = "none" if current is None else "stale" if unprocessed or grown else "current"
    return {
        "project": project.name,
        "narrative_uuid": current.uuid if current else None,
        "status": status,
        "on_disk": len(sessions),
        "processed": processed,
        "unprocessed": unprocessed[:LISTED],
        "grown": grown[:LISTED],
        "stale_refs": missing,
        "forks": current.forks if current else [],
        "summary": _summary(current, len(sessions), len(unprocessed), len(grown), len(missing)),
    }


def _grew(current: Narrative, session_id: str, ended_at: str, size: int) -> bool:
    """A session has grown when its transcript is larger than when it was read, or, where that size is not known (the
    first LLM Memory's narratives), when it ended after the narrative was written."""
    known = current.sizes.get(session_id)
    return size > known if isinstance(known, int) else ended_at > current.created_at


def _summary(current: Narrative | None, on_disk: int, unprocessed: int, grown: int, missing: int) -> str:
    if current is None:
        text = f"No narrative yet; {on_disk} archived session{'s' * (on_disk != 1)} to write one from."
        text += f" The {LISTED} oldest are listed." if unprocessed > LISTED else ""
    elif unprocessed or grown:
        text = f"The narrative of {current.created_at} lacks {unprocessed} of {on_disk} sessions"
        text += f"; {grown} grew since they were read." if grown else "."
        text += f" The {LISTED} oldest are listed." if unprocessed > LISTED else ""
    else:
        text = f"The narrative of {current.created_at} covers "
        text += f"all {on_disk} archived sessions." if on_disk else "no session that is archived here."
    if missing:
        text += f" {missing} session{'s' * (missing != 1)} that it names are not in the archive here."
    if current and current.forks:
        text += f" Another active narrative exists ({', '.join(current.forks)}): merge them into one."
    return text
