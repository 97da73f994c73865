"""Reads: what the tools, the commands and the dashboard show of the mirror. Every function gives plain data."""

from __future__ import annotations

import os
import sqlite3
import sys

from memories import plain_connection
from memories.core import records, scope
from memories.core.errors import MirrorUnavailableError, RecordNotFoundError
from memories.core.paths import MIRROR_VERSION
from memories.memory_rows import AMONG, NEWEST_FIRST, MemoryRow, listed, rows, uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.ranking import Condition

MAX_LIMIT = 100
WHOLE_CHARS = 500
"""Characters up to which a hit's content is given whole."""

MAX_NODES = 200
"""Nodes that one memory_explore gives; beyond that the graph is of no use to a reader."""

_NO_PROJECT = "memory.project_id IS NULL AND memory.project_key IS NULL"
_LINKS_OF = f"SELECT from_uuid, to_uuid FROM link WHERE from_uuid {AMONG} OR to_uuid {AMONG} ORDER BY id"
_LINKS_AMONG = (
    f"SELECT from_uuid, to_uuid, relationship FROM link WHERE from_uuid {AMONG} AND to_uuid {AMONG} ORDER BY id"
)


def mirror_connection(folder: DataFolder) -> sqlite3.Connection:
    """The process's connection to the folder's mirror, Django's own where Django runs; reopened when the file was
    replaced under it.

    Raises MirrorUnavailableError when the mirror is missing, damaged or of another version.
    """
    try:
        inode = os.stat(folder.mirror).st_ino
    except OSError:
        close_mirror(folder)
        raise MirrorUnavailableError("The index is missing: run `llm-memory sync` to build it.") from None
    try:
        raw = _opened(folder, inode)
        version = raw.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        close_mirror(folder)
        raise MirrorUnavailableError(f"The index cannot be read ({error}): run `llm-memory sync`.") from error
    if version != MIRROR_VERSION:
        raise MirrorUnavailableError("The index is still being built: try again in a moment, or run `llm-memory sync`.")
    return raw


def close_mirror(folder: DataFolder) -> None:
    """Close the process's connection to the folder's mirror; the next mirror_connection opens it anew."""
    if _is_django_running():
        from memories import django_connection

        django_connection.close()
    else:
        plain_connection.close(folder)


def kept() -> dict[str, Any]:
    """A place for what is worth keeping beside mirror_connection's connection: this thread's, where Django runs."""
    if _is_django_running():
        from memories import django_connection

        return django_connection.kept()
    return plain_connection.kept


def _opened(folder: DataFolder, inode: int) -> sqlite3.Connection:
    if _is_django_running():
        from memories import django_connection

        return django_connection.opened(folder, inode)
    return plain_connection.opened(folder, inode)


def _is_django_running() -> bool:
    """Whether this process has set Django up: only then its ORM reads too, and must stand on the same file."""
    apps = sys.modules.get("django.apps")
    return apps is not None and bool(apps.apps.ready)


def named_scope(folder: DataFolder, name: str, session: Project | None, settings: dict[str, Any]) -> scope.Scope:
    """The scope of a project that was named, among the records there are."""
    return scope.of_name(mirror_connection(folder), name, session, settings)


def several_projects_hint(found: scope.Scope) -> str | None:
    """What to say when one name fitted several projects; None otherwise."""
    if not found.several:
        return None
    return f"The name {found.name!r} fits {len(found.several)} projects, all included: {', '.join(found.several)}."


def brief(memory: MemoryRow, excerpt: int = WHOLE_CHARS) -> dict[str, Any]:
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


