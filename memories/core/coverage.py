"""What a project's narrative covers: its sessions in the archive against those it was written from.

A session counts when it has a session log and an archived transcript; subagent transcripts lie inside their session's
folder and never count. Sessions that make a narrative stale: those that it was not written from, and those that went on
after it was; not a one-shot run (`claude -p`), and not the session that asks, which is running.
"""

from __future__ import annotations

import os

from memories.core import clock, forgotten, records, redaction, scope
from memories.core.errors import LLMMemoryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from typing import Any

    from memories.core.paths import DataFolder

LISTED = 50
"""Sessions that the answer lists in full; the summary tells how many there are."""

_AT_ONCE = 500
"""Values in one query; SQLite before 3.32 takes 999."""


class Narrative:
    """The narrative that a project shows. uuid, content, created_at, refs (session ids it was written from); sizes and
    turns: session id -> bytes of the transcript, and turns in it, when it was read; forks: uuids of other active
    narratives, to be merged; whence: records.whence."""

    __slots__ = ("content", "created_at", "forks", "refs", "sizes", "turns", "uuid", "whence")

    def __init__(self, record: dict[str, Any], forks: list[str]) -> None:
        self.uuid: str = record["uuid"]
        self.content: str = record["content"]
        self.created_at: str = clock.normalise_time(record["created_at"]) or ""
        self.refs = records.session_refs(record.get("transcript_ref"))
        self.sizes = _numbers(record.get("processed_bytes"))
        self.turns = _numbers(record.get("processed_turns"))
        self.forks = forks
        self.whence = records.whence(record)


class _Session:
    """A logged and archived session: its end, its turns (None: its log does not say), its transcript's size in bytes;
    is_one_shot: a `claude -p` run; is_running: the session that asks."""

    __slots__ = ("ended_at", "is_one_shot", "is_running", "session_id", "size", "turns")

    def __init__(self, session_id: str, ended_at: str, turns: int | None, one_shot: int) -> None:
        self.session_id = session_id
        self.ended_at = ended_at
        self.turns = turns
        self.is_one_shot = bool(one_shot)
        self.is_running = False
        self.size = 0

    @property
    def counts(self) -> bool:
        """Whether what was said in it makes a narrative stale."""
        return not (self.is_one_shot or self.is_running)


def _numbers(value: object) -> dict[str, int]:
    """What is a number of a record's object; nothing where it is no object."""
    entries = value.items() if isinstance(value, dict) else ()
    return {key: number for key, number in entries if isinstance(number, int) and not isinstance(number, bool)}


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
            record = redaction.load(folder, uuid)
        except LLMMemoryError:
            continue  # deleted or broken since the last scan
        return Narrative(record, [other for (other,) in rows[index + 1 :]])
    return None


def archived_size(folder: DataFolder, session_id: str) -> int | None:
    """Bytes of a session's archived transcript; None when it is not archived, or the id could not be a file's name."""
    if "/" in session_id or session_id[:1] in {"", "."}:
        return None
    try:
        return os.lstat(f"{folder.transcripts}/{session_id}.jsonl").st_size
    except (OSError, ValueError):  # ValueError: a NUL, or half a surrogate pair
        return None


