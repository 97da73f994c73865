"""What `llm-memory forget` shows before it does anything: which sessions are meant, what of each goes, what stays."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from memories.core import (
    archived_sessions,
    clock,
    forgotten,
    mirror,
    mirror_schema,
    projects,
    records,
    scope,
    session_logs,
    session_place,
    transcripts,
)
from memories.core import settings as user_settings
from memories.core.errors import MirrorUnavailableError, ProjectError, TranscriptError
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.core.transcripts import Source
from memories.disk_use import said_size
from memories.named import counted

_PREFIX = re.compile(rf"[0-9a-fA-F-]{{{archived_sessions.MIN_PREFIX},36}}")
_AT_ONCE = 500
_NAMED = 10
_TITLE_CHARS = 60


@dataclass(frozen=True)
class Stored:
    """A memory that stays: stored in the session, or a narrative that was written from it (is_from)."""

    uuid: str
    type: str
    title: str
    is_from: bool


@dataclass(frozen=True)
class Listed:
    """A session that is to be forgotten. title: of its log, "" without one; project: "" for none; ended_at: a record's
    time, "" where unknown; turns: None where unknown. size and files: what it has in transcripts/, bytes. logs: uuids
    of its session logs. claude_path: its transcript in Claude Code's folder, "" for none. stays: memories that do.
    kind: how it is marked already, None for not."""

    session_id: str
    title: str
    project: str
    ended_at: str
    turns: int | None
    size: int
    files: int
    logs: list[str]
    claude_path: str
    stays: list[Stored]
    kind: str | None

    @property
    def is_gone(self) -> bool:
        """Whether it is forgotten already, and nothing of it is here."""
        return self.kind == forgotten.FORGOTTEN and not self.files and not self.logs

    @property
    def is_unknown(self) -> bool:
        """Whether there is no trace of it, neither here nor in Claude Code's folder."""
        return self.kind is None and not (self.files or self.logs or self.claude_path or self.stays)


class _Log(NamedTuple):
    """A session log's row."""

    uuid: str
    title: str
    ended_at: str
    turns: int | None
    project: str | None


def index(folder: DataFolder) -> sqlite3.Connection | None:
    """The index as it is; None where it cannot be read."""
    try:
        return mirror.connect(folder.mirror, read_only=True)
    except MirrorUnavailableError:
        return None


