"""What the dashboard shows of one project: its narrative and how far that has come, its sessions, notes, activity."""

from __future__ import annotations

import difflib
import sqlite3
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Substr

from memories import cited_sessions, querysets, selectors, shown_text
from memories.activity import Activity, activity
from memories.behind import Behind
from memories.core import coverage, forgotten
from memories.core.paths import DataFolder
from memories.models import Memory
from memories.project_groups import ProjectGroup

LISTED = 10
IMPORTANT = 8
"""Importance from which a note comes before the newest, as in a briefing."""

MAX_NARRATIVE_CHARS = 10_000
"""Characters of the narrative that the page shows; a longer one goes on on its own page."""

_TITLE_CHARS = 160
_NEAREST = 5
_ALIKE = 0.4


@dataclass(frozen=True)
class Narrative:
    """The narrative that sessions are shown. content: as far as the page shows it, is_cut: there is more; cited:
    session as a citation names it -> the archived transcript's name."""

    uuid: str
    created_at: str
    content: str
    is_cut: bool
    cited: dict[str, str]


@dataclass(frozen=True)
class Share:
    """A part of the coverage bar. kind: `processed`, `unprocessed`, `grown`, `aside` (one-shot runs and the like, which
    need not be in a narrative); start and length in percent of the bar."""

    kind: str
    count: int
    start: float
    length: float


@dataclass(frozen=True)
class Coverage:
    """How far the narrative has come: the bar (shares that are not empty), sessions in all; status: `none`, `stale` or
    `current`; behind: what it lacks, with turns of that and since, the record time of the oldest ("" for nothing);
    missing: sessions it names that are not in the archive; forks: uuids of other active narratives."""

    shares: list[Share]
    sessions: int
    status: str
    behind: Behind
    turns: int
    since: str
    missing: int
    forks: list[str]


@dataclass(frozen=True)
class ListedMemory:
    """A memory in a list."""

    uuid: str
    title: str
    created_at: str
    importance: int


@dataclass(frozen=True)
class ListedSession:
    """A session in a list. ended_at: a record's time; turns: None where its log does not say; log: uuid, title: the
    log's; name: as the reader takes it, "" where the transcript is not archived here; is_let_go: by the retention
    settings."""

    session_id: str
    name: str
    is_let_go: bool
    title: str
    log: str
    ended_at: str
    turns: int | None
    is_one_shot: bool


@dataclass(frozen=True)
class ProjectDetail:
    """A project. narrative and coverage: None where it has none (records of no project have no coverage); notes:
    important ones first, more_notes: whether there are others; sessions: the newest, more_sessions likewise."""

    group: ProjectGroup
    narrative: Narrative | None
    coverage: Coverage | None
    notes: list[ListedMemory]
    more_notes: bool
    sessions: list[ListedSession]
    more_sessions: bool
    activity: Activity


def project_detail(folder: DataFolder, group: ProjectGroup, today: date) -> ProjectDetail:
    """What there is of a project; today: this machine's. A fixed number of queries for each id and name of the project.

    Raises MirrorUnavailableError.
    """
    raw = selectors.mirror_connection(folder)
    current = coverage.narrative(raw, folder, group.scope) if group.scope else None
    found = coverage.coverage_of(current, raw, folder, group.scope) if group.scope else None
    notes = _notes(group)
    sessions = _sessions(folder, group)
    return ProjectDetail(
        group=group,
        narrative=_narrative(raw, folder, current) if current else None,
        coverage=_coverage(found) if found else None,
        notes=notes[:LISTED],
        more_notes=len(notes) > LISTED,
        sessions=sessions[:LISTED],
        more_sessions=len(sessions) > LISTED,
        activity=activity(raw, group.scope, today),
    )


def _narrative(raw: sqlite3.Connection, folder: DataFolder, current: coverage.Narrative) -> Narrative:
    content = shown_text.shown(current.content)
    is_cut = len(content) > MAX_NARRATIVE_CHARS
    if is_cut:
        content = content[: content.rfind("\n", 0, MAX_NARRATIVE_CHARS) + 1] or content[:MAX_NARRATIVE_CHARS]
    cited = cited_sessions.cited_sessions(raw, folder, content, current.refs)
    return Narrative(current.uuid, current.created_at, content, is_cut, cited)


