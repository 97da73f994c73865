"""Session logs: what happened in a session, told from its transcript without any model.

Deterministic: the same transcript and project give the same record, so that two machines never disagree about one.
"""

from __future__ import annotations

import json
import os

from memories.core import clock, files, forgotten, records, redaction, transcripts
from memories.core.errors import RecordNotFoundError, TranscriptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.core.redact import Redactor

NAMESPACE = "6f1c1f0e-4d0b-5b0e-9a5e-1c4b6a0f7d21"
"""Session logs' ids are uuid5 of the session id in this namespace (docs/records.md)."""

IMPORTANCE = 3
FORM = 2
"""Raised when logs gain parts or fields: a thorough sweep then brings older ones up to date (sweep.py)."""

PLACE_CHARS = 8
"""Characters of the session id in a place `[id:line]`: a UUID's first group, as people quote it."""

_DERIVED = (
    "schema_version", "type", "content", "project", "project_id", "session_id", "transcript_ref", "created_at",
    "turns", "entrypoint",
)  # fmt: skip


def log_uuid(session_id: str) -> str:
    """The id of a session's log: uuid5(NAMESPACE, session_id) as 32 hex digits."""
    return records.uuid5(NAMESPACE, session_id)


def build(path: str, project: Project | None, redactor: Redactor | None = None) -> dict[str, Any] | None:
    """The session log of a transcript as a record, not on disk yet; None when nobody said anything in it.

    created_at is the session's own end. redactor: what secrets are taken out with before anything is quoted; None: the
    rules without any patterns of the user's. Raises TranscriptError when the file cannot be read.
    """
    from memories.core import session_log_text, session_reading  # whoever only asks for a log's id does without

    redactor = redactor or redaction.default()
    session = session_reading.gather(path, redactor)
    if not session.requests and not session.answers and not session.tools:
        return None
    session_id = os.path.basename(path).removesuffix(transcripts.SUFFIX)
    log = {
        "schema_version": records.SCHEMA_VERSION,
        "uuid": log_uuid(session_id),
        "type": "session_log",
        "content": session_log_text.content(session, project, session_id[:PLACE_CHARS]),
        "project": project.name if project else None,
        "project_id": project.id if project else None,
        "session_id": session_id,
        "importance": IMPORTANCE,
        "transcript_ref": json.dumps([session_id]),
        "tags": None,
        "created_at": max(session.times, default="") or _file_time(path),
        "connections": [],
        "status": "active",
        "turns": session.requests + session.answers,
    }
    if session.entrypoint:
        log["entrypoint"] = session.entrypoint
    redactor.record(log)  # what only became a secret where texts met, and names: of the project, the branch
    return log


def _file_time(path: str) -> str:
    try:
        return clock.format_time(os.stat(path).st_mtime)
    except OSError as error:
        raise TranscriptError(f"Cannot read {path}: {error.strerror}. Check that it exists.") from error


def store(folder: DataFolder, log: dict[str, Any]) -> bool:
    """Save a built log unless disk holds the same, a later one, or its tombstone, or its session is forgotten. True
    when it was written.

    What others put into the record is kept: unknown fields, connections, status, tags, importance, and the time at
    which it was restored from trash/.

    Raises InvalidRecordError (the file there is not a record; it is left alone), StorageError, LockTimeoutError.
    """
    path = records.record_path(folder, log["uuid"])
    with records.lock(folder):
        return files.retried(path, lambda: _store(folder, log, path))


def _store(folder: DataFolder, log: dict[str, Any], path: str) -> bool:
    if forgotten.kind_of(folder, log["session_id"]) == forgotten.FORGOTTEN:
        return False
    try:
        old, seen = records.load_seen(folder, log["uuid"])
    except RecordNotFoundError:
        if records.tombstone(folder, log["uuid"]) is not None:
            return False
        records.save(folder, log, unchanged=[files.Seen(path, None)])
        return True
    if (clock.parse_time(old["created_at"]) or 0) > (clock.parse_time(log["created_at"]) or 0):
        return False
    kept = {name: value for name, value in old.items() if name not in _DERIVED}
    merged = {**kept, **{name: log[name] for name in _DERIVED if name in log}}
    if merged == old:
        return False
    records.save(folder, merged, unchanged=[seen])
    return True


def refresh(folder: DataFolder, path: str, project: Project | None) -> bool:
    """Build a transcript's session log and store it; True when it was written. Raises what build and store raise."""
    log = build(path, project, redaction.of(folder))
    return log is not None and store(folder, log)


def exists(folder: DataFolder, session_id: str) -> bool:
    """Whether a session has its log, or had one that was deleted or forgotten."""
    if forgotten.kind_of(folder, session_id) == forgotten.FORGOTTEN:
        return True
    uuid = log_uuid(session_id)
    return os.path.lexists(records.record_path(folder, uuid)) or records.tombstone(folder, uuid) is not None


def is_of_older_form(folder: DataFolder, session_id: str) -> bool:
    """Whether a session's log is there and lacks what FORM added. Raises InvalidRecordError, StorageError."""
    try:
        return "turns" not in records.load(folder, log_uuid(session_id))
    except RecordNotFoundError:
        return False
