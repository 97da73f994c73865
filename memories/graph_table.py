"""The graph as a table: each memory with what it is linked to, for whoever does not see or use the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from memories import querysets, selectors
from memories.core.paths import DataFolder
from memories.graph_filters import GraphFilters, among, linked, links_of, shown_memories
from memories.graph_find import Finder
from memories.graph_titles import short_title
from memories.graph_walk import expanded, sessions_of, walk
from memories.models import Memory
from memories.project_groups import ProjectGroup

PAGE_ROWS = 15
MAX_ROWS = 300
"""Rows that can be paged to: beyond them, a filter or a focus helps more than another page."""

MAX_ENDS = 5
"""Links, or sessions, that one cell names; it says how many more there are."""

_FIELDS = (
    "uuid",
    "type",
    "title",
    "project_id",
    "project_key",
    "status",
    "session_id",
    "transcript_ref",
)


@dataclass(frozen=True)
class End:
    """The other end of a link; title "" where that memory is not on this machine."""

    uuid: str
    title: str
    relationship: str


@dataclass(frozen=True)
class Row:
    """A memory of the graph. hidden: "archived", "superseded" or "". outgoing, incoming, sessions: MAX_ENDS at most,
    with how many more there are."""

    uuid: str
    type: str
    title: str
    project: ProjectGroup | None
    hidden: str
    outgoing: list[End]
    incoming: list[End]
    sessions: list[str]
    more_outgoing: int
    more_incoming: int
    more_sessions: int


@dataclass(frozen=True)
class Table:
    """A page of rows; next_offset: None at the end; cut: whether rows beyond MAX_ROWS are not listed."""

    rows: list[Row]
    next_offset: int | None
    cut: bool


def graph_table(folder: DataFolder, filters: GraphFilters, offset: int = 0) -> Table:
    """PAGE_ROWS memories of the graph from the offset on: of a neighbourhood the nearest first, of the whole graph the
    newest first, and where only links make edges and nothing is looked for, only linked ones.

    A number of queries that depends on the depth, never on rows. Raises RecordNotFoundError, MirrorUnavailableError.
    """
    selectors.mirror_connection(folder)
    inside: set[str] | None = None
    if filters.focus:
        order = list(dict.fromkeys([*walk(filters).uuids, *(expanded(filters) if filters.expand else [])]))
        inside = set(order)
        rows = _in_order(folder, order, filters, offset)
    else:
        listed = _whole(filters)
        if filters.find:
            listed = Finder(filters).narrowed(folder, listed)
        elif not (filters.sessions or filters.projects):
            listed = listed.filter(linked(filters))
        rows = list(listed.order_by("-created_at", "-id").values(*_FIELDS)[offset : offset + PAGE_ROWS + 1])
    following = offset + PAGE_ROWS
    more = len(rows) > PAGE_ROWS
    shown = _rows(rows[:PAGE_ROWS], filters, inside)
    return Table(shown, following if more and following < MAX_ROWS else None, more and following >= MAX_ROWS)


def _in_order(folder: DataFolder, order: list[str], filters: GraphFilters, offset: int) -> list[dict[str, Any]]:
    """The rows of a neighbourhood from the offset on, one more than a page has."""
    if filters.find:
        found = Finder(filters).narrowed(folder, Memory.objects.filter(uuid__in=among(order)))
        kept = set(found.values_list("uuid", flat=True))
        order = [uuid for uuid in order if uuid in kept]
    chosen = order[offset : offset + PAGE_ROWS + 1]
    by_uuid = {row["uuid"]: row for row in Memory.objects.filter(uuid__in=among(chosen)).values(*_FIELDS)}
    return [by_uuid[uuid] for uuid in chosen if uuid in by_uuid]


def _whole(filters: GraphFilters) -> QuerySet[Memory]:
    base = shown_memories(filters)
    if not filters.expand:
        return base
    both = Q(id__in=base.values("id")) | Q(uuid__in=among(expanded(filters)))
    found: QuerySet[Memory] = Memory.objects.filter(both)
    return found


def _rows(rows: list[dict[str, Any]], filters: GraphFilters, inside: set[str] | None) -> list[Row]:
    uuids = [row["uuid"] for row in rows]
    links = list(links_of(uuids, filters).values_list("from_uuid", "to_uuid", "relationship"))
    ends = {end for source, target, _ in links for end in (source, target)}
    titles = dict(Memory.objects.filter(uuid__in=among(ends)).values_list("uuid", "title"))
    if inside is None:
        inside = set(_whole(filters).filter(uuid__in=among(ends)).values_list("uuid", flat=True))
    visible = set(querysets.visible().filter(uuid__in=among(uuids)).values_list("uuid", flat=True))
    outgoing: dict[str, list[End]] = {uuid: [] for uuid in uuids}
    incoming: dict[str, list[End]] = {uuid: [] for uuid in uuids}
    for source, target, relationship in links:
        if source in outgoing and (target in inside or target not in titles):
            outgoing[source].append(_end(target, titles, relationship))
        if target in incoming and source in inside:
            incoming[target].append(_end(source, titles, relationship))
    return [_row(row, outgoing, incoming, visible, filters) for row in rows]


def _end(uuid: str, titles: dict[str, str], relationship: str) -> End:
    return End(uuid, (short_title(titles[uuid]) or uuid) if uuid in titles else "", relationship)


def _row(
    row: dict[str, Any],
    outgoing: dict[str, list[End]],
    incoming: dict[str, list[End]],
    visible: set[str],
    filters: GraphFilters,
) -> Row:
    uuid = row["uuid"]
    hidden = "" if uuid in visible else "archived" if row["status"] == "archived" else "superseded"
    sessions = sessions_of(row["session_id"], row["transcript_ref"]) if filters.sessions else []
    return Row(
        uuid=uuid,
        type=row["type"],
        title=short_title(row["title"]) or uuid,
        project=next((one for one in filters.groups if one.holds((row["project_id"], row["project_key"]))), None),
        hidden=hidden,
        outgoing=outgoing[uuid][:MAX_ENDS],
        incoming=incoming[uuid][:MAX_ENDS],
        sessions=sessions[:MAX_ENDS],
        more_outgoing=max(0, len(outgoing[uuid]) - MAX_ENDS),
        more_incoming=max(0, len(incoming[uuid]) - MAX_ENDS),
        more_sessions=max(0, len(sessions) - MAX_ENDS),
    )
