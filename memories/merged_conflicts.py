"""Conflicts that were merged, with both sides to look at: contents of records that lost to another edit, or (then in
trash/) to a deletion, transcripts that diverged, and the rules and settings as each machine had them."""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hooks.shipped_files import shipped_order
from memories.core import clock, merge_log, mirror_rows, records, redaction, transcripts
from memories.core.errors import StorageError
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.named import NAMED
from memories.shown_text import shown
from memories.version_diff import Comparison, compare

MERGED_NAME = re.compile(r"[0-9a-f]{12}-(?:CLAUDE\.md|settings\.json)")
"""Names in state/merged/: the first digits of the text's SHA-256, and the file it was in (core/config_copies)."""

MAX_READ_BYTES = 4_000_000

MAX_GRAVES = 100
"""Tombstones that are read for the edits among them, the newest merges first: some 20 ms."""

RECENT_DAYS = 30
"""Days that a merge of rules or settings is shown for; --json has the older ones too."""

_SIDE = "uuid, title, origin, coalesce(updated_at, created_at)"
_CONTENTS = f"""
SELECT {", ".join(f"kept.{name}" for name in ("uuid", "title", "project", "origin"))},
    coalesce(kept.updated_at, kept.created_at), kept.conflict_of, kept.status,
    winner.title, winner.origin, coalesce(winner.updated_at, winner.created_at)
FROM memory AS kept LEFT JOIN memory AS winner ON winner.uuid = kept.conflict_of
WHERE kept.conflict_of IS NOT NULL ORDER BY coalesce(kept.updated_at, kept.created_at) DESC, kept.uuid LIMIT {NAMED}
"""
_DIVERGED = f"""
SELECT kept.path, kept.session_id, kept.part, kept.size, kept.ended_at, own.path, own.size, own.ended_at
FROM session AS kept LEFT JOIN session AS own ON own.session_id = kept.session_id
    AND own.part = substr(kept.part, 1, max(0, instr(kept.part, 'diverged-') - 2))
WHERE instr(kept.part, 'diverged-') > 0 ORDER BY kept.ended_at DESC, kept.path LIMIT {NAMED}
"""


@dataclass(frozen=True)
class Side:
    """One of two versions of a record. title: "" where that record is not here; machine: that of the last edit, ""
    where it is not known; changed_at: the last edit, UTC; deleted_at: "" where it is not in trash/."""

    uuid: str
    title: str
    machine: str
    changed_at: str
    deleted_at: str = ""

    @property
    def is_here(self) -> bool:
        """Whether there is such a record on this machine, not deleted."""
        return bool(self.title) and not self.deleted_at


@dataclass(frozen=True)
class KeptContent:
    """A content that lost, kept as an archived record of its own, and the record that it lost to. is_shown: it was
    restored since, so sessions see it."""

    kept: Side
    winner: Side
    project: str
    is_shown: bool


@dataclass(frozen=True)
class DeletedEdit:
    """An edit that lost to another machine's deletion. kept: it, in trash/, from where `llm-memory restore` brings it
    back; winner_uuid: the record that was deleted. No record says on which machine a deletion was."""

    kept: Side
    winner_uuid: str


@dataclass(frozen=True)
class TranscriptSide:
    """One of two versions of a transcript. name: as the reader takes it, "" where that file is gone; size in bytes."""

    name: str
    path: str
    size: int


@dataclass(frozen=True)
class Diverged:
    """A transcript whose versions each hold what the other lacks: the one kept beside, and the session's own."""

    session_id: str
    kept: TranscriptSide
    own: TranscriptSide


@dataclass(frozen=True)
class MergedFile:
    """A file in config/ that was made of several versions. kind: `rules` or `settings`; sides: names of the versions in
    state/merged/ that are still there."""

    merged_at: str
    kind: str
    name: str
    sides: list[str]

    @property
    def is_recent(self) -> bool:
        """Whether it is shown: merged in the last RECENT_DAYS."""
        return (clock.parse_time(self.merged_at) or 0) > time.time() - RECENT_DAYS * 86_400


