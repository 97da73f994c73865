"""A record with the versions before and after it: what it supersedes and what supersedes it, on and on; for a narrative
all of its project's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from memories import narrative_changes, narratives, selectors, shown_text, version_diff
from memories.core import clock, coverage, records, redaction
from memories.core.errors import RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.scope import VISIBLE, Scope
from memories.memory_rows import AMONG, listed, uuids

MAX_VERSIONS = 500
"""Versions that are followed; of more, those nearest in the chain of links."""

LISTED = 20
"""Versions that a page lists: those around the one it shows."""

MAX_ENTRY_CHARS = 100_000
"""Characters of two narratives together up to which their entries are compared: some 500 ms."""

KEPT = "kept from a conflict"
"""The state of a version that another machine wrote and that lost to this one's."""

_COLUMNS = ("uuid", "title", "created_at", "status", "archived_in", "origin", "size", "conflict_of")
_CHAIN = f"""
WITH RECURSIVE chain (uuid) AS (
    SELECT uuid FROM memory WHERE {{start}}
    UNION SELECT CASE WHEN link.from_uuid = chain.uuid THEN link.to_uuid ELSE link.from_uuid END
    FROM chain JOIN link ON (link.from_uuid = chain.uuid OR link.to_uuid = chain.uuid)
    WHERE link.relationship = 'supersedes' LIMIT {MAX_VERSIONS}
)
SELECT memory.uuid, title, created_at, status, archived_in, origin, length(content), conflict_of
FROM memory WHERE uuid IN (SELECT uuid FROM chain)
ORDER BY created_at DESC, coalesce(updated_at, created_at) DESC, uuid DESC
"""


@dataclass(frozen=True)
class ListedVersion:
    """A version as a list shows it. machine: "" where it is not known; size: characters; state: narratives.Version's,
    for other records `active`, `superseded` or `archived`, of both KEPT; older: uuid of the next older in the list,
    or ""; is_apart: whether there are others between it and the one that the page shows, so that no `older` leads from
    one to the other.
    """

    uuid: str
    title: str
    created_at: str
    machine: str
    size: int
    state: str
    older: str
    is_apart: bool


@dataclass(frozen=True)
class Versions:
    """The versions around one, newest first; total: how many there are; newer and older: the uuid of the next that is
    not listed on that side, or ""."""

    listed: list[ListedVersion]
    total: int
    newer: str
    older: str


@dataclass(frozen=True)
class Side:
    """One of two compared records, as text that can be shown; project and machine: "" where there is none. written_at:
    created_at, or where both sides were created at once, as those of a conflict are, the last edit. deleted_at: ""
    where it is not in trash/."""

    uuid: str
    type: str
    project: str
    machine: str
    written_at: str
    content: str
    deleted_at: str = ""


@dataclass(frozen=True)
class VersionChanges:
    """From an older record to a newer, line by line."""

    old: Side
    new: Side
    comparison: version_diff.Comparison


@dataclass(frozen=True)
class EntryChanges:
    """What became of a narrative's entries; changes: None where the texts are too long to tell while a page waits;
    accepted: entries that the newer one leaves out on purpose."""

    changes: narrative_changes.Changes | None
    accepted: list[str]


def versions(folder: DataFolder, record: dict[str, Any], project: Scope | None) -> Versions:
    """The versions of a record, itself included. project: a narrative's. At most three queries.

    Raises MirrorUnavailableError.
    """
    raw = selectors.mirror_connection(folder)
    uuid = record["uuid"]
    start, values = "uuid IN (?, ?)", [uuid, record.get("archived_in") or uuid]
    narrative_of = project if record["type"] == "narrative" else None
    if narrative_of is not None:
        condition, own = narrative_of.sql()
        start, values = f"{start} OR (type = 'narrative' AND {condition})", [*values, *own]
    rows = [dict(zip(_COLUMNS, row, strict=True)) for row in raw.execute(_CHAIN.format(start=start), values)]
    if narrative_of is None:
        shown = set(uuids(raw, f"{VISIBLE} AND memory.uuid {AMONG}", [listed(row["uuid"] for row in rows)]))
        states = {row["uuid"]: _state(row, shown) for row in rows}
    else:
        _add_links(raw, rows)
        current = coverage.narrative(raw, folder, narrative_of)
        states = narratives.states(rows, current.uuid if current else None)
    states |= {row["uuid"]: KEPT for row in rows if row["conflict_of"] and row["status"] == "archived"}
    return _around(uuid, rows, states)