def whence(memory: MemoryRow) -> dict[str, str]:
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
    raw = mirror_connection(folder)
    limit = min(limit, MAX_LIMIT)
    condition, values = scope.VISIBLE, ([type] if type else [])
    if type:
        condition += " AND memory.type = ?"

    def newest(where: scope.Scope | None, most: int) -> list[MemoryRow]:
        inside, names = where.sql() if where else ("1", [])
        return rows(raw, f"{condition} AND {inside}", [*values, *names], order=NEWEST_FIRST, limit=most)

    if project is not None:
        chosen = newest(project, limit)
    else:
        own = newest(boosted, (limit + 1) // 2) if boosted else []
        ids = {memory.id for memory in own}
        rest = [memory for memory in newest(None, limit) if memory.id not in ids]
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
    from memories.core import redaction

    record = redaction.load(folder, uuid)
    raw = mirror_connection(folder)
    outgoing = [
        {"to_uuid": to_uuid, "relationship": relationship}
        for to_uuid, relationship in records.valid_connections(record)
    ]
    links = raw.execute("SELECT from_uuid, relationship FROM link WHERE to_uuid = ? ORDER BY id", (uuid,))
    incoming = [{"from_uuid": from_uuid, "relationship": relationship} for from_uuid, relationship in links]
    ends = {link["to_uuid"] for link in outgoing} | {link["from_uuid"] for link in incoming}
    known = {memory.uuid: brief(memory) for memory in rows(raw, f"memory.uuid {AMONG}", [listed(ends)])}
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
    raw = mirror_connection(folder)
    if not uuids(raw, "memory.uuid = ?", [uuid]):
        records.load(folder, uuid)
        raise RecordNotFoundError(f"Record {uuid} is not in the index yet: run `llm-memory sync`.")
    order = [uuid]
    border = [uuid]
    for _ in range(depth):
        ends = [end for link in raw.execute(_LINKS_OF, [listed(border)] * 2) for end in link]
        seen = set(order)
        fresh = [end for end in dict.fromkeys(ends) if end not in seen]
        present = set(uuids(raw, f"memory.uuid {AMONG}", [listed(fresh)]))
        border = [end for end in fresh if end in present]
        order.extend(border)
        if not border or len(order) >= MAX_NODES:
            break
    order = order[:MAX_NODES]
    found = {memory.uuid: memory for memory in rows(raw, f"memory.uuid {AMONG}", [listed(order)])}
    edges = raw.execute(_LINKS_AMONG, [listed(order)] * 2)
    return {
        "start_uuid": uuid,
        "depth": depth,
        "nodes": [{**brief(found[one]), "status": found[one].status} for one in order if one in found],
        "edges": [dict(zip(("from_uuid", "to_uuid", "relationship"), edge, strict=True)) for edge in edges],
    }


def narrative_coverage(folder: DataFolder, project: scope.Scope, own_session: str | None = None) -> dict[str, Any]:
    """coverage.coverage over the mirror; own_session: the session that asks. Raises MirrorUnavailableError."""
    from memories.core import coverage

    return coverage.coverage(mirror_connection(folder), folder, project, own_session=own_session)


def duplicate_of(raw: sqlite3.Connection, content: str, type: str, project: scope.Scope | None) -> str | None:  # noqa: A002
    """The uuid of a visible memory with the same normalised content, project and type; None when there is none."""
    from memories.core import mirror_rows

    condition, values = _same_kind(type, project)
    same = uuids(raw, f"memory.content_hash = ? AND {condition}", [mirror_rows.content_hash(content), *values])
    return same[0] if same else None


def near_duplicates_of(raw: sqlite3.Connection, content: str, type: str, project: scope.Scope | None) -> list[str]:  # noqa: A002
    """uuids of visible memories of the same kind that share NEAR_DUPLICATE or more of their words, most alike first."""
    from memories import ranking
    from memories.core import query, words  # patterns that a list has no use for

    expression = query.match_expression(content)
    if expression is None:
        return []
    best = [row_id for row_id, _ in ranking.ranked(raw, expression, _same_kind(type, project), 10)]
    found = rows(raw, f"memory.id {AMONG}", [listed(best)])
    alike = [(words.similarity(content, memory.content), memory.uuid) for memory in found]
    return [uuid for share, uuid in sorted(alike, reverse=True) if share >= query.NEAR_DUPLICATE]


def _same_kind(type: str, project: scope.Scope | None) -> Condition:  # noqa: A002
    inside, values = project.sql() if project else (_NO_PROJECT, [])
    return f"{scope.VISIBLE} AND memory.type = ? AND {inside}", [type, *values]
