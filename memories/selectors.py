"""Reads: what the tools, the commands and the dashboard show of the mirror. Every function gives plain data."""

from __future__ import annotations

import os
import sqlite3
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError, connection
from django.db.models import Case, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import ExpressionWrapper

from memories.core import coverage, mirror, mirror_rows, query, records, scope
from memories.core.errors import MirrorUnavailableError, RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.projects import Project
from memories.models import Bm25, Link, Memory, Snippet

MAX_LIMIT = 100
WHOLE_CHARS = 500
"""Characters up to which a hit's content is given whole."""

MAX_NODES = 200
"""Nodes that one memory_explore gives; beyond that the graph is of no use to a reader."""


def mirror_connection(folder: DataFolder) -> sqlite3.Connection:
    """Django's own connection, pointed at the folder's mirror; reopened when the file was replaced under it.

    Raises MirrorUnavailableError when the mirror is missing, damaged or of another version.
    """
    name = f"file:{quote(folder.mirror)}?mode=rw"
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


def brief(memory: Memory) -> dict[str, Any]:
    """A memory as lists show it: content whole up to WHOLE_CHARS characters, else cut, saying how to get the rest."""
    content = memory.content
    if len(content) > WHOLE_CHARS:
        content = f"{content[:WHOLE_CHARS].rstrip()}… [{len(content):,} characters; memory_get has the whole text]"
    return {
        "uuid": memory.uuid,
        "type": memory.type,
        "content": content,
        "project": memory.project,
        "created_at": memory.created_at,
        "importance": memory.importance,
        "transcript_ref": memory.transcript_ref,
        "tags": memory.tags,
    }


def matching(text: str, base: QuerySet[Memory], boosted: scope.Scope | None = None) -> QuerySet[Memory]:
    """The base's memories that match any word of the text, best first, annotated with `score` and `snippet`."""
    expression = query.match_expression(text)
    if expression is None:
        return base.none()
    own = Case(When(in_scope(boosted), then=Value(query.PROJECT_BOOST)), default=Value(1.0)) if boosted else Value(1.0)
    weight = Value(1.0) + (F("importance") - Value(records.DEFAULT_IMPORTANCE)) * Value(query.IMPORTANCE_STEP)
    score = ExpressionWrapper(Bm25("index__match") * Value(-1.0) * own * weight, output_field=FloatField())
    return (
        base.filter(index__match__match=expression)
        .annotate(score=score, snippet=Snippet("index__match"))
        .order_by("-score", "-created_at", "-id")
    )


def memory_search(
    folder: DataFolder,
    text: str,
    *,
    project: scope.Scope | None = None,
    boosted: scope.Scope | None = None,
    type: str | None = None,  # noqa: A002 - the tool's argument
    limit: int = 10,
) -> dict[str, Any]:
    """Memories that answer a question: {"results": [...], "hint": str or None}. Any text is a valid query.

    project restricts, boosted only prefers. Raises MirrorUnavailableError.
    """
    mirror_connection(folder)
    base = visible()
    if type:
        base = base.filter(type=type)
    found = base.filter(in_scope(project)) if project else base
    hits = list(matching(text, found, boosted)[: min(limit, MAX_LIMIT)])
    results = [{**brief(hit), "snippet": plain_snippet(hit.snippet), "score": round(hit.score, 6)} for hit in hits]
    hint = several_projects_hint(project) if project else None
    if not results:
        hint = _nothing_found(text, base, project)
    return {"results": results, "hint": hint}


def plain_snippet(snippet: str) -> str:
    """A snippet for a model: matched words in **bold**, on one line."""
    return " ".join(snippet.replace("\x02", "**").replace("\x03", "**").split())


def _nothing_found(text: str, base: QuerySet[Memory], project: scope.Scope | None) -> str:
    if query.match_expression(text) is None:
        return "The query holds no word to search for; memory_recent lists the newest memories."
    if project is not None:
        others = matching(text, base).exclude(project__isnull=True).values_list("project", flat=True)[:MAX_LIMIT]
        names = sorted({name for name in others if name})
        if names:
            return f"Nothing in {project.name}; there are hits in: {', '.join(names[:5])}. Search without project."
    return "Nothing matches. Try other words, or memory_recent for the newest memories."


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
    record = records.load(folder, uuid)
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


def narrative_coverage(folder: DataFolder, project: scope.Scope) -> dict[str, Any]:
    """coverage.coverage over the mirror. Raises MirrorUnavailableError."""
    return coverage.coverage(mirror_connection(folder), folder, project)


def duplicate_of(content: str, type: str, project: scope.Scope | None) -> str | None:  # noqa: A002
    """The uuid of a visible memory with the same normalised content, project and type; None when there is none."""
    same = _same_kind(type, project).filter(content_hash=mirror_rows.content_hash(content))
    return same.order_by("id").values_list("uuid", flat=True).first()


def near_duplicates_of(content: str, type: str, project: scope.Scope | None) -> list[str]:  # noqa: A002
    """uuids of visible memories of the same kind that share NEAR_DUPLICATE or more of their words, most alike first."""
    alike = [
        (query.similarity(content, memory.content), memory.uuid)
        for memory in matching(content, _same_kind(type, project))[:10]
    ]
    return [uuid for share, uuid in sorted(alike, reverse=True) if share >= query.NEAR_DUPLICATE]


def _same_kind(type: str, project: scope.Scope | None) -> QuerySet[Memory]:  # noqa: A002
    base = visible().filter(type=type)
    if project is None:
        return base.filter(project_id__isnull=True, project_key__isnull=True)
    return base.filter(in_scope(project))
