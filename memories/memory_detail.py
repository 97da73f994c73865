"""What the dashboard shows of one record: every field from its file, its links both ways with what they lead to, its
versions, and the transcripts that it names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.functions import Substr

from memories import cited_sessions, merged_conflicts, selectors, shown_text, versions
from memories.core import clock, coverage, forgotten, mirror_rows, records, redaction
from memories.core.paths import DataFolder
from memories.models import Link, Memory
from memories.project_groups import ProjectGroup, find_group

OPEN_LINKS = 50
LISTED_LINKS = 75
"""Links of one direction that the page shows at once, and with those that are folded; the graph has the rest."""

REPLACED_BY = 10
LISTED_SESSIONS = 40
MAX_RAW_CHARS = 12_000
"""Characters of the file that the page itself carries; a longer one has an address of its own."""

_TITLE_CHARS = 90
_SESSION_CHARS = 60


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
class Links:
    """A record's links in one direction. first: shown at once; folded: after them; more: how many there are besides."""

    first: list[LinkedMemory]
    folded: list[LinkedMemory]
    more: int


@dataclass(frozen=True)
class SessionRef:
    """A session that a record names. name: its transcript as the reader takes it, "" where it is not archived here;
    title and ended_at (a record's time): its log's, "" where it has none besides the record itself. kind: FORGOTTEN or
    EXPIRED where that is why it is not archived (forgotten.py)."""

    session_id: str
    name: str
    title: str
    ended_at: str
    kind: str | None = None


@dataclass(frozen=True)
class MemoryDetail:
    """One record. record: the file's fields, as text that can be shown; created_at and updated_at: in UTC, "" when
    there is none; project: where it belongs; raw: the file as JSON, "" where that is more than a page carries;
    session: the one it was stored in; sessions: those that transcript_ref names (that one not again, but of a
    narrative, which lists all that it was written from), more_sessions: how many besides;
    cited: session as a citation of the text names it -> the archived transcript's name; replaced_by: what archived it
    or supersedes it, newest last; conflict: what a merge of two machines' versions made of it."""

    record: dict[str, Any]
    title: str
    created_at: str
    updated_at: str
    project: ProjectGroup | None
    raw: str
    session: SessionRef | None
    sessions: list[SessionRef]
    more_sessions: int
    cited: dict[str, str]
    outgoing: Links
    incoming: Links
    replaced_by: list[LinkedMemory]
    versions: versions.Versions
    conflict: merged_conflicts.RecordConflict


def raw_record(folder: DataFolder, uuid: str) -> str:
    """A record's file as JSON text that any page can carry.

    Raises RecordNotFoundError, InvalidRecordError, StorageError.
    """
    return _json(redaction.load(folder, uuid))


def _json(record: dict[str, Any], limit: int | None = None) -> str:
    """A record as indented JSON; "" where it is longer than a limit of characters."""
    if limit is not None and len(json.dumps(record, ensure_ascii=False)) > limit:  # indenting takes 20 times as long
        return ""
    return shown_text.shown(json.dumps(record, ensure_ascii=False, indent=2))


