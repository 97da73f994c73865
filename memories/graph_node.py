"""One node of the graph as the panel beside it shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from django.db.models.functions import Substr

from memories import selectors
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.graph import short_title
from memories.graph_filters import PROJECT, SESSION, GraphFilters
from memories.graph_walk import memories_of_sessions
from memories.models import Memory
from memories.project_groups import ProjectGroup, find_group

EXCERPT_CHARS = 500


@dataclass(frozen=True)
class NodeDetail:
    """kind: one of graph.NODE_KINDS. created_at: in UTC; a session's is its start; "" where it is not known.
    hidden: "archived", "superseded" or "". memories: of a session or project, how many name it. turns: of a session;
    None: its transcript is not here."""

    node: str
    kind: str
    title: str
    excerpt: str = ""
    created_at: str = ""
    project: ProjectGroup | None = None
    importance: int = 0
    hidden: str = ""
    tags: str = ""
    memories: int = 0
    turns: int | None = None

    @property
    def name(self) -> str:
        """The uuid, session id or project value that the node stands for."""
        return self.node.removeprefix(SESSION).removeprefix(PROJECT)


def node_detail(folder: DataFolder, filters: GraphFilters, node: str) -> NodeDetail:
    """What is known of a node; a memory that is not there is "missing". Raises MirrorUnavailableError."""
    raw = selectors.mirror_connection(folder)
    if node.startswith(PROJECT):
        group = find_group(filters.groups, node.removeprefix(PROJECT))
        count = selectors.visible().filter(group.condition()).count()
        return NodeDetail(node, "project", clean(group.name), project=group, memories=count)
    if node.startswith(SESSION):
        session = node.removeprefix(SESSION)
        sql = "SELECT started_at, turns FROM session WHERE session_id = ? AND part = '' ORDER BY id LIMIT 1"
        started, turns = raw.execute(sql, (session,)).fetchone() or (None, None)
        return NodeDetail(
            node,
            "session",
            f"Session {clean(session)[:8]}",
            created_at=_utc(started),
            memories=len(memories_of_sessions([session])),
            turns=turns,
        )
    return _memory(filters, node)


def _memory(filters: GraphFilters, uuid: str) -> NodeDetail:
    memory = (
        Memory.objects.filter(uuid=uuid).defer("content").annotate(start=Substr("content", 1, EXCERPT_CHARS)).first()
    )
    if memory is None:
        return NodeDetail(uuid, "missing", "Not on this machine")
    title = clean(memory.title)
    _, found, rest = clean(memory.start).partition(title)
    visible = selectors.visible().filter(uuid=uuid).exists()
    return NodeDetail(
        uuid,
        memory.type,
        short_title(title) or uuid,
        excerpt=" ".join((rest if found else memory.start).split()),
        created_at=memory.created_at,
        project=next((one for one in filters.groups if one.holds((memory.project_id, memory.project_key))), None),
        importance=memory.importance,
        hidden="" if visible else "archived" if memory.status == "archived" else "superseded",
        tags=clean(memory.tags or ""),
    )


def _utc(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}" if seconds else ""
