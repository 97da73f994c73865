"""Which archived transcripts the citations of a text mean, so that a page can link to their lines."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from memories.core import archived_sessions, citations
from memories.core.errors import TranscriptError
from memories.core.paths import DataFolder

MAX_SESSIONS = 200
"""Sessions of one text that are looked for; a narrative cites some dozens."""

_AFTER_HEX = "g"


def cited_sessions(connection: sqlite3.Connection, folder: DataFolder, content: str, refs: list[str]) -> dict[str, str]:
    """Session as a citation names it -> the name of the archived transcript, for those that are certain.

    A beginning that one of refs (the session ids the text was written from) has means that one, else the one archived
    session that begins so. One query at most. Raises sqlite3.Error.
    """
    places = (session for found in citations.cited(content).values() for session, _ in found)
    named = list(dict.fromkeys(places))[:MAX_SESSIONS]
    starts = {name: name.partition("/")[0].lower() for name in named}
    of_refs = {start: _only(one for one in refs if one.lower().startswith(start)) for start in starts.values()}
    unknown = [start for start, found in of_refs.items() if found is None]
    known = {**of_refs, **_indexed(connection, unknown)}
    names = {}
    for name, start in starts.items():
        _, slash, beside = name.partition("/")
        whole = known[start]
        try:
            names[name] = archived_sessions.find(folder, f"{whole}{slash}{beside}").name if whole else ""
        except TranscriptError:
            continue  # not archived here, or no such file beside it
    return {name: found for name, found in names.items() if found}


def _indexed(connection: sqlite3.Connection, starts: list[str]) -> dict[str, str | None]:
    """Beginning of a session id -> the one session in the index that has it; None where there is none, or several."""
    starts = [start for start in starts if re.fullmatch(r"[0-9a-f-]+", start)]
    if not starts:
        return {}
    where = " OR ".join(["session_id >= ? AND session_id < ?"] * len(starts))
    bounds = [bound for start in starts for bound in (start, start + _AFTER_HEX)]
    rows = connection.execute(f"SELECT DISTINCT session_id FROM session WHERE {where}", bounds).fetchall()
    return {start: _only(found for (found,) in rows if found.startswith(start)) for start in starts}


def _only(found: Iterable[str]) -> str | None:
    """The one string of some; None where there is none, or more than one."""
    every = list(found)
    return every[0] if len(every) == 1 else None
