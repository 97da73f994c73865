"""Bringing what was read into the memory: all of it is checked first, then stored record by record.

Each record is compared with what is here and written under records.lock, one at a time, so that sessions that run
meanwhile go on storing. One that is killed leaves whole records only; run again, it goes on from what is there. What
was deleted here stays deleted, what was edited here stays as it is.
"""

from __future__ import annotations

import os

from memories.core import conversation_index, files, forgotten, mirror, records, transcripts
from memories.core.errors import InvalidRecordError, LLMMemoryError, RecordNotFoundError, StorageError, TranscriptError
from memories.core.projects import fold_name
from memories.core.settings import read_settings
from memories.importers import prepare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.importers.items import Reading
    from memories.importers.prepare import Prepared

    Progress = Callable[[str, int, int], None]

NEW, UPDATED, HERE, DELETED, EDITED, LINKED, SKIPPED = OUTCOMES = (
    "new", "updated", "already here", "deleted here", "edited here", "linked", "skipped",
)  # fmt: skip
READ = "read"
TRANSCRIPTS = "Transcripts"

WAIT_SECONDS = 60.0
"""How long an import waits for another process that updates the index."""

_OWN = frozenset({"uuid", "created_at", "updated_at", "origin", "connections", "schema_version"})
"""What an update leaves as it is here, or joins."""