@dataclass(frozen=True)
class MergedConflicts:
    """The newest of each; *_count: how many there are of them."""

    contents: list[KeptContent]
    contents_count: int
    deleted: list[DeletedEdit]
    deleted_count: int
    transcripts: list[Diverged]
    transcripts_count: int
    files: list[MergedFile]
    files_count: int
    recent_files_count: int

    @property
    def recent_files(self) -> list[MergedFile]:
        """The files that are shown; files has older ones too."""
        return [one for one in self.files if one.is_recent]

    def __bool__(self) -> bool:
        return bool(self.contents or self.deleted or self.transcripts or self.recent_files)


def merged_conflicts(folder: DataFolder, connection: sqlite3.Connection) -> MergedConflicts:
    """What there is of them, in four queries along indexes that hold little else. Raises sqlite3.Error."""
    contents = [_content(folder, row) for row in connection.execute(_CONTENTS)]
    diverged = [_diverged(row) for row in connection.execute(_DIVERGED)]
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM memory WHERE conflict_of IS NOT NULL), "
        "(SELECT count(*) FROM session WHERE instr(part, 'diverged-') > 0)"
    ).fetchone()
    deleted = deleted_edits(folder)
    files = merged_files(folder, shipped_order())
    return MergedConflicts(
        contents=contents,
        contents_count=counts[0],
        deleted=deleted[:NAMED],
        deleted_count=len(deleted),
        transcripts=diverged,
        transcripts_count=counts[1],
        files=files[:NAMED],
        files_count=len(files),
        recent_files_count=sum(one.is_recent for one in files),
    )


def _content(folder: DataFolder, row: tuple[Any, ...]) -> KeptContent:
    uuid, title, project, machine, changed_at, winner_uuid, status, *winner = row
    return KeptContent(
        kept=_side(uuid, title, machine, changed_at),
        winner=_winner(folder, winner_uuid, *winner),
        project=clean(project or ""),
        is_shown=status == "active",
    )


def _winner(
    folder: DataFolder, uuid: str, title: str | None = None, machine: str | None = None, changed_at: str | None = None
) -> Side:
    """The record that a content lost to: as the index has it, or where that has none (title None) in trash/."""
    grave = redaction.tombstone(folder, uuid) if title is None else None
    return _side(uuid, title, machine, changed_at) if grave is None else _buried(grave)


def _buried(grave: dict[str, Any]) -> Side:
    """A record in trash/."""
    return Side(
        uuid=grave["uuid"],
        title=clean(mirror_rows.title_of(grave["content"], grave["type"])) or grave["uuid"],
        machine=clean(grave.get("origin") or ""),
        changed_at=clock.format_time(records.last_edit(grave)),
        deleted_at=clock.normalise_time(grave["deleted_at"]) or "",
    )


def deleted_edits(folder: DataFolder) -> list[DeletedEdit]:
    """Edits that lost to a deletion in a merge on this machine, the newest merge first: of what the merge log says was
    kept, that which is in trash/ and was put there by the merge, not by a later `delete`."""
    merged_at: dict[str, str] = {}
    for entry in merge_log.read(folder):
        if entry["kind"] == "record":
            merged_at |= dict.fromkeys(filter(records.is_uuid, entry["kept"]), entry["at"])  # at last: its first merge
    in_trash = (item for item in merged_at.items() if os.path.lexists(records.trash_path(folder, item[0])))
    graves = ((redaction.tombstone(folder, uuid), at) for uuid, at in itertools.islice(in_trash, MAX_GRAVES))
    return [
        DeletedEdit(_buried(grave), grave["conflict_of"])
        for grave, at in graves
        if grave is not None and records.is_uuid(grave.get("conflict_of")) and _came_deleted(folder, grave, at)
    ]


