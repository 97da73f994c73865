"""Versions of one record that two machines wrote, made into one: the rules alone, no files (record_copies.py has them).

A join in the sense of lattices: commutative, associative and idempotent, so every machine comes to the same bytes
whatever the order in which versions reach it. A merge stamps nothing; all it writes was in the versions.

- The fields in LATEST come, all of them, from one version: the latest by (time of its last edit, origin); where both
  are equal, by the fields themselves. Of logs that a machine derived from a transcript, the latest is the one with the
  later end of the session (created_at), and the latest restoring from trash/ (RESTORED) is joined with it; what stands
  under such a log's uuid without being one gives way.
- Who a memory was imported from belongs to that version, though it never decides which is the latest; of versions that
  say the same, the greater name stays.
- Links, tags and session references are united. Any other field, which this version need not know, keeps the greater
  value: objects key by key, lists united, numbers by size, and else by the JSON text.
- A content that lost is kept as a record of its own, archived, which the merged one supersedes (kept_content).
  Logs that a machine derived from a transcript are not kept: the transcript says more.
- Deleted: a tombstone's deleted_at is the latest. Whether it outranks a record is records.stays_deleted's to say.

Merging in steps, with what was kept joined under its own uuid, ends where merging all at once does; only a content that
lost at one step and won at a later one leaves its kept record behind.
"""

from __future__ import annotations

import json
import math

from memories.core import clock, records, session_logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Record = dict[str, Any]

LATEST = (
    "schema_version", "uuid", "type", "content", "project", "project_id", "session_id", "importance", "created_at",
    "status", "archived_in", "turns", "entrypoint", "conflict_of", "updated_at", "origin", "source_path",
    "source_sha256", "imported_hash", "imported_fields",
)  # fmt: skip
"""Fields that say one thing together: a merge takes them, and their absence, from the latest version."""

RESTORED = ("updated_at", "origin")
"""Of these, what a derived log has since it was restored from trash/; it must outlive a longer log that has none."""

_PLACE = frozenset({"uuid", "status", "archived_in", "conflict_of"})
"""Of these, what a kept content has instead of the version's own: compared last, so that the latest of several versions
of a content is the same one before it is kept and after."""

IMPORTED_FROM = "imported_from"
"""Who exported a version that came in a bundle (bundle_records.py)."""

ORDER = (
    "schema_version", "uuid", "type", "content", "project", "project_id", "session_id", "importance", "transcript_ref",
    "tags", "created_at", "connections", "status",
)  # fmt: skip
"""The order in which a merged record's fields are written, as new_record does; all others follow by name."""

MAX_DEPTH = 20
"""Objects and lists nested deeper are compared as text: no value's depth may stop a merge."""


class Merged:
    """What versions come to. record: the one; kept: a record for each content that lost, without those it is to be
    joined with on disk."""

    __slots__ = ("kept", "record")

    def __init__(self, record: Record, kept: list[Record]) -> None:
        self.record = record
        self.kept = kept


def merge(versions: list[Record]) -> Merged:
    """Join versions of one record (at least one, all valid and with the same uuid); the given dicts stay as they are.

    The merged record links to each kept content with `supersedes`.
    """
    latest = max(versions, key=_rank)
    merged = {name: latest[name] for name in LATEST if name in latest}
    for name in {name for version in versions for name in version}.difference(LATEST, {IMPORTED_FROM}):
        merged[name] = _joined(name, [version[name] for version in versions if name in version])
    if is_derived(latest):
        restored = max(filter(is_derived, versions), key=_restored_rank)
        merged = {name: value for name, value in merged.items() if name not in RESTORED}
        merged.update({name: restored[name] for name in RESTORED if name in restored})
    merged.update(_imported_from(latest, versions))
    return prevail(merged, versions)


def prevail(winner: Record, versions: list[Record]) -> Merged:
    """A record as it is, and what it keeps of the contents of other versions of it: each that is not its own.

    merge is this after joining; a record and a tombstone, of which one gives way whole, need only this.
    """
    kept = _kept_contents(versions, winner)
    record = dict(winner)
    if kept:
        links = [{"to_uuid": one["uuid"], "relationship": "supersedes"} for one in kept]
        record["connections"] = _united([record.get("connections") or [], links])
    _drop_link(record, kept_uuid(winner["uuid"], winner["content"]))
    return Merged(_in_order(record), kept)


def kept_content(version: Record, successor: str) -> Record:
    """The record that keeps a version's content after it lost to another of the same uuid (successor).

    Its uuid is uuid5 of the content in the namespace of that uuid. What says one thing together with the content
    (LATEST: project, importance, times, origin, ...) is the version's own; what is united is in the merged record.
    """
    record = {name: version[name] for name in (*LATEST, IMPORTED_FROM) if name in version}
    record.update(
        uuid=kept_uuid(successor, version["content"]),
        connections=[],
        status="archived",
        archived_in=successor,
        conflict_of=successor,
    )
    return _in_order(record)