class Result:
    """What an import did, or would do. counts: kind -> {READ and OUTCOMES: how many}; skipped: (place, reason);
    notes: what was left out on purpose; secrets: how many were replaced; source: what records say in imported_from;
    problem: why the index is not up to date."""

    __slots__ = ("counts", "notes", "problem", "secrets", "skipped", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.counts: dict[str, dict[str, int]] = {}
        self.skipped: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.secrets = 0
        self.problem = ""

    def count(self, kind: str, outcome: str, many: int = 1) -> None:
        """Count what became of something that was read."""
        of_kind = self.counts.setdefault(kind, dict.fromkeys((READ, *OUTCOMES), 0))
        of_kind[READ] += many
        of_kind[outcome] += many


def run(
    folder: DataFolder, reading: Reading, source: str, *, dry_run: bool = False, progress: Progress | None = None
) -> Result:
    """Store what was read; source: what its records say in imported_from, where the reading does not say. dry_run: the
    same answer, nothing written.

    Raises StorageError, LockTimeoutError: run it again, it goes on from what is there.
    """
    result = Result(reading.source or source)
    result.notes = reading.notes
    result.skipped = list(reading.skipped)
    for kind in dict.fromkeys(item.kind for item in reading.items):
        result.count(kind, NEW, 0)  # what came is told before what did not
    for kind, many in reading.linked.items():
        result.count(kind, LINKED, many)
    for kind, many in reading.skipped_by_kind.items():
        result.count(kind, SKIPPED, many)
    prepared = _prepared(folder, reading, result, progress)
    narratives = _Narratives(folder, prepared)
    for done, one in enumerate(prepared, 1):
        outcome = _store(folder, one, narratives, result, dry_run=dry_run)
        result.count(one.kind, outcome)
        if outcome in {NEW, UPDATED}:
            result.secrets += one.secrets
        if progress is not None:
            progress("importing", done, len(prepared))
    if reading.transcripts:
        _take_transcripts(folder, reading.transcripts, result, progress, dry_run=dry_run)
    if not dry_run:
        _update_index(folder, result, has_transcripts=bool(reading.transcripts))
    return result


def _prepared(folder: DataFolder, reading: Reading, result: Result, progress: Progress | None) -> list[Prepared]:
    """Every item as a record, newest narratives first; what cannot be one is noted."""
    preparer = prepare.Preparer(folder, result.source)
    prepared: list[Prepared] = []
    known: set[str] = set()
    for done, item in enumerate(reading.items, 1):
        try:
            if item.uuid in known:
                raise InvalidRecordError("the source holds it twice")
            prepared.append(preparer.prepare(item))
            known.add(item.uuid)
        except InvalidRecordError as error:
            result.count(item.kind, SKIPPED)
            result.skipped.append((item.where, str(error)))
        if progress is not None:
            progress("checking", done, len(reading.items))
    newest = [one for one in prepared if one.record["type"] == "narrative"]
    newest.sort(key=lambda one: (str(one.record["created_at"]), str(one.record["uuid"])), reverse=True)
    return [*newest, *(one for one in prepared if one.record["type"] != "narrative")]


class _Narratives:
    """The projects that have an active narrative here: one that comes is archived then, as a version before it."""

    def __init__(self, folder: DataFolder, prepared: list[Prepared]) -> None:
        self._taken: set[str] = set()
        if any(one.record["type"] == "narrative" for one in prepared):
            self._taken = {fold_name(one["project"]) for one in _all_narratives(folder) if _is_active(one)}

    def place(self, record: dict[str, Any]) -> None:
        """Archive a narrative that is new here where its project has one."""
        if record["type"] == "narrative" and _is_active(record):
            name = fold_name(record["project"])
            if name in self._taken:
                record["status"] = "archived"
            self._taken.add(name)


def _is_active(record: dict[str, Any]) -> bool:
    return (record.get("status") or "active") == "active"


def _all_narratives(folder: DataFolder) -> list[dict[str, Any]]:
    found = []
    for entry in files.entries(folder.records):
        try:
            data, _ = records.read_file(entry.path)
            if b'"narrative"' in data:
                record = records.parse(data, entry.name.removesuffix(".json"))
                found += [record] if record["type"] == "narrative" else []
        except (OSError, InvalidRecordError):
            continue  # doctor names it
    return found


def _store(folder: DataFolder, one: Prepared, narratives: _Narratives, result: Result, *, dry_run: bool) -> str:
    """Compare one record with what is here and store it where it is to be; the outcome."""
    uuid = one.record["uuid"]

    def attempt() -> str:
        try:
            here, seen = records.load_seen(folder, uuid)
        except RecordNotFoundError:
            if os.path.lexists(records.trash_path(folder, uuid)):
                return DELETED
            record = dict(one.record)
            narratives.place(record)
            seen = files.Seen(records.record_path(folder, uuid), None)
            outcome = NEW
        else:
            outcome = _outcome(here, one.record)
            if outcome != UPDATED:
                return outcome
            record = _updated(here, one.record)
        if not dry_run:
            records.save(folder, record, unchanged=[seen])
        return outcome

    try:
        if dry_run:
            return attempt()
        with records.lock(folder):
            return files.retried(records.record_path(folder, uuid), attempt)
    except InvalidRecordError as error:
        result.skipped.append((one.where, str(error)))
        return SKIPPED


def _outcome(here: dict[str, Any], record: dict[str, Any]) -> str:
    """What becomes of a record of which one is here: HERE, EDITED or UPDATED."""
    said = prepare.fingerprint(here)
    is_same = said == record[prepare.IMPORTED_HASH]
    if is_same and not _missing_links(here, record):
        return HERE
    if is_same or said == here.get(prepare.IMPORTED_HASH):
        return UPDATED
    return HERE if record[prepare.IMPORTED_HASH] == here.get(prepare.IMPORTED_HASH) else EDITED


def _missing_links(here: dict[str, Any], record: dict[str, Any]) -> list[dict[str, str]]:
    known = set(records.valid_connections(here))
    links = [link for link in records.valid_connections(record) if link not in known]
    return [{"to_uuid": to_uuid, "relationship": relationship} for to_uuid, relationship in links]


def _updated(here: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    """What is here with what the source says now; links are joined."""
    is_narrative = record["type"] == "narrative"
    taken = {
        name: value for name, value in record.items() if name not in _OWN and (name != "status" or not is_narrative)
    }
    updated = {**here, **taken, "connections": [*(here.get("connections") or []), *_missing_links(here, record)]}
    records.stamp(updated, records.last_edit(here))
    return updated


def _take_transcripts(
    folder: DataFolder, paths: list[str], result: Result, progress: Progress | None, *, dry_run: bool
) -> None:
    """Archive transcripts as a sync does; sessions that are marked as forgotten or let go stay out."""
    redactor = transcripts.archive_redactor(read_settings(folder)[0])
    for done, path in enumerate(paths, 1):
        source = transcripts.source_at(path)
        if source is None:
            result.count(TRANSCRIPTS, SKIPPED)
            result.skipped.append((path, "not a regular file"))
            continue
        was_there = os.path.lexists(transcripts.archive_path(folder, source.session_id))
        if forgotten.kind_of(folder, source.session_id, source.mtime_ns) is not None:
            result.count(TRANSCRIPTS, DELETED)
        elif dry_run:
            held = was_there and transcripts.is_held(folder, source)
            result.count(TRANSCRIPTS, HERE if held else UPDATED if was_there else NEW)
        else:
            try:
                changed = transcripts.archive(folder, path, redactor)
                result.count(TRANSCRIPTS, HERE if not changed else UPDATED if was_there else NEW)
            except TranscriptError as error:
                result.count(TRANSCRIPTS, SKIPPED)
                result.skipped.append((path, str(error)))
        if progress is not None:
            progress("transcripts", done, len(paths))


def _update_index(folder: DataFolder, result: Result, *, has_transcripts: bool) -> None:
    try:
        mirror.update(folder, wait_seconds=WAIT_SECONDS)
        if has_transcripts:
            conversation_index.update(folder, wait_seconds=WAIT_SECONDS)
    except StorageError:
        raise
    except LLMMemoryError as error:
        result.problem = str(error)