def no_index() -> sqlite3.Connection:
    """An index without a row, for Known: sessions are then found by their files."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    mirror_schema.create(connection)
    return connection


def _is_file(folder: DataFolder, uuid: str) -> bool:
    return os.path.lexists(records.record_path(folder, uuid))


class Known:
    """The sessions that there are traces of: in transcripts/, in Claude Code's folder, as logs, as marks.

    connection: to the mirror, which is up to date. Raises sqlite3.Error.
    """

    def __init__(self, folder: DataFolder, projects_dir: str, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection
        self.archived = session_place.grouped(folder)
        self.sources: dict[str, Source] = {}
        for source in transcripts.iter_sources(projects_dir):
            other = self.sources.get(source.session_id)
            if other is None or source.size > other.size:
                self.sources[source.session_id] = source
        self._marks = forgotten.marked(folder)

    def resolve(self, names: Iterable[str]) -> list[str]:
        """Session ids for ids and beginnings of ids, each once. A whole id is taken even where nothing of it is here:
        it may be on another machine. Raises TranscriptError."""
        sql = "SELECT DISTINCT session_id FROM memory WHERE type = 'session_log' AND session_id IS NOT NULL"
        logged = {one for (one,) in self._connection.execute(sql) if transcripts.is_session_id(one)}
        known = sorted({*self.archived, *self.sources, *self._marks, *logged})
        return list(dict.fromkeys(_resolved(name.strip(), known) for name in names))

    def of_project(self, name: str) -> tuple[scope.Scope, list[str]]:
        """The project that a name or id means, and its sessions, archived or not. Raises ProjectError where it is none
        or several; TranscriptError, StorageError."""
        settings = user_settings.read_settings(self._folder)[0]
        meant = scope.of_name(self._connection, name, None, settings)
        if meant.several:
            listed = ", ".join(meant.several)
            raise ProjectError(f"The name {meant.name!r} fits several projects: {listed}. Say which one, by its id.")
        found: set[str] = set()
        for table, condition in (("memory", "type = 'session_log' AND "), ("session", "")):
            where, values = meant.sql(table)
            sql = f"SELECT DISTINCT session_id FROM {table} WHERE {condition}{where}"
            found.update(one for (one,) in self._connection.execute(sql, values) if transcripts.is_session_id(one))
        waiting = [one for session_id, one in self.sources.items() if session_id not in self.archived]
        found.update(one.session_id for one in waiting if _launched_in(one, meant, settings))
        if not found:
            raise ProjectError(f"No session of a project {name!r} is here. `llm-memory transcript` lists the newest.")
        return meant, sorted(found)

    def listed(self, session_ids: Iterable[str]) -> list[Listed]:
        """What there is of each session, oldest first; those of which no end is known last."""
        wanted = list(session_ids)
        logs, stays = self._logs(wanted), self._stays(wanted)
        found = [self._one(session_id, logs.get(session_id, []), stays.get(session_id, [])) for session_id in wanted]
        return sorted(found, key=lambda one: (one.ended_at or "~", one.session_id))

    def _one(self, session_id: str, logs: list[_Log], stays: list[Stored]) -> Listed:
        place = session_place.place_of(self._folder, session_id, self.archived.get(session_id, []))
        source = self.sources.get(session_id)
        own = session_logs.log_uuid(session_id)
        log = next((one for one in logs if one.uuid == own), logs[0] if logs else _Log("", "", "", None, None))
        ended_at = log.ended_at
        if not ended_at and (place.ended_ns or source):
            ended_at = clock.format_time((place.ended_ns or (source.mtime_ns if source else 0)) / 1e9)
        uuids = [one.uuid for one in logs]
        if own not in uuids and (_is_file(self._folder, own) or records.tombstone(self._folder, own) is not None):
            uuids.append(own)
        return Listed(
            session_id=session_id,
            title=log.title,
            project=log.project or "",
            ended_at=ended_at,
            turns=log.turns,
            size=place.size,
            files=place.files,
            logs=uuids,
            claude_path=source.path if source else "",
            stays=stays,
            kind=self._marks.get(session_id),
        )

    def _logs(self, session_ids: list[str]) -> dict[str, list[_Log]]:
        sql = "SELECT session_id, uuid, title, created_at, turns, project FROM memory WHERE type = 'session_log' AND "
        found: dict[str, list[_Log]] = {}
        for session_id, *log in self._of(sql, session_ids):
            found.setdefault(session_id, []).append(_Log(*log))
        return found

    def _stays(self, session_ids: list[str]) -> dict[str, list[Stored]]:
        found: dict[str, list[Stored]] = {}
        sql = "SELECT session_id, uuid, type, title FROM memory WHERE type <> 'session_log' AND "
        for session_id, uuid, kind, title in self._of(sql, session_ids):
            found.setdefault(session_id, []).append(Stored(uuid, kind, title, False))
        chosen = set(session_ids)
        sql = (
            "SELECT transcript_ref, uuid, type, title FROM memory WHERE type = 'narrative' AND transcript_ref NOT NULL"
        )
        for refs, uuid, kind, title in self._connection.execute(sql).fetchall():
            for session_id in chosen.intersection(records.session_refs(refs)):
                stored = found.setdefault(session_id, [])
                if uuid not in {one.uuid for one in stored}:
                    stored.append(Stored(uuid, kind, title, True))
        return found

    def _of(self, sql: str, session_ids: list[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(session_ids), _AT_ONCE):
            some = session_ids[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            yield from self._connection.execute(f"{sql}session_id IN ({marks}) ORDER BY created_at, uuid", some)


def _resolved(name: str, known: list[str]) -> str:
    """The session that a name means among those that are known."""
    if not _PREFIX.fullmatch(name):
        raise TranscriptError(
            f"{name[:80]!r} is no session: take a session id, or at least the first {archived_sessions.MIN_PREFIX} "
            "characters of one. `llm-memory transcript` lists the newest."
        )
    if name in known:
        return name
    found = [one for one in known if one.lower().startswith(name.lower())]
    if len(found) > 1:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise TranscriptError(
            f"{len(found)} sessions begin with {name}: {', '.join(found[:_NAMED])}{more}. Give more of the id."
        )
    if found:
        return found[0]
    if transcripts.is_session_id(name):
        return name
    raise TranscriptError(
        f"No session begins with {name}, neither here nor in Claude Code's folder. `llm-memory transcript` lists the "
        "newest; one that is only on another machine is named by its whole id."
    )


def _launched_in(source: Source, meant: scope.Scope, settings: dict[str, Any]) -> bool:
    """Whether a transcript that is not archived belongs to a project."""
    try:
        cwd = transcripts.launch_cwd(source.path)
    except TranscriptError:
        return False
    project = projects.identify(cwd, settings) if cwd else None
    return project is not None and not project.ids.isdisjoint(meant.ids)


def outside(folder: DataFolder) -> list[str]:
    """Where forgotten sessions may still be that LLM Memory does not reach, a line each."""
    lines = []
    versions = os.path.join(folder.root, ".stversions")
    if os.path.isdir(versions):
        lines.append(f"older versions of files that Syncthing keeps in {_line(versions)}")
    lines.append("bundles that you exported, and backups")
    lines.append("your other machines, until they have synced: what they have of it goes then")
    return lines


def head_of(one: Listed) -> Iterator[str]:
    """Which session it is: its id, date, project and turns, and its title below."""
    facts = [one.ended_at[:16].replace("T", " "), _line(one.project)]
    facts += [counted(one.turns, "turn")] if one.turns is not None else []
    yield "  ".join([one.session_id, *filter(None, facts)])
    if one.title:
        yield f"  {_line(one.title)}"


def lines_of(one: Listed, *, is_running: bool, log_stays: bool) -> Iterator[str]:
    """A session as a terminal shows it. log_stays: only its transcript is to go."""
    yield from head_of(one)
    yield f"  goes:  {_goes(one, log_stays=log_stays)}"
    stays = [f"{_stored(stored)}" for stored in one.stays]
    stays += [f"its session log {uuid}" for uuid in one.logs if log_stays]
    if one.claude_path:
        stays.append(f"{_line(one.claude_path)} (Claude Code's own, until it deletes it)")
    for number, line in enumerate(stays):
        yield f"  {'       ' if number else 'stays: '}{line}"
    if is_running:
        yield "  runs:  it is forgotten all the same; nothing of it is archived when it ends"


def _goes(one: Listed, *, log_stays: bool) -> str:
    what = []
    if one.files:
        what.append(f"its transcript ({counted(one.files, 'file')}, {said_size(one.size)})")
    if one.logs and not log_stays:
        what.append(f"its session log{'s' * (len(one.logs) > 1)} {', '.join(one.logs)}")
    if what:
        return f"{', '.join(what)}, its rows in the index"
    if one.kind == forgotten.FORGOTTEN:
        return "nothing: it is forgotten already"
    return "nothing here; it is not archived later either, and goes from your other machines"


def _stored(stored: Stored) -> str:
    how = "written from it" if stored.is_from else "stored in it"
    return f"{stored.type} {stored.uuid} {_cut(_line(stored.title))} ({how}; to remove it: memory_delete)"


def _line(text: str) -> str:
    """A text that somebody else chose, as one line in which nothing acts on a terminal."""
    return " ".join(clean(text).split())


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE_CHARS else f"{title[: _TITLE_CHARS - 1].rstrip()}…"


def as_json(one: Listed) -> dict[str, Any]:
    """A session for programs. ended_at: UTC with a Z, null where unknown."""
    return {
        "session_id": one.session_id,
        "title": one.title,
        "project": one.project or None,
        "ended_at": f"{one.ended_at}Z" if one.ended_at else None,
        "turns": one.turns,
        "bytes": one.size,
        "files": one.files,
        "logs": one.logs,
        "claude_path": one.claude_path or None,
        "stays": [
            {"uuid": stored.uuid, "type": stored.type, "title": stored.title, "written_from_it": stored.is_from}
            for stored in one.stays
        ],
        "marked": one.kind,
    }