def _coverage(found: dict[str, Any]) -> Coverage:
    grown = sum(not one["one_shot"] for one in found["grown"])
    behind = Behind(found["sessions_since"] - grown, grown)
    counts = {
        "processed": found["processed"],
        "unprocessed": behind.new,
        "grown": behind.grown,
        "aside": found["on_disk"] - found["processed"] - behind.total,
    }
    total = max(sum(counts.values()), 1)
    shares = []
    start = 0.0
    for kind, count in counts.items():
        length = round(100 * count / total, 3)
        if count:
            shares.append(Share(kind, count, start, length))
        start = round(start + length, 3)
    return Coverage(
        shares=shares,
        sessions=found["on_disk"],
        status=found["status"],
        behind=behind,
        turns=found["turns_since"],
        since=found["since"] or "",
        missing=len(found["stale_refs"]),
        forks=found["forks"],
    )


def _memories(group: ProjectGroup, kind: str) -> list[QuerySet[Memory]]:
    """The project's memories of a type that are shown, newest first: a queryset for each id and name, by an index."""
    base = querysets.visible().filter(type=kind).order_by("-created_at", "-id")
    if group.scope is None:
        return [base.filter(group.condition())]
    by_id = [base.filter(project_id=one) for one in sorted(group.scope.ids)]
    return by_id + [base.filter(project_id__isnull=True, project_key=key) for key in sorted(group.scope.keys)]


def _notes(group: ProjectGroup) -> list[ListedMemory]:
    """LISTED notes and one more where there are more: important ones first, then the newest."""
    fields = ("uuid", "start", "created_at", "importance")
    found: dict[str, ListedMemory] = {}
    for extra in ({"importance__gte": IMPORTANT}, {}):
        rows = [
            row
            for notes in _memories(group, "note")
            for row in notes.filter(**extra)
            .annotate(start=Substr("title", 1, _TITLE_CHARS))
            .values(*fields)[: LISTED + 1]
        ]
        for row in sorted(rows, key=lambda row: (row["created_at"], row["uuid"]), reverse=True)[: LISTED + 1]:
            found.setdefault(row["uuid"], ListedMemory(row["uuid"], row["start"], row["created_at"], row["importance"]))
    return list(found.values())[: LISTED + 1]


def _sessions(folder: DataFolder, group: ProjectGroup) -> list[ListedSession]:
    """LISTED sessions by their logs, newest first, and one more where there are more."""
    fields = ("uuid", "start", "created_at", "session_id", "turns", "one_shot")
    rows = [
        row
        for logs in _memories(group, "session_log")
        for row in logs.annotate(start=Substr("title", 1, _TITLE_CHARS)).values(*fields)[: LISTED + 1]
    ]
    rows.sort(key=lambda row: (row["created_at"], row["uuid"]), reverse=True)
    return [
        ListedSession(
            session_id=row["session_id"] or "",
            name=row["session_id"] if _is_archived(folder, row["session_id"]) else "",
            is_let_go=forgotten.kind_of(folder, row["session_id"] or "") == forgotten.EXPIRED,
            title=row["start"],
            log=row["uuid"],
            ended_at=row["created_at"],
            turns=row["turns"],
            is_one_shot=row["one_shot"],
        )
        for row in rows[: LISTED + 1]
    ]


def nearest(groups: list[ProjectGroup], value: str) -> list[ProjectGroup]:
    """The projects whose names are most like a value that names none, best first; the newest ones where none is."""
    named = {group.name.casefold(): group for group in groups if group.scope is not None}
    close = difflib.get_close_matches(value[:200].casefold(), list(named), _NEAREST, _ALIKE)
    return [named[one] for one in close] or list(named.values())[::-1][:_NEAREST]


def _is_archived(folder: DataFolder, session_id: str | None) -> bool:
    return bool(session_id) and coverage.archived_size(folder, session_id or "") is not None