def memory_detail(folder: DataFolder, uuid: str, groups: list[ProjectGroup]) -> MemoryDetail:
    """The record with all that the page shows of it. groups: every project there is. At most eleven queries,
    however many links, versions and sessions.

    Raises RecordNotFoundError, InvalidRecordError, StorageError, MirrorUnavailableError.
    """
    loaded = redaction.load(folder, uuid)
    raw = _json(loaded, MAX_RAW_CHARS)
    connection = selectors.mirror_connection(folder)
    record = {name: shown_text.shown(value) if isinstance(value, str) else value for name, value in loaded.items()}
    outgoing = records.valid_connections(record)
    linking = Link.objects.filter(to_uuid=uuid).order_by("-id").values_list("from_uuid", "relationship")
    incoming = list(linking[: LISTED_LINKS + 1])
    linked_by = linking.count() if len(incoming) > LISTED_LINKS else len(incoming)
    newer = Memory.objects.filter(uuid=OuterRef("from_uuid"), status="active")
    superseding = Link.objects.filter(Exists(newer), to_uuid=uuid, relationship="supersedes").order_by("-id")
    replaced_by = set(superseding.values_list("from_uuid", flat=True)[:REPLACED_BY])
    if records.is_uuid(record.get("archived_in")):
        replaced_by.add(record["archived_in"])
    shown = [*outgoing[:LISTED_LINKS], *incoming[:LISTED_LINKS]]
    known = _known({end for end, _ in shown} | replaced_by)
    named = record.get("project_id") or record.get("project")
    group = find_group(groups, named) if named else None
    own = str(record.get("session_id") or "")
    refs = records.session_refs(record.get("transcript_ref"))
    others = refs if record["type"] == "narrative" else [one for one in refs if one != own]
    logs = _logs([own, *others[:LISTED_SESSIONS]], uuid)
    return MemoryDetail(
        record=record,
        title=mirror_rows.title_of(record["content"], record["type"]) or uuid,
        created_at=clock.normalise_time(record["created_at"]) or "",
        updated_at=clock.normalise_time(record.get("updated_at")) or "",
        project=group,
        raw=raw,
        session=_session_ref(folder, own, logs) if own else None,
        sessions=[_session_ref(folder, one, logs) for one in others[:LISTED_SESSIONS]],
        more_sessions=max(len(others) - LISTED_SESSIONS, 0),
        cited=cited_sessions.cited_sessions(connection, folder, record["content"], refs),
        outgoing=_links(outgoing, len(outgoing), known),
        incoming=_links(incoming, linked_by, known),
        replaced_by=sorted(
            (_linked(one, "supersedes", known) for one in replaced_by), key=lambda link: (link.created_at, link.uuid)
        ),
        versions=versions.versions(folder, record, group.scope if group else None),
        conflict=merged_conflicts.record_conflict(folder, connection, record),
    )


def _logs(session_ids: list[str], but: str) -> dict[str, tuple[str, str]]:
    """Session id -> its log's title, cut, and time: those of some sessions, without the record with one uuid."""
    found = Memory.objects.filter(type="session_log", session_id__in=session_ids).exclude(uuid=but)
    rows = found.order_by("created_at").annotate(start=Substr("title", 1, _SESSION_CHARS + 1))
    listed = rows.values_list("session_id", "start", "created_at")[: 2 * LISTED_SESSIONS]
    return {str(session_id): (_cut(start, _SESSION_CHARS), created_at) for session_id, start, created_at in listed}


def _session_ref(folder: DataFolder, session_id: str, logs: dict[str, tuple[str, str]]) -> SessionRef:
    name = "" if coverage.archived_size(folder, session_id) is None else session_id
    kind = None if name else forgotten.kind_of(folder, session_id)
    return SessionRef(session_id, name, *logs.get(session_id, ("", "")), kind)


def _known(uuids: set[str]) -> dict[str, dict[str, Any]]:
    found = Memory.objects.filter(uuid__in=uuids).annotate(start=Substr("title", 1, _TITLE_CHARS + 1))
    return {row["uuid"]: row for row in found.values("uuid", "start", "type", "created_at", "status")}


def _links(links: list[tuple[str, str]], total: int, known: dict[str, dict[str, Any]]) -> Links:
    listed = [_linked(end, relationship, known) for end, relationship in links[:LISTED_LINKS]]
    return Links(listed[:OPEN_LINKS], listed[OPEN_LINKS:], max(total - LISTED_LINKS, 0))


def _linked(uuid: str, relationship: str, known: dict[str, dict[str, Any]]) -> LinkedMemory:
    row = known.get(uuid)
    if row is None:
        return LinkedMemory(uuid, relationship, "", "", "", None)
    return LinkedMemory(uuid, relationship, _cut(row["start"]) or uuid, row["type"], row["created_at"], row["status"])


def _cut(title: str, limit: int = _TITLE_CHARS) -> str:
    """A title of more than a limit of characters shortened to that."""
    return title if len(title) <= limit else f"{title[:limit].rstrip()}…"
