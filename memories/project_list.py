"""The projects as the dashboard lists them: how much there is of each, when it was last worked on, how far behind its
narrative is."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from functools import lru_cache

from memories import querysets, selectors
from memories.behind import Behind
from memories.core import clock, coverage, records
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder
from memories.facets import FacetIndex, walk
from memories.project_groups import ProjectGroup, Row

PAGE_SIZE = 25


@dataclass(frozen=True)
class ListedProject:
    """A project in the list. memories: that are shown (neither archived nor superseded); sessions: in the archive;
    last: a record's time of the newest memory or session, "" for none; narrative: uuid, "" where there is none;
    written_at: when; behind: sessions that it lacks, or to write the first one from."""

    group: ProjectGroup
    memories: int
    sessions: int
    last: str
    narrative: str
    written_at: str
    behind: Behind


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
        self.logs: dict[str, tuple[str, int | None]] = {}  # session id -> its log's end and turns


def project_list(folder: DataFolder, index: FacetIndex, offset: int = 0) -> ProjectPage:
    """PAGE_SIZE of the projects, the one last worked on first. Three queries, however many projects and rows, and the
    files of the narratives on the page: a narrative is behind by what coverage counts. Raises MirrorUnavailableError.
    """
    raw = selectors.mirror_connection(folder)
    tallies = {group.value: _tally(index, group) for group in index.groups}
    place = {row: tallies[group.value] for group in index.groups for row in _rows_of(group)}
    archived = _count(raw, place)
    groups = sorted(index.groups, key=lambda one: (tallies[one.value].last, one.value), reverse=True)
    end = offset + PAGE_SIZE
    listed = [_listed(folder, group, tallies[group.value], archived) for group in groups[offset:end]]
    return ProjectPage(listed, end if end < len(groups) else None, len(groups))


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


def _count(raw: sqlite3.Connection, place: dict[Row, _Tally]) -> dict[str, int]:
    """Fill the tallies; returns the archived sessions with the bytes of their transcripts."""
    narratives = querysets.visible().filter(type="narrative").order_by("created_at", "uuid")
    for project_id, key, *narrative in narratives.values_list(
        "project_id", "project_key", "created_at", "uuid", "transcript_ref"
    ):
        if tally := place.get(_row(project_id, key)):
            tally.narrative = (narrative[0], narrative[1], narrative[2])
    archived = {}
    for project_id, key, session_id, ended_at, size in raw.execute(
        "SELECT project_id, project_key, session_id, ended_at, max(size, read_bytes) FROM session WHERE part = ''"
    ):
        archived[session_id] = size
        if tally := place.get(_row(project_id, key)):
            tally.sessions += 1
            tally.last = max(tally.last, clock.format_time(ended_at)) if ended_at else tally.last
    for project_id, key, session_id, ended_at, turns in raw.execute(
        "SELECT project_id, project_key, session_id, created_at, turns FROM memory INDEXED BY memory_logs "
        "WHERE type = 'session_log' AND session_id IS NOT NULL AND one_shot = 0"
    ):
        tally = place.get(_row(project_id, key))
        if tally and ended_at >= tally.logs.get(session_id, ("", None))[0]:
            tally.logs[session_id] = ended_at, turns
    return archived


def _listed(folder: DataFolder, group: ProjectGroup, tally: _Tally, archived: dict[str, int]) -> ListedProject:
    written_at, uuid, refs = tally.narrative
    logged = {one: log for one, log in tally.logs.items() if one in archived} if group.scope is not None else {}
    read = logged.keys() & set(records.session_refs(refs))
    current = _narrative(folder, uuid) if read else None
    grown = [
        one for one in read if current and coverage.grew(current, one, logged[one][0], archived[one], logged[one][1])
    ]
    return ListedProject(
        group=group,
        memories=tally.memories,
        sessions=tally.sessions,
        last=tally.last,
        narrative=uuid,
        written_at=written_at,
        behind=Behind(len(logged) - len(read), len(grown)),
    )


def _narrative(folder: DataFolder, uuid: str) -> coverage.Narrative | None:
    """A narrative's file; None where it was deleted or broken since the last scan."""
    try:
        state = os.stat(records.record_path(folder, uuid))
        return _loaded(folder, uuid, (state.st_mtime_ns, state.st_size, state.st_ino))
    except (OSError, LLMMemoryError):
        return None


@lru_cache(maxsize=PAGE_SIZE)
def _loaded(folder: DataFolder, uuid: str, _state: tuple[int, int, int]) -> coverage.Narrative:
    """A narrative's file in the state that its status tells, kept: reading a page's would take a third of its time.

    Raises RecordNotFoundError, InvalidRecordError, StorageError.
    """
    return coverage.Narrative(records.load(folder, uuid), [])
