"""What the dashboard's timeline shows: memories newest first, or best first for a search, with facet counts.

Every function takes the whole of the filters; a facet's counts apply the other filters, not its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Substr

from memories import ranking, selectors
from memories.core import coverage, query
from memories.core.paths import DataFolder
from memories.core.records import TYPES
from memories.markdown import plain_line
from memories.models import MARK_END, MARK_START, Memory, Snippet
from memories.project_groups import ProjectGroup

PAGE_SIZE = 50
MAX_RANKED = 200
"""Hits of a search that can be paged to: beyond them, another word helps more than another page."""

EXCERPT_CHARS = 600
"""Characters of a memory's text that a list reads; a record may be 8 MB."""

_ENTRY_FIELDS = ("id", "uuid", "type", "title", "project", "created_at", "importance", "tags", "status")


@dataclass(frozen=True)
class Filters:
    """What the timeline is asked for: words to search, type ("" for all), project (None for all), and whether archived
    and superseded memories are shown too."""

    q: str = ""
    type: str = ""
    project: ProjectGroup | None = None
    archived: bool = False

    @property
    def active(self) -> bool:
        """Whether anything narrows the timeline."""
        return bool(self.q or self.type or self.project)


@dataclass(frozen=True)
class Cursor:
    """Where a page of the timeline starts: below the memory with this time and row id."""

    created_at: str
    id: int


@dataclass(frozen=True)
class Entry:
    """A memory as the list shows it. title and excerpt (what a search matched, else the text after the title) have
    MARK_START and MARK_END around matched words; hidden: "archived" or "superseded" where search and recent hide it."""

    uuid: str
    type: str
    title: str
    excerpt: str
    project: str
    created_at: str
    importance: int
    tags: tuple[str, ...]
    hidden: str


@dataclass(frozen=True)
class Page:
    """Entries with where the next page starts: a cursor, an offset (search), or neither at the end. cut: whether hits
    beyond MAX_RANKED are not listed."""

    entries: list[Entry]
    next_cursor: Cursor | None = None
    next_offset: int | None = None
    cut: bool = False


@dataclass(frozen=True)
class Facets:
    """types and projects: (what, how many memories), by count; total: memories that all filters leave."""

    types: list[tuple[str, int]]
    projects: list[tuple[ProjectGroup, int]]
    total: int


@dataclass(frozen=True)
class Coverage:
    """How far a project's narrative has come, in words, and its uuid; "" where there is none yet."""

    summary: str
    narrative_uuid: str


def coverage_line(folder: DataFolder, filters: Filters) -> Coverage | None:
    """What stands above a project's memories; None without a project, or where it has neither narrative nor sessions.

    A fixed number of queries, however many rows. Raises MirrorUnavailableError.
    """
    if filters.project is None or filters.project.scope is None:
        return None
    raw, project = selectors.mirror_connection(folder), filters.project.scope
    found = coverage.coverage_of(coverage.narrative(raw, folder, project), raw, folder, project)
    if not (found["narrative_uuid"] or found["on_disk"]):
        return None
    return Coverage(found["summary"], found["narrative_uuid"] or "")


def tag_list(tags: str | None) -> tuple[str, ...]:
    """A record's comma-separated tags, each once."""
    return tuple(dict.fromkeys(tag.strip() for tag in (tags or "").split(",") if tag.strip()))


def _memories(filters: Filters) -> QuerySet[Memory]:
    """The memories that the filters leave, without order."""
    found = Memory.objects.all() if filters.archived else selectors.visible()
    if filters.q:
        expression = query.match_expression(filters.q)
        if expression is None:
            return found.none()
        found = found.filter(index__match__match=expression)
    if filters.type:
        found = found.filter(type=filters.type)
    return found.filter(filters.project.condition()) if filters.project else found


