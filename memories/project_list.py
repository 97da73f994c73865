"""The projects as the dashboard lists them: how much there is of each, when it was last worked on, how far behind its
narrative is."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from memories import selectors
from memories.core import clock, records
from memories.core.paths import DataFolder
from memories.facets import FacetIndex, walk
from memories.project_groups import ProjectGroup, Row

PAGE_SIZE = 60


@dataclass(frozen=True)
class ListedProject:
    """A project in the list. memories: that are shown (neither archived nor superseded); sessions: in the archive;
    last: a record's time of the newest memory or session, "" for none; narrative: uuid, "" where there is none;
    written_at: when; behind: sessions that it lacks or that went on since, or to write the first one from."""

    group: ProjectGroup
    memories: int
    sessions: int
    last: str
    narrative: str
    written_at: str
    behind: int


@dataclass(frozen=True)
class ProjectPage:
    """A page of the list; next_offset: where the one after it starts, None at the end; total: projects in all."""

    projects: list[ListedProject]
    next_offset: int | None
    total: int


class _Tally:
    """What is counted of a project while rows are read."""

    def __init__(self, memories: int, last: str) -> None:
        self.memories = memories
        self.sessions = 0
        self.last = last
        self.narrative: tuple[str, str, str | None] = ("", "", None)  # created_at, uuid, transcript_ref
        self.logs: dict[str, str] = {}


def project_list(folder: DataFolder, index: FacetIndex, offset: int = 0) -> ProjectPage:
    """PAGE_SIZE of the projects, the one last worked on first. Three queries, however many projects and rows.

    A narrative is behind by what coverage counts, but for one thing that would need its file: a session that it was
    written from has grown when it ended after the narrative was written. Raises MirrorUnavailableError.
    """
    raw = selectors.mirror_connection(folder)
    tallies = {group.value: _tally(index, group) for group in index.groups}
    place = {row: tallies[group.value] for group in index.groups for row in _rows_of(group)}
    archived = _count(raw, place)
    found = [_listed(group, tallies[group.value], archived) for group in index.groups]
    found.sort(key=lambda one: (one.last, one.group.value), reverse=True)
    end = offset + PAGE_SIZE
    return ProjectPage(found[offset:end], end if end < len(found) else None, len(found))


def _tally(index: FacetIndex, group: ProjectGroup) -> _Tally:
    shown = index.projects.get(group.value, 0) & index.visible
    newest = next(walk(shown, 1), None)
    return _Tally(shown.bit_count(), "" if newest is None else index.times[newest])


def _rows_of(group: ProjectGroup) -> list[Row]:
    """What _row makes of the rows that belong to a project."""
    if group.scope is None:
        return [(None, None)]
    return [(one, None) for one in group.scope.ids] + [(None, key) for key in group.scope.keys]


def _row(project_id: str | None, key: str | None) -> Row:
    """A row's project: by its id, and by name only where it has none."""
    return (project_id, None) if project_id is not None else (None, key)


def _count(raw: sqlite3.Connection, place: dict[Row, _Tally]) -> set[str]:
    """Fill the tallies; returns the ids of the archived sessions."""
    narratives = selectors.visible().filter(type="narrative").order_by("created_at", "uuid")
    for project_id, key, *narrative in narratives.values_list(
        "project_id", "project_key", "created_at", "uuid", "transcript_ref"
    ):
        if tally := place.get(_row(project_id, key)):
            tally.narrative = (narrative[0], narrative[1], narrative[2])
    archived = set()
    for project_id, key, session_id, ended_at in raw.execute(
        "SELECT project_id, project_key, session_id, ended_at FROM session WHERE part = ''"
    ):
        archived.add(session_id)
        if tally := place.get(_row(project_id, key)):
            tally.sessions += 1
            tally.last = max(tally.last, clock.format_time(ended_at)) if ended_at else tally.last
    for project_id, key, session_id, ended_at in raw.execute(
        "SELECT project_id, project_key, session_id, created_at FROM memory INDEXED BY memory_logs "
        "WHERE type = 'session_log' AND session_id IS NOT NULL AND one_shot = 0"
    ):
        if tally := place.get(_row(project_id, key)):
            tally.logs[session_id] = max(ended_at, tally.logs.get(session_id, ""))
    return archived


def _listed(group: ProjectGroup, tally: _Tally, archived: set[str]) -> ListedProject:
    written_at, uuid, refs = tally.narrative
    read = set(records.session_refs(refs))
    behind = [
        one for one, ended_at in tally.logs.items() if one in archived and (one not in read or ended_at > written_at)
    ]
    return ListedProject(
        group=group,
        memories=tally.memories,
        sessions=tally.sessions,
        last=tally.last,
        narrative=uuid,
        written_at=written_at,
        behind=len(behind) if group.scope is not None else 0,
    )
