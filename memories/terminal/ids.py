"""A memory's id as people give it: whole, or the first hex digits of it that no other memory begins with."""

from __future__ import annotations

import os
import re
import sqlite3

from memories import selectors
from memories.core import records
from memories.core.cleaning import clean
from memories.core.errors import LLMMemoryError, MirrorUnavailableError, RecordNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

MIN_PREFIX = 6
"""Hex digits that are enough: as many as archived_sessions asks of a session's id."""

SHOWN = 10
"""Ids that a message names; the rest is counted."""

_PREFIX = re.compile(rf"[0-9a-f]{{{MIN_PREFIX},32}}")
_SUFFIX = ".json"


def of_record(folder: DataFolder, given: str) -> str:
    """The uuid that somebody means; one that is given whole is not looked up.

    Raises RecordNotFoundError where none begins so, several do, or it is the id of a session or of a deleted memory.
    """
    word = _word(given)
    if records.is_uuid(word):
        return word
    found = (_known(folder, word) or _named(folder.records, word)) if _PREFIX.fullmatch(word) else []
    if len(found) == 1:
        return found[0]
    if found:
        raise RecordNotFoundError(_several(found, word, "memories"))
    _refuse_session(folder, given)
    if not _PREFIX.fullmatch(word):
        raise RecordNotFoundError(_no_id(given, "`llm-memory search` and `llm-memory recent` show them."))
    deleted = _named(folder.trash, word)
    if deleted:
        raise RecordNotFoundError(f"{deleted[0]} is deleted: `llm-memory restore {deleted[0]}` brings it back.")
    raise RecordNotFoundError(f"No memory's id begins with {word}: `llm-memory recent` lists the newest.")


def of_deleted(folder: DataFolder, given: str) -> str:
    """The uuid of a memory in the trash, as of_record. Raises RecordNotFoundError."""
    word = _word(given)
    if records.is_uuid(word):
        return word
    if not _PREFIX.fullmatch(word):
        raise RecordNotFoundError(_no_id(given, "`llm-memory restore` lists what is deleted."))
    found = _named(folder.trash, word)
    if len(found) > 1:
        raise RecordNotFoundError(_several(found, word, "deleted memories"))
    if not found:
        raise RecordNotFoundError(f"No deleted memory's id begins with {word}: `llm-memory restore` lists them.")
    return found[0]


def deleted(folder: DataFolder) -> list[str]:
    """The uuids in the trash, the last deleted first."""
    found = []
    for uuid in _named(folder.trash, ""):
        try:
            found.append((os.stat(records.trash_path(folder, uuid)).st_mtime, uuid))
        except OSError:
            continue  # restored meanwhile
    return [uuid for _, uuid in sorted(found, reverse=True)]


def _word(given: str) -> str:
    return given.strip().lower()


def _known(folder: DataFolder, prefix: str) -> list[str]:
    """What the index knows; the files are asked where it knows nothing."""
    try:
        rows = selectors.mirror_connection(folder).execute(
            "SELECT uuid FROM memory WHERE uuid >= ? AND uuid < ? ORDER BY uuid", (prefix, prefix + "g")
        )
        return [uuid for (uuid,) in rows]
    except (MirrorUnavailableError, sqlite3.Error):
        return []


def _named(place: str, prefix: str) -> list[str]:
    """The uuids of a folder's files that begin so."""
    try:
        names = os.listdir(place)
    except OSError:
        return []
    found = (name.removesuffix(_SUFFIX) for name in names if name.startswith(prefix) and name.endswith(_SUFFIX))
    return sorted(uuid for uuid in found if records.is_uuid(uuid))


def _refuse_session(folder: DataFolder, given: str) -> None:
    from memories.core import archived_sessions  # a word that is no memory's: seldom

    try:
        session_id = archived_sessions.find(folder, given).session_id
    except LLMMemoryError:
        return
    raise RecordNotFoundError(f"{session_id} is a session: `llm-memory transcript {session_id}` reads it.")


def _several(found: list[str], prefix: str, what: str) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{len(found)} {what} begin with {prefix}: {', '.join(found[:SHOWN])}{more}. Give more of the id."


def _no_id(given: str, where: str) -> str:
    return f"{clean(given)[:80]!r} is no id: take a memory's, or at least its first {MIN_PREFIX} hex digits. {where}"
