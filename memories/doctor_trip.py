"""Doctor's round trip: a memory and a conversation on the whole path that real ones take, in a folder of their own."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from typing import Any

from memories import search, selectors, services
from memories.core import conversation_index, mirror, records, transcripts
from memories.core.errors import LLMMemoryError, RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.settings import disabled_by_environment
from memories.findings import Check

TEXT = "A heron stood in the reeds."
QUESTION = "standing heron"
"""Found only by a text index that knows words by their stems."""

_FAULTS = (LLMMemoryError, OSError, sqlite3.Error)


class _BrokenTripError(Exception):
    """A step did not do what it is for; the text says which."""


def round_trip(_folder: DataFolder) -> Iterator[Check]:
    """Store, find, read, delete and restore a memory, and find a conversation, with the code that the tools call."""
    if disabled_by_environment():
        todo = "unset LLM_MEMORY_DISABLE, then run doctor again"
        yield Check("round trip", "warn", "not tried: LLM_MEMORY_DISABLE is set here", todo)
        return
    try:
        with tempfile.TemporaryDirectory(prefix="llm-memory-doctor-") as place:
            trial = DataFolder(os.path.join(place, "memory"))
            try:
                _travel(trial)
            finally:
                selectors.close_mirror(trial)  # which goes now
    except _BrokenTripError as error:
        todo = "this Python's SQLite lacks FTS5 with porter, or our code is broken"
        yield Check("round trip", "fail", str(error), todo)
    except _FAULTS as error:
        yield Check("round trip", "fail", f"stopped: {error}", "check Python's SQLite, free space and $TMPDIR")
    else:
        text = "stored, found, read, deleted and restored a memory, found a conversation"
        yield Check("round trip", "ok", f"{text} (SQLite {sqlite3.sqlite_version})")


def _travel(trial: DataFolder) -> None:
    """Raises _BrokenTripError at the first step that fails, and what the steps raise."""
    trial.create()
    mirror.update(trial)
    stored = services.memory_store(trial, services.Session(), content=TEXT, type="note")
    if stored["status"] != "stored" or stored["warnings"]:
        raise _BrokenTripError(f"storing a memory gave {stored['status']}: {'; '.join(stored['warnings'])}")
    found = stored["uuid"]
    _expect(found in _hits(trial, "memories"), "a stored memory was not found")
    _expect(selectors.memory_get(trial, found)["content"] == TEXT, "a stored memory was read with another text")
    services.memory_delete(trial, found)
    _expect(found not in _hits(trial, "memories"), "a deleted memory was still found")
    _expect(_is_gone(trial, found), "a deleted memory was still read")
    _expect(records.tombstone(trial, found) is not None, "a deleted memory was not in the trash")
    services.memory_restore(trial, found)
    _expect(found in _hits(trial, "memories"), "a restored memory was not found")
    session = _say(trial)
    _expect(session in _hits(trial, "transcripts"), "an archived conversation was not found")


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise _BrokenTripError(otherwise)


def _hits(trial: DataFolder, where: str) -> list[Any]:
    results = search.memory_search(trial, QUESTION, scope=where)["results"]
    return [hit.get("uuid") or hit.get("session_id") for hit in results]


def _is_gone(trial: DataFolder, found: str) -> bool:
    try:
        selectors.memory_get(trial, found)
    except RecordNotFoundError:
        return True
    return False


def _say(trial: DataFolder) -> str:
    """Archive and index a conversation of one line; its session's id."""
    session = str(uuid.uuid4())
    line = {"type": "user", "message": {"role": "user", "content": TEXT}}
    with open(transcripts.archive_path(trial, session), "w", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    conversation_index.update(trial)
    return session
