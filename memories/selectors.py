"""Reads: what the tools, the commands and the dashboard show of the mirror. Every function gives plain data."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from memories import ranking
from memories.core import coverage, mirror, mirror_rows, query, records, redaction, scope, words
from memories.core.errors import MirrorUnavailableError, RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.projects import Project
from memories.models import Link, Memory

MAX_LIMIT = 100
WHOLE_CHARS = 500
"""Characters up to which a hit's content is given whole."""

MAX_NODES = 200
"""Nodes that one memory_explore gives; beyond that the graph is of no use to a reader."""


_mode: ContextVar[str] = ContextVar("mirror_mode", default="rw")


@contextmanager
def read_only_mirror() -> Iterator[None]:
    """Within it, mirror_connection opens the mirror so that SQLite itself refuses every write."""
    before = _mode.set("ro")
    try:
        yield
    finally:
        _mode.reset(before)


def mirror_connection(folder: DataFolder) -> sqlite3.Connection:
    """Django's own connection, pointed at the folder's mirror; reopened when the file was replaced under it.

    Raises MirrorUnavailableError when the mirror is missing, damaged or of another version.
    """
    name = f"file:{quote(folder.mirror)}?mode={_mode.get()}"
    if connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name
    try:
        inode = os.stat(folder.mirror).st_ino
    except OSError:
        connection.close()
        raise MirrorUnavailableError("The index is missing: run `llm-memory sync` to build it.") from None
    if getattr(connection, "mirror_inode", None) != inode:
        connection.close()
    try:
        connection.ensure_connection()
        raw: sqlite3.Connection = connection.connection
        version = raw.execute("PRAGMA user_version").fetchone()[0]
    except (DatabaseError, sqlite3.Error) as error:
        connection.close()
        raise MirrorUnavailableError(f"The index cannot be read ({error}): run `llm-memory sync`.") from error
    if version != mirror.MIRROR_VERSION:
        raise MirrorUnavailableError("The index is still being built: try again in a moment, or run `llm-memory sync`.")
    connection.mirror_inode = inode  # type: ignore[attr-defined]
    return raw


def visible() -> QuerySet[Memory]:
    """Memories that are neither archived nor superseded by an active one (scope.VISIBLE as a queryset)."""
    newer = Memory.objects.filter(uuid=OuterRef("from_uuid"), status="active")
    superseding = Link.objects.filter(to_uuid=OuterRef("uuid"), relationship="supersedes").filter(Exists(newer))
    return Memory.objects.filter(~Exists(superseding), status="active")


def in_scope(project: scope.Scope) -> Q:
    """The condition that a memory belongs to a project (Scope.sql as a Q)."""
    return Q(project_id__in=project.ids) | Q(project_id__isnull=True, project_key__in=project.keys)


def named_scope(folder: DataFolder, name: str, session: Project | None, settings: dict[str, Any]) -> scope.Scope:
    """The scope of a project that was named, among the records there are."""
    return scope.of_name(mirror_connection(folder), name, session, settings)


def several_projects_hint(found: scope.Scope) -> str | None:
    """What to say when one name fitted several projects; None otherwise."""
    if not found.several:
        return None
    return f"The name {found.name!r} fits {len(found.several)} projects, all included: {', '.join(found.several)}."


def brief(memory: Memory, excerpt: int = WHOLE_CHARS) -> dict[str, Any]:
    """A memory as lists show it: content whole up to WHOLE_CHARS characters, else cut, saying how to get the rest.

    excerpt: characters that a content which is cut is cut to.
    """
    content = memory.content
    if len(content) > WHOLE_CHARS:
        content = f"{content[:excerpt].rstrip()}… [{len(content):,} characters; memory_get has the whole text]"
    return {
        "uuid": memory.uuid,
        "type": memory.type,
        "content": content,
        "project": memory.project,
        "created_at": memory.created_at,
        "importance": memory.importance,
        "transcript_ref": memory.transcript_ref,
        "tags": memory.tags,
        **whence(memory),
    }


def whence(memory: Memory) -> dict[str, str]:
    """Where a memory that is not this machine's own is from: {origin} of another machine, {imported_from}."""
    from_elsewhere = memory.origin if memory.origin != records.machine_name() else None
    found = {"origin": from_elsewhere, "imported_from": memory.imported_from}
    return {name: value for name, value in found.items() if value}


