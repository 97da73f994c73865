"""The graph of memories: nodes and links as columns, so that 5,000 of them are small and quick to send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from memories import querysets, selectors
from memories.core.paths import DataFolder
from memories.core.records import RELATIONSHIPS, TYPES
from memories.core.transcript_items import clean
from memories.graph_filters import (
    MAX_NODES,
    PROJECT,
    SESSION,
    GraphFilters,
    among,
    links_from,
    shown_memories,
)
from memories.graph_find import Finder
from memories.graph_titles import session_name, session_titles, short_title
from memories.graph_walk import expanded, sessions_of, walk
from memories.models import Link, Memory
from memories.project_groups import ProjectGroup

NODE_KINDS = (*TYPES, "session", "project", "missing")
"""What Graph.kinds counts. missing: a link leads to a memory that is not on this machine."""

LINK_KINDS = (*RELATIONSHIPS, "session", "project")
"""What Graph.relationships counts. session, project: a memory's to the session or project that it belongs to."""

MAX_SESSIONS, MAX_PROJECTS, MAX_MISSING = 800, 200, 200
"""Nodes of these kinds: sessions and projects where they are switched on, missing ones where there is room."""

_FIELDS = ("uuid", "type", "title", "project_id", "project_key", "importance", "session_id", "transcript_ref")


@dataclass
class Graph:
    """Columns over nodes: ids (uuid, s:<session>, p:<project>), kinds (index in NODE_KINDS), titles, projects (index in
    project_names, -1 for none), importance (1-10), hidden (1: archived or superseded). Columns over links: sources and
    targets (indices of nodes), relationships (index in LINK_KINDS). found: ids of the nodes that
    filters.find finds. total: memories that the filters leave; memories:
    how many of them are here; cut: whether a neighbourhood was too large; others_left_out: sessions and projects for
    which there was no room."""

    ids: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    projects: list[int] = field(default_factory=list)
    importance: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    project_names: list[str] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    relationships: list[int] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    total: int = 0
    memories: int = 0
    cut: bool = False
    others_left_out: int = 0

    def add_node(self, node: str, kind: str, title: str, project: int, importance: int, *, hidden: bool) -> int:
        """Append a node; its index."""
        self.ids.append(node)
        self.kinds.append(NODE_KINDS.index(kind))
        self.titles.append(title)
        self.projects.append(project)
        self.importance.append(importance)
        self.hidden.append(int(hidden))
        return len(self.ids) - 1

    def add_link(self, source: int, target: int, kind: str) -> None:
        """Append a link between two nodes."""
        self.sources.append(source)
        self.targets.append(target)
        self.relationships.append(LINK_KINDS.index(kind))


def graph(folder: DataFolder, filters: GraphFilters) -> Graph:
    """The whole graph as far as it has room, or the neighbourhood of filters.focus.

    The number of queries depends on the depth, never on rows. Raises RecordNotFoundError, MirrorUnavailableError.
    """
    selectors.mirror_connection(folder)
    found = Graph()
    rows = _memory_rows(filters, found)
    found.memories = len(rows)
    groups = _Projects(filters.groups)
    shown = _visible_among(rows, filters)
    number = {kind: index for index, kind in enumerate(NODE_KINDS)}
    found.ids = [row["uuid"] for row in rows]
    found.kinds = [number[row["type"]] for row in rows]
    found.titles = [short_title(row["title"]) or row["uuid"] for row in rows]
    found.projects = [groups.index(row["project_id"], row["project_key"]) for row in rows]
    found.importance = [row["importance"] for row in rows]
    found.hidden = [int(row["uuid"] not in shown) for row in rows]
    found.project_names = [clean(group.name) for group in groups.found]
    _add_links(found, filters)
    finder = Finder(filters) if filters.find else None
    if finder:
        of_projects = [groups.found[index] if index >= 0 else None for index in found.projects[: len(rows)]]
        found.found = [found.ids[place] for place in finder.places([row["title"] for row in rows], of_projects)]
    if filters.sessions:
        _add_sessions(found, rows, finder)
    if filters.projects:
        _add_projects(found, groups, finder)
    return found