def _state(row: dict[str, Any], shown: set[str]) -> str:
    if row["status"] == "archived":
        return "archived"
    return "active" if row["uuid"] in shown else "superseded"


def _add_links(connection: Any, rows: list[dict[str, Any]]) -> None:
    """Give rows the `supersedes` links of their records, as records have them."""
    marks = ", ".join("?" * len(rows))
    found = connection.execute(
        f"SELECT from_uuid, to_uuid FROM link WHERE relationship = 'supersedes' AND from_uuid IN ({marks})",
        [row["uuid"] for row in rows],
    )
    links: dict[str, list[dict[str, str]]] = {}
    for from_uuid, to_uuid in found:
        links.setdefault(from_uuid, []).append({"to_uuid": to_uuid, "relationship": "supersedes"})
    for row in rows:
        row["connections"] = links.get(row["uuid"], [])


def _around(uuid: str, rows: list[dict[str, Any]], states: dict[str, str]) -> Versions:
    ids = [row["uuid"] for row in rows]
    place = ids.index(uuid) if uuid in ids else 0
    first = max(0, min(place - LISTED // 2, len(rows) - LISTED))
    following = [*ids[1:], ""]
    listed = [
        ListedVersion(
            uuid=row["uuid"],
            title=row["title"],
            created_at=row["created_at"],
            machine=row["origin"] or "",
            size=row["size"],
            state=states[row["uuid"]],
            older=following[first + index],
            is_apart=abs(first + index - place) > 1,
        )
        for index, row in enumerate(rows[first : first + LISTED])
    ]
    beyond = ids[first + LISTED :]
    return Versions(listed, len(rows), ids[first - 1] if first else "", beyond[0] if beyond else "")


def version_changes(folder: DataFolder, uuid: str, other: str, *, in_trash: bool = False) -> VersionChanges:
    """What changed between two records, the older by created_at (of versions of one record, by the last edit) first.

    in_trash: a deleted record counts as it was. Raises RecordNotFoundError, InvalidRecordError, StorageError.
    """
    both = _in_order(folder, uuid, other, in_trash=in_trash)
    at_once = _created(both[0]) == _created(both[1])
    old, new = (_side(record, edited=at_once) for record in both)
    return VersionChanges(old, new, version_diff.compare(old.content, new.content))


def entry_changes(folder: DataFolder, uuid: str, other: str) -> EntryChanges:
    """What became of the entries from the older of two narratives to the newer. Raises what version_changes raises."""
    old, new = _in_order(folder, uuid, other)
    before, after = _side(old).content, _side(new).content
    accepted = new.get("accepted_losses")
    is_short = len(before) + len(after) <= MAX_ENTRY_CHARS
    return EntryChanges(
        changes=narrative_changes.changes(before, after) if is_short else None,
        accepted=[shown_text.shown(one) for one in accepted if isinstance(one, str)]
        if isinstance(accepted, list)
        else [],
    )


def _in_order(folder: DataFolder, uuid: str, other: str, *, in_trash: bool = False) -> list[dict[str, Any]]:
    both = [_load(folder, one, in_trash=in_trash) for one in (uuid, other)]
    return sorted(both, key=lambda one: (_created(one), records.last_edit(one), one["uuid"]))


def _load(folder: DataFolder, uuid: str, *, in_trash: bool) -> dict[str, Any]:
    try:
        return redaction.load(folder, uuid)
    except RecordNotFoundError:
        grave = redaction.tombstone(folder, uuid) if in_trash else None
        if grave is None:
            raise
        return grave


def _created(record: dict[str, Any]) -> str:
    return clock.normalise_time(record["created_at"]) or ""


def _side(record: dict[str, Any], *, edited: bool = False) -> Side:
    texts = {name: shown_text.shown(str(record.get(name) or "")) for name in ("project", "origin", "content")}
    return Side(
        uuid=record["uuid"],
        type=record["type"],
        project=texts["project"],
        machine=texts["origin"],
        written_at=clock.format_time(records.last_edit(record)) if edited else _created(record),
        content=texts["content"],
        deleted_at=clock.normalise_time(record.get("deleted_at")) or "",
    )
