"""What the dashboard shows of one record: every field from its file, and its links both ways with what they lead to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from memories import selectors
from memories.core import clock, mirror_rows, records
from memories.core.paths import DataFolder
from memories.models import Link, Memory
from memories.project_groups import ProjectGroup, find_group, project_groups


@dataclass(frozen=True)
class LinkedMemory:
    """The other end of a link. title, type, created_at are "" and status None where that record is not here."""

    uuid: str
    relationship: str
    title: str
    type: str
    created_at: str
    status: str | None


@dataclass(frozen=True)
class MemoryDetail:
    """One record. record: the file's fields, as text that can be shown; created_at and updated_at: in UTC, "" when
    there is none; project: to filter by; raw: the file as JSON; sessions: ids that transcript_ref names; replaced_by:
    what archived it or supersedes it, newest last."""

    record: dict[str, Any]
    title: str
    created_at: str
    updated_at: str
    project: ProjectGroup | None
    raw: str
    sessions: list[str]
    outgoing: list[LinkedMemory]
    incoming: list[LinkedMemory]
    replaced_by: list[LinkedMemory]


def memory_detail(folder: DataFolder, uuid: str) -> MemoryDetail:
    """The record with its links. Three queries, however many links.

    Raises RecordNotFoundError, InvalidRecordError, StorageError, MirrorUnavailableError.
    """
    loaded = records.load(folder, uuid)
    selectors.mirror_connection(folder)
    # A file may hold halves of surrogate pairs, which no page can carry: cleaned once, for every field.
    raw = mirror_rows.clean(json.dumps(loaded, ensure_ascii=False, indent=2))
    record: dict[str, Any] = json.loads(raw)
    outgoing = records.valid_connections(record)
    incoming = list(Link.objects.filter(to_uuid=uuid).order_by("id").values_list("from_uuid", "relationship"))
    archived_in = record.get("archived_in") or ""
    named = record.get("project_id") or record.get("project")
    ends = {end for end, _ in [*outgoing, *incoming]} | {archived_in}
    found = Memory.objects.filter(uuid__in=ends).values("uuid", "title", "type", "created_at", "status")
    known = {row["uuid"]: row for row in found}
    linked_in = [_linked(end, relationship, known) for end, relationship in incoming]
    replaced_by = [link for link in linked_in if link.relationship == "supersedes" and link.status == "active"]
    if archived_in and archived_in not in {link.uuid for link in replaced_by}:
        replaced_by.append(_linked(archived_in, "supersedes", known))
    return MemoryDetail(
        record=record,
        title=mirror_rows.title_of(record["content"]) or uuid,
        created_at=clock.normalise_time(record["created_at"]) or "",
        updated_at=clock.normalise_time(record.get("updated_at")) or "",
        project=find_group(project_groups(), named) if named else None,
        raw=raw,
        sessions=records.session_refs(record.get("transcript_ref")),
        outgoing=[_linked(end, relationship, known) for end, relationship in outgoing],
        incoming=linked_in,
        replaced_by=sorted(replaced_by, key=lambda link: link.created_at),
    )


def _linked(uuid: str, relationship: str, known: dict[str, dict[str, Any]]) -> LinkedMemory:
    row = known.get(uuid)
    if row is None:
        return LinkedMemory(uuid, relationship, "", "", "", None)
    return LinkedMemory(uuid, relationship, row["title"] or uuid, row["type"], row["created_at"], row["status"])