def _memory_rows(filters: GraphFilters, found: Graph) -> list[dict[str, Any]]:
    """The rows of the memories that the graph has; also says in `found` how many there would be."""
    projects = min(MAX_PROJECTS, sum(group.scope is not None for group in filters.groups)) if filters.projects else 0
    room = MAX_NODES - MAX_SESSIONS * filters.sessions - projects
    more = expanded(filters) if filters.expand else []
    if filters.focus:
        walked = walk(filters)
        uuids = list(dict.fromkeys([*walked.uuids[:room], *more]))[:room]
        found.total, found.cut = len(walked.uuids), walked.cut
        by_uuid = {row["uuid"]: row for row in Memory.objects.filter(uuid__in=among(uuids)).values(*_FIELDS)}
        return [by_uuid[uuid] for uuid in uuids if uuid in by_uuid]
    chosen = _most_telling(filters, found)
    added = list(Memory.objects.filter(uuid__in=among(more)).values_list("id", flat=True)) if more else []
    ids = list(dict.fromkeys([*added, *chosen]))[:room]
    by_id = {row["id"]: row for row in Memory.objects.filter(id__in=among(ids)).values("id", *_FIELDS)}
    return [by_id[row_id] for row_id in ids if row_id in by_id]


def _most_telling(filters: GraphFilters, found: Graph) -> list[int]:
    """Ids of all memories that the filters leave: linked ones first, then important, then newest. Sorted here: SQLite
    needs twice as long to look each of them up among the links."""
    links = Link.objects.filter(relationship__in=sorted(filters.relationships)).values_list("from_uuid", "to_uuid")
    linked = {end for link in links for end in link}
    rows = shown_memories(filters).order_by("-created_at", "-id").values_list("id", "uuid", "importance")
    ordered = sorted(rows, key=lambda row: (row[1] not in linked, -row[2]))
    found.total = len(ordered)
    return [row_id for row_id, _, _ in ordered]


def _visible_among(rows: list[dict[str, Any]], filters: GraphFilters) -> set[str]:
    if not (filters.archived or filters.focus or filters.expand):
        return {row["uuid"] for row in rows}
    uuids = [row["uuid"] for row in rows]
    return set(querysets.visible().filter(uuid__in=among(uuids)).values_list("uuid", flat=True))


class _Projects:
    """The projects that nodes belong to, in the order in which they are met."""

    def __init__(self, groups: list[ProjectGroup]) -> None:
        self._groups = groups
        self._known: dict[tuple[str | None, str | None], int] = {(None, None): -1}
        self.found: list[ProjectGroup] = []

    def index(self, project_id: str | None, key: str | None) -> int:
        """The place of a memory's project in `found`; -1 where it has none."""
        row = (project_id, key)
        if row not in self._known:
            group = next((one for one in self._groups if one.holds(row)), None)
            if group is not None and group not in self.found:
                self.found.append(group)
            self._known[row] = self.found.index(group) if group is not None else -1
        return self._known[row]


def _add_links(found: Graph, filters: GraphFilters) -> None:
    place = {node: index for index, node in enumerate(found.ids)}
    links = list(links_from(found.ids, filters).values_list("from_uuid", "to_uuid", "relationship"))
    outside = {target for _, target, _ in links if target not in place}
    here = set(Memory.objects.filter(uuid__in=among(outside)).values_list("uuid", flat=True)) if outside else set()
    room = min(MAX_MISSING, MAX_NODES - len(found.ids))
    for source, target, relationship in links:
        if target in here:
            continue
        if target not in place:
            if not room:
                continue
            room -= 1
            place[target] = found.add_node(target, "missing", "not on this machine", -1, 1, hidden=False)
        found.add_link(place[source], place[target], relationship)


def _add_sessions(found: Graph, rows: list[dict[str, Any]], finder: Finder | None) -> None:
    """A node for each session that memories here name; where there is no room for all, those that most of them name."""
    members: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        for session in sessions_of(row["session_id"], row["transcript_ref"]):
            members.setdefault(session, []).append(index)
    found.others_left_out += max(0, len(members) - MAX_SESSIONS)
    chosen = sorted(members.items(), key=lambda item: -len(item[1]))[:MAX_SESSIONS]
    titles = session_titles([session for session, _ in chosen])
    for session, indices in chosen:
        title, project = titles.get(session) or session_name(session), found.projects[indices[0]]
        node = found.add_node(SESSION + session, "session", short_title(title), project, 5, hidden=False)
        if finder and finder.has(title):
            found.found.append(SESSION + session)
        for index in indices:
            found.add_link(index, node, "session")


def _add_projects(found: Graph, groups: _Projects, finder: Finder | None) -> None:
    members: dict[int, list[int]] = {}
    for index in range(found.memories):
        if found.projects[index] >= 0:
            members.setdefault(found.projects[index], []).append(index)
    found.others_left_out += max(0, len(members) - MAX_PROJECTS)
    for project, indices in sorted(members.items(), key=lambda item: -len(item[1]))[:MAX_PROJECTS]:
        group = groups.found[project]
        node = found.add_node(PROJECT + group.value, "project", short_title(group.name), project, 10, hidden=False)
        if finder and group in finder.projects:
            found.found.append(PROJECT + group.value)
        for index in indices:
            found.add_link(index, node, "project")
