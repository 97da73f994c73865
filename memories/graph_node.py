"""One node of the graph as the panel beside it shows it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from django.db.models import QuerySet
from django.db.models.functions import Substr

from memories import querysets, selectors
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.graph_filters import PROJECT, SESSION, GraphFilters, among, links_of
from memories.graph_table import End
from memories.graph_titles import plain_text, session_name, session_titles, short_title, whole_title
from memories.graph_walk import expanded, memories_of_sessions, sessions_of
from memories.models import Memory
from memories.project_groups import ProjectGroup, find_group

READ_CHARS = 1_000
"""Of a content: a session log's first request, which is its title, begins some 200 characters in."""

MAX_NEIGHBOURS, MAX_SESSIONS = 10, 3
_PRESENT = "SELECT DISTINCT session_id FROM session WHERE part = '' AND session_id IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class NamedSession:
    """A session that a memory comes from: what was asked first in it, and whether its transcript is here."""

    id: str
    title: str
    is_here: bool


@dataclass(frozen=True)
class NodeDetail:
    """kind: one of graph.NODE_KINDS. title: the whole one. created_at: in UTC; a session's is its start; "" where it is
    not known. hidden: "archived", "superseded" or "". memories: of a session or project, how many name it. turns: of a
    session; None: its transcript is not here. ends: MAX_NEIGHBOURS links at most, of a session or project its memories
    with their types; more_ends: how many more. around: how many memories "Show its neighbours" would show."""

    node: str
    kind: str
    title: str
    excerpt: str = ""
    created_at: str = ""
    project: ProjectGroup | None = None
    importance: int = 0
    hidden: str = ""
    tags: list[str] = field(default_factory=list)
    memories: int = 0
    turns: int | None = None
    ends: list[End] = field(default_factory=list)
    more_ends: int = 0
    sessions: list[NamedSession] = field(default_factory=list)
    around: int = 0

    @property
    def name(self) -> str:
        """The uuid, session id or project value that the node stands for."""
        return self.node.removeprefix(SESSION).removeprefix(PROJECT)


def node_detail(folder: DataFolder, filters: GraphFilters, node: str) -> NodeDetail:
    """What is known of a node; a memory that is not there is "missing". Raises MirrorUnavailableError."""
    raw = selectors.mirror_connection(folder)
    around = [uuid for uuid in expanded(replace(filters, expand=(node,))) if uuid != node]
    if node.startswith(PROJECT):
        group = find_group(filters.groups, node.removeprefix(PROJECT))
        held = querysets.visible().filter(group.condition())
        count = held.count()
        found = NodeDetail(node, "project", clean(group.name), project=group, memories=count, ends=_members(held))
    elif node.startswith(SESSION):
        found = _session(raw, node)
    else:
        found = _memory(raw, filters, node)
    more = max(0, found.memories - len(found.ends)) if found.memories else found.more_ends
    return replace(found, around=len(around), more_ends=more)


def _session(raw: sqlite3.Connection, node: str) -> NodeDetail:
    session = node.removeprefix(SESSION)
    sql = "SELECT started_at, turns FROM session WHERE session_id = ? AND part = '' ORDER BY id LIMIT 1"
    started, turns = raw.execute(sql, (session,)).fetchone() or (None, None)
    uuids = memories_of_sessions([session])
    return NodeDetail(
        node,
        "session",
        session_titles([session]).get(session) or session_name(session),
        created_at=_utc(started),
        memories=len(uuids),
        turns=turns,
        ends=_members(Memory.objects.filter(uuid__in=among(uuids))),
    )


def _members(memories: QuerySet[Memory]) -> list[End]:
    """The newest of the memories, each with its type in the place of a relationship."""
    rows = memories.order_by("-created_at", "-id").values_list("uuid", "title", "type")[:MAX_NEIGHBOURS]
    return [End(uuid, short_title(title) or uuid, kind) for uuid, title, kind in rows]


def _memory(raw: sqlite3.Connection, filters: GraphFilters, uuid: str) -> NodeDetail:
    memory = Memory.objects.filter(uuid=uuid).defer("content").annotate(start=Substr("content", 1, READ_CHARS)).first()
    if memory is None:
        return NodeDetail(uuid, "missing", "Not on this machine")
    _, found, rest = memory.start.partition(memory.title)
    visible = querysets.visible().filter(uuid=uuid).exists()
    ends, more = _links(filters, uuid)
    return NodeDetail(
        uuid,
        memory.type,
        whole_title(memory.title) or uuid,
        excerpt=plain_text(rest if found else memory.start),
        created_at=memory.created_at,
        project=next((one for one in filters.groups if one.holds((memory.project_id, memory.project_key))), None),
        importance=memory.importance,
        hidden="" if visible else "archived" if memory.status == "archived" else "superseded",
        tags=[tag.strip() for tag in clean(memory.tags or "").split(",") if tag.strip()],
        ends=ends,
        more_ends=more,
        sessions=_sessions(raw, sessions_of(memory.session_id, memory.transcript_ref)[:MAX_SESSIONS]),
    )


def _links(filters: GraphFilters, uuid: str) -> tuple[list[End], int]:
    """The first links from and to a memory, and how many more there are; what replaced it is "superseded_by"."""
    every = links_of([uuid], filters)
    links = list(every.values_list("from_uuid", "to_uuid", "relationship")[:MAX_NEIGHBOURS])
    others = [source if target == uuid else target for source, target, _ in links]
    titles = dict(Memory.objects.filter(uuid__in=among(others)).values_list("uuid", "title"))
    found = []
    for (_, target, relationship), other in zip(links, others, strict=True):
        kind = "superseded_by" if target == uuid and relationship == "supersedes" else relationship
        found.append(End(other, (short_title(titles[other]) or other) if other in titles else "", kind))
    return found, every.count() - len(links)


def _sessions(raw: sqlite3.Connection, sessions: list[str]) -> list[NamedSession]:
    titles = session_titles(sessions)
    here = {session for (session,) in raw.execute(_PRESENT, (json.dumps(sessions),))}
    return [NamedSession(one, short_title(titles.get(one) or session_name(one)), one in here) for one in sessions]


def _utc(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}" if seconds else ""