def processed(
    folder: DataFolder, connection: sqlite3.Connection | None, session_ids: list[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """How far sessions go now, for a narrative that is written from them: session id -> bytes of its transcript, and
    session id -> turns, each for those of which it is known.

    connection: to the mirror; None where it cannot be read: no turns then. Raises sqlite3.Error.
    """
    sizes = {one: size for one in session_ids if (size := archived_size(folder, one)) is not None}
    turns: dict[str, int] = {}
    for some in _pieces(sizes):
        turns.update(_logged_turns(connection, some))
    return sizes, turns


def _logged_turns(connection: sqlite3.Connection | None, session_ids: list[str]) -> dict[str, int]:
    if connection is None:
        return {}
    sql = (
        "SELECT session_id, turns FROM memory WHERE type = 'session_log' AND turns IS NOT NULL "
        f"AND session_id IN ({', '.join('?' * len(session_ids))}) ORDER BY created_at"
    )
    return dict(connection.execute(sql, session_ids).fetchall())


def _pieces(values: Iterable[str]) -> list[list[str]]:
    every = list(values)
    return [every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE)]


def _sessions(
    connection: sqlite3.Connection, folder: DataFolder, project: scope.Scope, own_session: str | None
) -> list[_Session]:
    """The project's logged and archived sessions, oldest first, each once. One query per id and name, each answered
    by the index alone."""
    found: dict[str, _Session] = {}
    for where, value in project.conditions():
        rows = connection.execute(
            "SELECT session_id, created_at, turns, one_shot FROM memory INDEXED BY memory_logs "
            f"WHERE type = 'session_log' AND session_id IS NOT NULL AND {where}",
            (value,),
        )
        for row in rows:
            known = found.get(row[0])
            if known is None or known.ended_at <= row[1]:
                found[row[0]] = _Session(*row)
    archived = []
    for session in found.values():
        size = archived_size(folder, session.session_id)
        if size is not None:
            session.size = size
            session.is_running = session.session_id == own_session
            archived.append(session)
    return sorted(archived, key=lambda one: (one.ended_at, one.session_id))


def coverage(
    connection: sqlite3.Connection, folder: DataFolder, project: scope.Scope, *, own_session: str | None = None
) -> dict[str, Any]:
    """How far the project's narrative has come: coverage_of the narrative that it shows, with what each listed session
    takes to read. own_session: the session that asks."""
    from memories.core import unread

    current = narrative(connection, folder, project)
    found = coverage_of(current, connection, folder, project, own_session=own_session)
    for entry in found["unprocessed"]:
        entry["tokens"] = unread.tokens(connection, entry["session_id"], entry["bytes"], 0)
    for entry in found["grown"]:
        read = current.sizes.get(entry["session_id"], 0) if current else 0
        entry["tokens"] = unread.tokens(connection, entry["session_id"], entry["bytes"], read)
        entry["cursor"] = unread.cursor(entry["path"], read)
    return found


def coverage_of(
    current: Narrative | None,
    connection: sqlite3.Connection,
    folder: DataFolder,
    project: scope.Scope,
    *,
    own_session: str | None = None,
) -> dict[str, Any]:
    """How far a narrative has come; own_session: the session that asks. Reads no transcript: it runs at session starts.

    Gives {project, narrative_uuid, status (`none`: no narrative, `stale`, `current`), on_disk and processed (counts of
    sessions), unprocessed and grown (lists of {session_id, ended_at, bytes, path, turns (not read yet), one_shot;
    running: True for own_session}, oldest first), stale_refs (session ids the narrative names that are not in the
    archive, but for those that were forgotten or let go), forks, summary}, and of those that count: sessions_since,
    turns_since, since (the oldest one's end, or None).
    """
    sessions = _sessions(connection, folder, project, own_session)
    refs = set(current.refs) if current else set()
    new = [one for one in sessions if one.session_id not in refs]
    grown = [
        one
        for one in sessions
        if current and one.session_id in refs and grew(current, one.session_id, one.ended_at, one.size, one.turns)
    ]
    unread = _unread_turns(connection, current, new, grown)
    counted = [one for one in sorted(new + grown, key=lambda one: one.ended_at) if one.counts]
    present = {one.session_id for one in sessions}
    claimed = [one for one in (current.refs if current else []) if one not in present]
    unarchived = [one for one in claimed if archived_size(folder, one) is None]
    missing, *gone = forgotten.told_apart(folder, unarchived)
    found: dict[str, Any] = {
        "project": project.name,
        "narrative_uuid": current.uuid if current else None,
        "status": "none" if current is None else "stale" if counted else "current",
        "on_disk": len(sessions),
        "processed": len(sessions) - len(new) - len(grown),
        "sessions_since": len(counted),
        "turns_since": sum(unread[one.session_id] for one in counted),
        "since": counted[0].ended_at if counted else None,
        "unprocessed": _listed(folder, new, unread),
        "grown": _listed(folder, grown, unread),
        "stale_refs": missing,
        "forks": current.forks if current else [],
    }
    found["summary"] = _summary(found, current, new, grown) + _said_gone(*gone)
    return found


def grew(current: Narrative, session_id: str, ended_at: str, size: int, turns: int | None) -> bool:
    """A session has grown when more was said since it was read: its transcript (size: bytes now) is larger, and has
    more turns where both numbers are known (opening a session and leaving it adds lines, but says nothing). Where its
    size was not noted (the first LLM Memory's narratives), when it ended after the narrative was written."""
    read_size, read_turns = current.sizes.get(session_id), current.turns.get(session_id)
    if read_size is None:
        return ended_at > current.created_at
    return size > read_size and (read_turns is None or turns is None or turns > read_turns)


def _unread_turns(
    connection: sqlite3.Connection, current: Narrative | None, new: list[_Session], grown: list[_Session]
) -> dict[str, int]:
    """Session id -> turns that the narrative does not know; 1 at least."""
    unknown = [one.session_id for one in new + grown if one.turns is None]
    indexed: dict[str, int] = {}
    for some in _pieces(unknown):
        marks = ", ".join("?" * len(some))
        sql = f"SELECT session_id, turns FROM session WHERE part = '' AND session_id IN ({marks})"
        indexed.update(connection.execute(sql, some).fetchall())
    left = {}
    for one in new + grown:
        turns = indexed.get(one.session_id, 1) if one.turns is None else one.turns
        size = current.sizes.get(one.session_id, 0) if current else 0
        read = current.turns.get(one.session_id) if current and one.turns is not None else None
        if read is None:  # not noted: by the share of bytes
            read = turns * min(size, one.size) // max(one.size, 1)
        left[one.session_id] = max(turns - read, 1)
    return left


def _listed(folder: DataFolder, sessions: list[_Session], unread: dict[str, int]) -> list[dict[str, Any]]:
    """The first LISTED of sessions as the answer has them; those that count go before those that do not, so that a
    hundred one-shot runs hide nothing."""
    chosen = sorted(sessions, key=lambda one: not one.counts)[:LISTED]
    return [
        {
            "session_id": one.session_id,
            "ended_at": one.ended_at,
            "bytes": one.size,
            "path": os.path.join(folder.transcripts, f"{one.session_id}.jsonl"),
            "turns": unread[one.session_id],
            "one_shot": one.is_one_shot,
            **({"running": True} if one.is_running else {}),
        }
        for one in sorted(chosen, key=lambda one: (one.ended_at, one.session_id))
    ]


def _summary(found: dict[str, Any], current: Narrative | None, new: list[_Session], grown: list[_Session]) -> str:
    """What the answer says, in words."""
    written = f"{current.created_at[:16].replace('T', ' ')} UTC" if current else ""
    on_disk, lacking, longer = found["on_disk"], sum(one.counts for one in new), sum(one.counts for one in grown)
    behind = f": {counted(found['turns_since'], 'turn')} since {found['since'][:10]}." if found["since"] else "."
    if current is None:
        text = f"No narrative yet; {counted(lacking, 'archived session')} to write one from{behind}"
    elif lacking or longer:
        text = f"The narrative of {written} lacks {lacking} of {counted(on_disk, 'session')}"
        text += f"; {longer} grew since {'it was' if longer == 1 else 'they were'} read" if longer else ""
        text += behind
    else:
        text = f"The narrative of {written} covers "
        all_of_them = (
            f"all {counted(on_disk, 'archived session')}." if not (new or grown) else "every session that counts."
        )
        text += all_of_them if on_disk else "no session that is archived here."
    text += f" The {LISTED} oldest are listed." if lacking > LISTED else ""
    one_shots = sum(one.is_one_shot for one in new + grown)
    if one_shots:
        text += f" Besides, {counted(one_shots, 'one-shot run')} (claude -p) that need not be in it."
    if any(one.is_running for one in new + grown):
        text += " The session that runs now is not counted."
    if found["stale_refs"]:
        text += f" {counted(len(found['stale_refs']), 'session')} that it names are not in the archive here."
    if found["forks"]:
        text += f" Another active narrative exists ({', '.join(found['forks'])}): merge them into one."
    return text


def _said_gone(gone: list[str], let_go: list[str]) -> str:
    """What is said of sessions that the narrative names and nobody misses."""
    text = ""
    if gone:
        text += f" {counted(len(gone), 'session')} that it names {'was' if len(gone) == 1 else 'were'} forgotten."
    if let_go:
        text += f" Of {counted(len(let_go), 'session')} that it names the transcript was let go; the log stays."
    return text


def counted(number: int, noun: str) -> str:
    """`1 turn`, `3 turns`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