def memory_recent(
    folder: DataFolder,
    *,
    project: scope.Scope | None = None,
    boosted: scope.Scope | None = None,
    type: str | None = None,  # noqa: A002 - the tool's argument
    limit: int = 10,
) -> dict[str, Any]:
    """The newest memories, newest first: {"results": [...], "hint"}. boosted keeps half of the places for a project.

    Raises MirrorUnavailableError.
    """
    mirror_connection(folder)
    limit = min(limit, MAX_LIMIT)
    base = visible().order_by("-created_at", "-id")
    if type:
        base = base.filter(type=type)
    if project is not None:
        chosen = list(base.filter(in_scope(project))[:limit])
    else:
        own = list(base.filter(in_scope(boosted))[: (limit + 1) // 2]) if boosted else []
        rest = [memory for memory in base[:limit] if memory not in own]
        chosen = sorted([*own, *rest[: limit - len(own)]], key=lambda one: (one.created_at, one.id), reverse=True)
    hint = several_projects_hint(project) if project else None
    if not chosen and project is not None:
        hint = f"No memories of a project called {project.name!r}; without project, all projects are listed."
    elif not chosen:
        hint = "No memories here yet; memory_store keeps the first."
    return {"results": [brief(memory) for memory in chosen], "hint": hint}


def memory_get(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Every field of one record, with its links both ways; `memory` is None where a link's target is absent.

    Raises RecordNotFoundError, InvalidRecordError, StorageError, MirrorUnavailableError.
    """
    record = redaction.load(folder, uuid)
    mirror_connection(folder)
    outgoing = [
        {"to_uuid": to_uuid, "relationship": relationship}
        for to_uuid, relationship in records.valid_connections(record)
    ]
    incoming = list(Link.objects.filter(to_uuid=uuid).order_by("id").values("from_uuid", "relationship"))
    ends = {link["to_uuid"] for link in outgoing} | {link["from_uuid"] for link in incoming}
    known = {memory.uuid: brief(memory) for memory in Memory.objects.filter(uuid__in=ends)}
    return {
        **record,
        "connections": {
            "outgoing": [{**link, "memory": known.get(link["to_uuid"])} for link in outgoing],
            "incoming": [{**link, "memory": known.get(link["from_uuid"])} for link in incoming],
        },
    }


def memory_explore(folder: DataFolder, uuid: str, depth: int = 1) -> dict[str, Any]:
    """The graph around a memory, breadth first in both directions: {start_uuid, depth, nodes, edges}.

    Archived and superseded memories are nodes too, each with its status; every edge between two nodes is given.
    Raises RecordNotFoundError, MirrorUnavailableError.
    """
    mirror_connection(folder)
    if not Memory.objects.filter(uuid=uuid).exists():
        records.load(folder, uuid)
        raise RecordNotFoundError(f"Record {uuid} is not in the index yet: run `llm-memory sync`.")
    order = [uuid]
    border = {uuid}
    for _ in range(depth):
        links = Link.objects.filter(Q(from_uuid__in=border) | Q(to_uuid__in=border)).order_by("id")
        ends = [end for link in links for end in (link.from_uuid, link.to_uuid)]
        fresh = [end for end in dict.fromkeys(ends) if end not in set(order)]
        present = set(Memory.objects.filter(uuid__in=fresh).values_list("uuid", flat=True))
        border = {end for end in fresh if end in present}
        order.extend(end for end in fresh if end in present)
        if not border or len(order) >= MAX_NODES:
            break
    order = order[:MAX_NODES]
    found = {memory.uuid: memory for memory in Memory.objects.filter(uuid__in=order)}
    edges = Link.objects.filter(from_uuid__in=order, to_uuid__in=order).order_by("id")
    return {
        "start_uuid": uuid,
        "depth": depth,
        "nodes": [{**brief(found[one]), "status": found[one].status} for one in order if one in found],
        "edges": list(edges.values("from_uuid", "to_uuid", "relationship")),
    }


def narrative_coverage(folder: DataFolder, project: scope.Scope, own_session: str | None = None) -> dict[str, Any]:
    """coverage.coverage over the mirror; own_session: the session that asks. Raises MirrorUnavailableError."""
    return coverage.coverage(mirror_connection(folder), folder, project, own_session=own_session)


def duplicate_of(content: str, type: str, project: scope.Scope | None) -> str | None:  # noqa: A002
    """The uuid of a visible memory with the same normalised content, project and type; None when there is none."""
    same = _same_kind(type, project).filter(content_hash=mirror_rows.content_hash(content))
    return same.order_by("id").values_list("uuid", flat=True).first()


def near_duplicates_of(content: str, type: str, project: scope.Scope | None) -> list[str]:  # noqa: A002
    """uuids of visible memories of the same kind that share NEAR_DUPLICATE or more of their words, most alike first."""
    expression = query.match_expression(content)
    if expression is None:
        return []
    best = [row_id for row_id, _ in ranking.ranked(expression, _same_kind(type, project), 10)]
    found = Memory.objects.filter(id__in=best)
    alike = [(words.similarity(content, memory.content), memory.uuid) for memory in found]
    return [uuid for share, uuid in sorted(alike, reverse=True) if share >= query.NEAR_DUPLICATE]


def _same_kind(type: str, project: scope.Scope | None) -> QuerySet[Memory]:  # noqa: A002
    base = visible().filter(type=type)
    if project is None:
        return base.filter(project_id__isnull=True, project_key__isnull=True)
    return base.filter(in_scope(project))
