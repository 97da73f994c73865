"""What an export takes: the memories that were chosen, as they are at one moment, with their links and projects."""

from __future__ import annotations

from contextlib import contextmanager

from memories import project_groups, selectors
from memories.core import conversation_index, mirror, scope
from memories.core.errors import ProjectError
from memories.shown_text import plain_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.core.scope import Scope
    from memories.project_groups import ProjectGroup

WAIT_SECONDS = 60.0
"""How long an export waits for another process that brings the index up to date."""

_SAID = {"supersedes": ("supersedes", "superseded by"), "related_to": ("related to", "related to")}
"""Relationship -> how a link is called at its source, and at its target."""


class Choice:
    """What was asked for. project: as its name was given, None for all; session_id: of the only session, "" for all;
    archived: whether archived and superseded memories are taken too; conversations: whether sessions are."""

    __slots__ = ("archived", "conversations", "project", "session_id")

    def __init__(
        self, project: str | None = None, session_id: str = "", *, archived: bool = False, conversations: bool = False
    ) -> None:
        self.project, self.session_id = project, session_id
        self.archived, self.conversations = archived, conversations


class Head:
    """A memory without its text. project: its group's name. is_hidden: archived or superseded. title: one plain line.
    Times are text (UTC, no zone); other fields are as schema.sql has them."""

    __slots__ = (
        "created_at", "importance", "imported_from", "is_hidden", "project_id", "project_key", "session_id", "status",
        "tags", "title", "type", "updated_at", "uuid",
    )  # fmt: skip
    created_at: str
    importance: int
    imported_from: str | None
    is_hidden: bool
    project_id: str | None
    project_key: str | None
    session_id: str | None
    status: str
    tags: str | None
    title: str
    type: str
    updated_at: str | None
    uuid: str

    def __init__(self, values: tuple[object, ...]) -> None:
        """values: in the order of the fields."""
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)
        self.title = plain_line(self.title) or self.uuid
        self.is_hidden = bool(self.is_hidden)


class Session:
    """An archived session. Times are Unix seconds or None; project_id, project_key as in schema.sql."""

    __slots__ = ("ended_at", "project_id", "project_key", "session_id", "started_at")

    def __init__(
        self,
        session_id: str,
        project_id: str | None,
        project_key: str | None,
        started_at: int | None,
        ended_at: int | None,
    ) -> None:
        self.session_id, self.project_id, self.project_key = session_id, project_id, project_key
        self.started_at, self.ended_at = started_at, ended_at


_COLUMNS = ", ".join(
    f"NOT ({scope.VISIBLE})" if name == "is_hidden" else f"memory.{name}" for name in Head.__slots__
)  # fmt: skip


