"""The neighbourhood of a node, breadth first: through links, and through sessions where they are nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db import connection

from memories.core import records
from memories.core.errors import RecordNotFoundError
from memories.graph_filters import (
    MAX_NODES,
    PROJECT,
    SESSION,
    GraphFilters,
    among,
    links_of,
    shown_memories,
)
from memories.models import Memory
from memories.project_groups import find_group

MAX_EXPANDED = 500
"""Neighbours that expanding nodes adds, together."""

MAX_ID_CHARS = 200
"""Longer ones are no session ids (36 characters): a record may hold any text there."""

_BEST_FIRST = ("-importance", "-created_at", "-id")
_MEMORIES_OF_SESSIONS = """
    SELECT uuid FROM memory WHERE session_id IN (SELECT value FROM json_each(%s))
    UNION SELECT memory.uuid FROM memory, json_each(memory.transcript_ref) AS ref
    WHERE memory.transcript_ref IS NOT NULL AND ref.value IN (SELECT value FROM json_each(%s))
"""


@dataclass(frozen=True)
class Walk:
    """uuids of memories, nearest first; cut: whether there were more than MAX_NODES."""

    uuids: list[str]
    cut: bool = False


def walk(filters: GraphFilters) -> Walk:
    """The neighbourhood of filters.focus. At most four queries for each step. Raises RecordNotFoundError.

    The focus itself is part of it whatever the filters say. Only a project that is the focus is gone through.
    """
    border = _start(filters.focus, filters)
    order = dict.fromkeys(border)
    steps = filters.depth if filters.focus not in order else filters.depth + 1
    for _ in range(1, steps):
        found = [uuid for uuid in neighbours(list(border), filters) if uuid not in order]
        kept = set(shown_memories(filters).filter(uuid__in=among(found)).values_list("uuid", flat=True))
        border = dict.fromkeys(uuid for uuid in found if uuid in kept)
        order |= border
        if not border or len(order) > MAX_NODES:
            break
    return Walk(list(order)[:MAX_NODES], cut=len(order) > MAX_NODES)


def expanded(filters: GraphFilters) -> list[str]:
    """Memories next to the nodes that filters.expand names, whether filters hide them or not; MAX_EXPANDED at most."""
    memories = [node for node in filters.expand if not node.startswith((SESSION, PROJECT))]
    found = dict.fromkeys([*memories, *neighbours(memories, filters)]) if memories else {}
    sessions = [node.removeprefix(SESSION) for node in filters.expand if node.startswith(SESSION)]
    if sessions:
        found |= dict.fromkeys(memories_of_sessions(sessions))
    for node in filters.expand:
        if node.startswith(PROJECT):
            found |= _of_project(node, filters, MAX_EXPANDED)
    present = set(Memory.objects.filter(uuid__in=among(found)).values_list("uuid", flat=True))
    return [uuid for uuid in found if uuid in present][:MAX_EXPANDED]


def neighbours(uuids: list[str], filters: GraphFilters) -> list[str]:
    """What the memories are linked with, and, where sessions are nodes, the other memories of their sessions."""
    ends = links_of(uuids, filters).values_list("from_uuid", "to_uuid")
    found = dict.fromkeys(end for link in ends for end in link)
    if filters.sessions:
        rows = Memory.objects.filter(uuid__in=among(uuids)).values_list("session_id", "transcript_ref")
        sessions = {session for row in rows for session in sessions_of(*row)}
        found |= dict.fromkeys(memories_of_sessions(sorted(sessions)))
    return list(found)


def sessions_of(session_id: str | None, transcript_ref: str | None) -> list[str]:
    """The sessions that a memory names, each once."""
    named = [*([session_id] if session_id else []), *records.session_refs(transcript_ref)]
    return [session for session in dict.fromkeys(named) if len(session) <= MAX_ID_CHARS]


def memories_of_sessions(sessions: list[str]) -> list[str]:
    """The memories that name one of the sessions, by uuid, in one query."""
    with connection.cursor() as cursor:
        named = json.dumps(sessions)
        cursor.execute(_MEMORIES_OF_SESSIONS, [named, named])
        return [uuid for (uuid,) in cursor.fetchall()]


def _start(focus: str, filters: GraphFilters) -> dict[str, None]:
    if focus.startswith(SESSION):
        found = memories_of_sessions([focus.removeprefix(SESSION)])
        kept = shown_memories(filters).filter(uuid__in=among(found))
        return dict.fromkeys(kept.order_by(*_BEST_FIRST).values_list("uuid", flat=True))
    if focus.startswith(PROJECT):
        return _of_project(focus, filters, MAX_NODES + 1)
    if not Memory.objects.filter(uuid=focus).exists():
        raise RecordNotFoundError(f"No memory {focus} is in the index: see the whole graph, or run `llm-memory sync`.")
    return {focus: None}


def _of_project(node: str, filters: GraphFilters, limit: int) -> dict[str, None]:
    group = find_group(filters.groups, node.removeprefix(PROJECT))
    found = shown_memories(filters).filter(group.condition())
    return dict.fromkeys(found.order_by(*_BEST_FIRST).values_list("uuid", flat=True)[:limit])
