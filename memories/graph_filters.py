"""What a graph is asked for, and the memories that this leaves: the part that its data and its table share."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from memories import querysets
from memories.core.records import RELATIONSHIPS, TYPES
from memories.models import Link, Memory
from memories.project_groups import ProjectGroup

MAX_NODES = 5_000
"""Nodes of one graph: what a browser still draws and moves smoothly (26 ms a step of the simulation, 21 ms a draw)."""

MAX_DEPTH = 4
DEFAULT_DEPTH = 2

SESSION, PROJECT = "s:", "p:"
"""What the id of a node that is not a memory starts with: s:<session id>, p:<ProjectGroup.value>."""


@dataclass(frozen=True)
class GraphFilters:
    """types and relationships: what is shown. project: None for all. archived: archived and superseded memories too.
    sessions, projects: these as nodes too; projects from the start, since few memories are linked and a first sight of
    specks tells nothing. focus: the node whose neighbourhood is shown, "" for the whole graph.
    depth: steps from it, 1 to MAX_DEPTH. expand: nodes whose neighbours are shown whatever the other filters say.
    find: a text that titles or names of projects have."""

    types: frozenset[str] = frozenset(TYPES)
    relationships: frozenset[str] = frozenset(RELATIONSHIPS)
    project: ProjectGroup | None = None
    archived: bool = False
    sessions: bool = False
    projects: bool = True
    focus: str = ""
    depth: int = DEFAULT_DEPTH
    expand: tuple[str, ...] = ()
    find: str = ""
    groups: list[ProjectGroup] = field(default_factory=list, compare=False)


def among(values: Collection[str] | Collection[int]) -> RawSQL:
    """The right side of an `__in` that holds any number of values in one parameter (SQLite allows 999 at the least)."""
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])


def shown_memories(filters: GraphFilters) -> QuerySet[Memory]:
    """The memories that type, project and archived leave, without order."""
    found: QuerySet[Memory] = Memory.objects.all() if filters.archived else querysets.visible()
    if filters.types != frozenset(TYPES):
        found = found.filter(type__in=sorted(filters.types))
    if filters.project:
        found = found.filter(filters.project.condition())
    return found


def linked(filters: GraphFilters) -> Q:
    """The condition that a memory has a link, either way, of a relationship that is shown."""
    links = Link.objects.filter(relationship__in=sorted(filters.relationships))
    return Q(Exists(links.filter(from_uuid=OuterRef("uuid")))) | Q(Exists(links.filter(to_uuid=OuterRef("uuid"))))


def links_from(uuids: Collection[str], filters: GraphFilters) -> QuerySet[Link]:
    """The links that these memories have, oldest first, of the relationships that are shown."""
    found = Link.objects.filter(from_uuid__in=among(uuids), relationship__in=sorted(filters.relationships))
    ordered: QuerySet[Link] = found.order_by("id")
    return ordered


def links_of(uuids: Collection[str], filters: GraphFilters) -> QuerySet[Link]:
    """The links from or to these memories, oldest first, of the relationships that are shown."""
    chosen = among(uuids)
    found = Link.objects.filter(Q(from_uuid__in=chosen) | Q(to_uuid__in=chosen))
    shown: QuerySet[Link] = found.filter(relationship__in=sorted(filters.relationships)).order_by("id")
    return shown