class Material:
    """The chosen memories: heads by uuid, oldest first; left_out: how many archived and superseded ones are not among
    them; unread: (file name, reason) of records that are none; hint: to be said where a name fitted several projects;
    everything: uuids of all memories that an export of all would take."""

    def __init__(self, raw: sqlite3.Connection, wanted: Scope | None, choice: Choice, aliases: dict[str, str]) -> None:
        self._raw = raw
        condition, values = _condition(wanted, choice.session_id)
        found = raw.execute(
            f"SELECT {_COLUMNS} FROM memory WHERE {condition} ORDER BY memory.created_at, memory.uuid", values
        )
        self.heads: dict[str, Head] = {}
        self.left_out = 0
        for row in found:
            head = Head(row)
            if head.is_hidden and not choice.archived:
                self.left_out += 1
            else:
                self.heads[head.uuid] = head
        self.scope = wanted
        self.choice = choice
        self.hint = selectors.several_projects_hint(wanted) if wanted else None
        self.unread: list[tuple[str, str]] = mirror.problems(raw)
        self._group_of: dict[project_groups.Row, ProjectGroup] = {}
        self.groups = project_groups.groups_of(_projects(raw), aliases)

    def everything(self) -> set[str]:
        """The uuids that an export of all projects and sessions would take."""
        visible = "1" if self.choice.archived else scope.VISIBLE
        return {uuid for (uuid,) in self._raw.execute(f"SELECT uuid FROM memory WHERE {visible}")}

    def group_of(self, project_id: str | None, project_key: str | None) -> ProjectGroup:
        """The project of a memory or session."""
        row = (project_id, project_key)
        if row not in self._group_of:
            self._group_of[row] = next(one for one in self.groups if one.holds(row))
        return self._group_of[row]

    def content(self, uuid: str) -> str:
        """A memory's text, redacted as the mirror has it."""
        found: str = self._raw.execute("SELECT content FROM memory WHERE uuid = ?", (uuid,)).fetchone()[0]
        return found

    def links(self, uuid: str) -> list[tuple[str, str]]:
        """(how it is called, uuid at the other end) of a memory's links, its own first, each once."""
        own = self._raw.execute("SELECT relationship, to_uuid FROM link WHERE from_uuid = ? ORDER BY id", (uuid,))
        found = [(_SAID[relationship][0], other) for relationship, other in own]
        to_it = self._raw.execute(
            "SELECT relationship, from_uuid FROM link WHERE to_uuid = ? ORDER BY from_uuid, relationship", (uuid,)
        )
        found += [(_SAID[relationship][1], other) for relationship, other in to_it]
        return list(dict.fromkeys(found))

    def title(self, uuid: str) -> str:
        """A memory's title, also of one that was not chosen; "" where there is none of that uuid."""
        if uuid in self.heads:
            return self.heads[uuid].title
        row = self._raw.execute("SELECT title FROM memory WHERE uuid = ?", (uuid,)).fetchone()
        return (plain_line(row[0]) or uuid) if row else ""

    def sessions(self) -> list[Session]:
        """The archived sessions that were chosen, oldest first."""
        condition, values = ("1", []) if self.scope is None else self.scope.sql("session")
        if self.choice.session_id:
            condition, values = f"{condition} AND session_id = ?", [*values, self.choice.session_id]
        found = self._raw.execute(
            "SELECT session_id, project_id, project_key, started_at, ended_at FROM session "
            f"WHERE part = '' AND {condition} ORDER BY started_at, session_id",
            values,
        )
        return [Session(*row) for row in found]


def _condition(wanted: Scope | None, session_id: str) -> tuple[str, list[str]]:
    condition, values = ("1", []) if wanted is None else wanted.sql()
    return (f"{condition} AND memory.session_id = ?", [*values, session_id]) if session_id else (condition, values)


def _projects(raw: sqlite3.Connection) -> list[tuple[str | None, str | None, str | None]]:
    """Each project's id, folded name and name, as memories and sessions have them, the newest last."""
    found = raw.execute(
        "SELECT project_id, project_key, project, max(created_at) FROM memory GROUP BY 1, 2 "
        "UNION ALL SELECT project_id, project_key, project, strftime('%Y-%m-%dT%H:%M:%S', max(ended_at), 'unixepoch') "
        "FROM session GROUP BY 1, 2 ORDER BY 4"
    )
    return [(project_id, key, name) for project_id, key, name, _ in found]


@contextmanager
def opened(folder: DataFolder, choice: Choice, own: Project | None, settings: dict[str, Any]) -> Iterator[Material]:
    """The material within the block: one state of the index, whatever is stored meanwhile; brought up to date first.

    own: the project of the current folder, which a name means first. Raises ProjectError (nothing is of that project),
    LockTimeoutError, MirrorUnavailableError, StorageError.
    """
    mirror.update(folder, wait_seconds=WAIT_SECONDS)
    if choice.conversations or choice.project:
        conversation_index.update(folder, wait_seconds=WAIT_SECONDS)
    raw = mirror.connect(folder.mirror, read_only=True)
    try:
        raw.execute("BEGIN")
        wanted = scope.of_name(raw, choice.project, own, settings) if choice.project else None
        material = Material(raw, wanted, choice, settings["project_aliases"])
        if choice.project and not (material.heads or material.left_out or material.sessions()):
            raise ProjectError(
                f"No memory and no session is of a project called {choice.project!r}: `llm-memory search` shows names."
            )
        yield material
    finally:
        raw.close()