def facets(filters: Filters, groups: list[ProjectGroup]) -> Facets:
    """Counts by type and by project (groups: project_groups()). Two queries, however many rows."""
    by_type = dict(_memories(replace(filters, type="")).values_list("type").annotate(Count("id")).order_by())
    by_row = (
        _memories(replace(filters, project=None))
        .values_list("project_id", "project_key")
        .annotate(count=Count("id"))
        .order_by()
    )
    counts: dict[ProjectGroup, int] = {filters.project: 0} if filters.project else {}
    for project_id, key, count in by_row:
        group = next((one for one in groups if one.holds((project_id, key))), None)
        if group is not None:  # else it was stored after the groups were read
            counts[group] = counts.get(group, 0) + count
    return Facets(
        types=[(one, by_type.get(one, 0)) for one in TYPES if by_type.get(one) or one == filters.type],
        projects=sorted(counts.items(), key=lambda item: (-item[1], item[0].name.casefold())),
        total=by_type.get(filters.type, 0) if filters.type else sum(by_type.values()),
    )


def newest(filters: Filters, after: Cursor | None = None) -> Page:
    """A page of PAGE_SIZE memories, newest first, from the cursor on."""
    found = _memories(filters).order_by("-created_at", "-id")
    if after is not None:
        below = Q(created_at__lt=after.created_at) | Q(created_at=after.created_at, id__lt=after.id)
        found = found.filter(below, created_at__lte=after.created_at)  # the plain bound is what the index can use
    rows = list(_rows(found)[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    more = Cursor(shown[-1]["created_at"], shown[-1]["id"]) if len(rows) > PAGE_SIZE else None
    return Page(_entries(shown, {}, filters), next_cursor=more)


def ranked(filters: Filters, offset: int = 0) -> Page:
    """A page of PAGE_SIZE search hits, best first; offset counts from the best hit, below MAX_RANKED."""
    expression = query.match_expression(filters.q)
    if expression is None:
        return Page([])
    base = _memories(replace(filters, q=""))
    end = min(offset + PAGE_SIZE, MAX_RANKED)
    # Ids first: SQLite would make the snippet of every match before it sorts.
    ids = [row_id for row_id, _ in ranking.ranked(expression, base, end + 1)][offset:]
    shown = ids[: end - offset]
    chosen = Memory.objects.filter(index__match__match=expression, id__in=shown)
    snippets = dict(chosen.annotate(snippet=Snippet("index__match")).values_list("id", "snippet"))
    rows = {row["id"]: row for row in _rows(Memory.objects.filter(id__in=shown))}
    entries = _entries([rows[one] for one in shown if one in rows], snippets, filters)
    if len(ids) == len(shown):
        return Page(entries)
    return Page(entries, next_offset=end) if end < MAX_RANKED else Page(entries, cut=True)


def with_archived(filters: Filters) -> int:
    """How many memories the filters would leave with archived and superseded ones included."""
    return _memories(replace(filters, archived=True)).count()


def _rows(found: QuerySet[Memory]) -> QuerySet[Memory, dict[str, Any]]:
    return found.annotate(start=Substr("content", 1, EXCERPT_CHARS)).values(*_ENTRY_FIELDS, "start")


def _entries(rows: list[dict[str, Any]], snippets: dict[int, str], filters: Filters) -> list[Entry]:
    shown: set[int] = set()
    if filters.archived:
        shown = set(selectors.visible().filter(id__in=[row["id"] for row in rows]).values_list("id", flat=True))
    entries = []
    for row in rows:
        hidden = ""
        if filters.archived and row["id"] not in shown:
            hidden = "archived" if row["status"] == "archived" else "superseded"
        title, excerpt = _headline(row, snippets.get(row["id"], ""))
        entries.append(
            Entry(
                uuid=row["uuid"],
                type=row["type"],
                title=title,
                excerpt=excerpt,
                project=row["project"] or "",
                created_at=row["created_at"],
                importance=row["importance"],
                tags=tag_list(row["tags"]),
                hidden=hidden,
            )
        )
    return entries


def _headline(row: dict[str, Any], snippet: str) -> tuple[str, str]:
    """Title and excerpt. A snippet that the title holds marks the title, so that no text is shown twice."""
    title = plain_line(row["title"]) or row["uuid"]
    passage = plain_line(snippet).strip("…")
    bare = passage.replace(MARK_START, "").replace(MARK_END, "")
    if passage and bare not in title:
        return title, plain_line(snippet)
    _, found, rest = row["start"].partition(row["title"])
    return title.replace(bare, passage, 1), plain_line(rest if found else row["start"])