def kept_uuid(uuid: str, content: str) -> str:
    """uuid5(UUID(uuid), content) as 32 hex digits: the id under which a content of that record is kept."""
    return records.uuid5(uuid, content)


def is_derived(record: Record) -> bool:
    """Whether a record is the log that a machine derived from a transcript: an earlier one was derived from less."""
    uuid: str = record["uuid"]
    return record["type"] == "session_log" and uuid == session_logs.log_uuid(record.get("session_id") or "")


def canonical(value: object) -> str:
    """A JSON value as text that is equal for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def _rank(version: Record) -> tuple[bool, int, str, str, str]:
    derived = is_derived(version)
    passed_over = _PLACE.union(RESTORED if derived else ())
    own = {name: version[name] for name in LATEST if name in version and name not in passed_over}
    place = {name: version[name] for name in _PLACE if name in version}
    origin = "" if derived else version.get("origin") or ""
    seconds = (clock.parse_time(version["created_at"]) or 0) if derived else records.last_edit(version)
    return derived, seconds, origin, canonical(own), canonical(place)


def _restored_rank(log: Record) -> tuple[int, str]:
    own = {name: log[name] for name in RESTORED if name in log}
    return clock.parse_time(log.get("updated_at")) or 0, canonical(own)


def _kept_contents(versions: list[Record], winner: Record) -> list[Record]:
    """A record for each content but the winner's, by uuid; of several versions with one content, of the latest."""
    losing: dict[str, Record] = {}
    for version in sorted(versions, key=_rank):
        if version["content"] != winner["content"] and not is_derived(version):
            losing[version["content"]] = version
    kept = [
        kept_content({**version, **_imported_from(version, versions)}, winner["uuid"]) for version in losing.values()
    ]
    return sorted(kept, key=lambda one: str(one["uuid"]))


def _imported_from(version: Record, versions: list[Record]) -> Record:
    """What those of the versions that say the same as one say of who exported it; {} where none was imported."""
    rank = _rank(version)[:-1]  # wherever they stand: the same one before a content is kept and after
    said = [one[IMPORTED_FROM] for one in versions if IMPORTED_FROM in one and _rank(one)[:-1] == rank]
    return {IMPORTED_FROM: _joined(IMPORTED_FROM, said)} if said else {}


def _drop_link(record: Record, uuid: str) -> None:
    """A content that lost once and is back as the record's own is not one that it supersedes."""
    own = {"to_uuid": uuid, "relationship": "supersedes"}
    links = record.get("connections") or []
    if own in links:
        record["connections"] = _united([[link for link in links if link != own]])


def _in_order(record: Record) -> Record:
    """The record as every machine writes it: fields in ORDER, then by name, and what is in them by name too."""
    names = [name for name in ORDER if name in record]
    ordered = {name: record[name] for name in [*names, *sorted(record.keys() - set(ORDER))]}
    for name, value in ordered.items():
        if isinstance(value, dict | list):
            ordered[name] = json.loads(canonical(value))
    for link in ordered.get("connections") or []:
        if isinstance(link, dict) and "relationship" in link:
            link["relationship"] = link.pop("relationship")  # after to_uuid, as memory_connect writes it
    return ordered


def _joined(name: str, values: list[Any]) -> Any:
    """One value of a field that is not in LATEST."""
    if len({canonical(value) for value in values}) == 1:
        return values[0]
    if name == "tags":
        return ", ".join(sorted({tag for value in values for tag in records.tag_list(value)})) or None
    if name == "transcript_ref":
        items = sorted({item for value in values for item in records.ref_items(value)})
        return json.dumps(items) if items else None
    if name == "connections":
        return _united([value or [] for value in values])
    if name == "deleted_at":
        return max(values, key=lambda value: (clock.parse_time(value) or 0, canonical(value)))
    joined = values[0]
    for value in values[1:]:
        joined = _greater(joined, value, MAX_DEPTH)
    return joined


def _united(lists: Iterable[list[Any]]) -> list[Any]:
    items = {canonical(item): item for one in lists for item in one}
    return [items[key] for key in sorted(items)]


def _greater(one: Any, other: Any, depth: int) -> Any:
    """The join of two JSON values: that of a higher kind, else as the module says."""
    if canonical(one) == canonical(other):
        return one
    if _kind(one) != _kind(other):
        return max(one, other, key=_kind)
    if depth and isinstance(one, dict):
        both = {name: _greater(one[name], other[name], depth - 1) for name in one.keys() & other.keys()}
        return {name: both.get(name, one.get(name, other.get(name))) for name in sorted(one.keys() | other.keys())}
    if depth and isinstance(one, list):
        return _united([one, other])
    return max(one, other, key=_size)


def _kind(value: object) -> int:
    kinds: tuple[type | tuple[type, ...], ...] = (type(None), bool, (int, float), str, list, dict)
    return next(place for place, kind in enumerate(kinds) if isinstance(value, kind))


def _size(value: Any) -> tuple[float, str]:
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return (value if is_number else -math.inf), canonical(value)