def _came_deleted(folder: DataFolder, grave: dict[str, Any], merged_at: str) -> bool:
    """Whether a kept content was deleted when it was merged: a merge gives it the time of the record's deletion."""
    deleted_at = clock.parse_time(grave["deleted_at"]) or 0
    if deleted_at <= (clock.parse_time(merged_at) or 0):
        return True
    winner = records.tombstone(folder, grave["conflict_of"])
    return winner is not None and clock.parse_time(winner["deleted_at"]) == deleted_at


def _side(uuid: str, title: str | None, machine: str | None, changed_at: str | None) -> Side:
    """title None: no such record."""
    return Side(uuid, "" if title is None else clean(title) or uuid, clean(machine or ""), changed_at or "")


def _diverged(row: tuple[Any, ...]) -> Diverged:
    path, session_id, part, size, _, own_path, own_size, _ = row
    own_part = os.path.basename(own_path or "").removesuffix(transcripts.SUFFIX)
    own_name = "" if not own_path else session_id if own_part == session_id else f"{session_id}/{own_part}"
    return Diverged(
        session_id=session_id,
        kept=TranscriptSide(f"{session_id}/{part}", clean(path), max(size, 0)),
        own=TranscriptSide(own_name, clean(own_path or ""), max(own_size or 0, 0)),
    )


def merged_files(folder: DataFolder, shipped: Sequence[str] = ()) -> list[MergedFile]:
    """Merges of differing rules or settings that the log knows of, newest first. shipped: sha256 of texts of ours:
    those are no side of a conflict, so a merge in which nothing else gave way is left out."""
    ours = {digest[:12] for digest in shipped}
    found = []
    for entry in merge_log.read(folder):
        if entry["kind"] not in {"rules", "settings"} or not entry["kept"]:
            continue
        names = [os.path.basename(path) for path in entry["kept"]]
        theirs = [name for name in names if name.partition("-")[0] not in ours]
        if len(theirs) < min(2, len(names)):
            continue
        sides = [name for name in theirs if MERGED_NAME.fullmatch(name) and os.path.isfile(merged_path(folder, name))]
        found.append(MergedFile(clock.normalise_time(entry["at"]) or "", entry["kind"], clean(entry["name"]), sides))
    return found


def merged_path(folder: DataFolder, name: str) -> str:
    """Where a version of a merged file is kept, by a name that is one (MERGED_NAME)."""
    return os.path.join(folder.state, merge_log.MERGED, name)


def compare_files(folder: DataFolder, one: str, other: str) -> Comparison:
    """Two versions of the rules or the settings, line by line. Raises StorageError where there is none of that name."""
    for name in (one, other):
        if MERGED_NAME.fullmatch(name) is None:
            raise StorageError(f"{name[:80]!r} names no version of the rules or the settings.")
    redactor = redaction.of(folder)
    return compare(*(shown(redactor.text(_text(merged_path(folder, name)))) for name in (one, other)))


def _text(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            return file.read(MAX_READ_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror}.") from error


@dataclass(frozen=True)
class RecordConflict:
    """What a record has to do with conflicts. lost_to: the record that it lost to, None where it is no kept content;
    kept: the first contents that lost to it, oldest first."""

    lost_to: Side | None
    kept: list[Side]


def record_conflict(folder: DataFolder, connection: sqlite3.Connection, record: dict[str, Any]) -> RecordConflict:
    """A record's conflicts, in one query. Raises sqlite3.Error."""
    winner = record.get("conflict_of") if records.is_uuid(record.get("conflict_of")) else None
    rows = connection.execute(
        f"SELECT {_SIDE} FROM memory WHERE conflict_of = ? OR uuid = ? ORDER BY 4, 1 LIMIT {NAMED + 1}",
        (record["uuid"], winner),
    ).fetchall()
    sides = [_side(*row) for row in rows]
    lost_to = None
    if winner is not None:
        lost_to = next((one for one in sides if one.uuid == winner), None) or _winner(folder, winner)
    return RecordConflict(lost_to, [one for one in sides if one.uuid != winner][:NAMED])
