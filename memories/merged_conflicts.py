"""Conflicts that were merged, with both sides to look at: contents of records that lost and were kept, transcripts that
diverged, and the rules and settings as each machine had them."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from memories.core import clock, merge_log, transcripts
from memories.core.errors import StorageError
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.named import NAMED
from memories.shown_text import shown
from memories.version_diff import Comparison, compare

MERGED_NAME = re.compile(r"[0-9a-f]{12}-(?:CLAUDE\.md|settings\.json)")
"""Names in state/merged/: the first digits of the text's SHA-256, and the file it was in (core/config_copies)."""

MAX_READ_BYTES = 4_000_000
_SIDE = "uuid, title, origin, coalesce(updated_at, created_at)"
_CONTENTS = f"""
SELECT {", ".join(f"kept.{name}" for name in ("uuid", "title", "project", "origin"))},
    coalesce(kept.updated_at, kept.created_at), kept.conflict_of,
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
    """One of two versions of a record. title: "" where that record is not here; machine: "" where it is not known;
    changed_at: its last edit, UTC."""

    uuid: str
    title: str
    machine: str
    changed_at: str

    @property
    def is_here(self) -> bool:
        """Whether there is such a record on this machine, not deleted."""
        return bool(self.title)


@dataclass(frozen=True)
class KeptContent:
    """A content that lost, kept as an archived record of its own, and the record that it lost to."""

    kept: Side
    winner: Side
    project: str


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


@dataclass(frozen=True)
class MergedConflicts:
    """The newest of each; *_count: how many there are of them."""

    contents: list[KeptContent]
    contents_count: int
    transcripts: list[Diverged]
    transcripts_count: int
    files: list[MergedFile]
    files_count: int

    def __bool__(self) -> bool:
        return bool(self.contents or self.transcripts or self.files)


def merged_conflicts(folder: DataFolder, connection: sqlite3.Connection) -> MergedConflicts:
    """What there is of them, in four queries along indexes that hold little else. Raises sqlite3.Error."""
    contents = [_content(row) for row in connection.execute(_CONTENTS)]
    diverged = [_diverged(row) for row in connection.execute(_DIVERGED)]
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM memory WHERE conflict_of IS NOT NULL), "
        "(SELECT count(*) FROM session WHERE instr(part, 'diverged-') > 0)"
    ).fetchone()
    files = _merged_files(folder)
    return MergedConflicts(contents, counts[0], diverged, counts[1], files[:NAMED], len(files))


def _content(row: tuple[Any, ...]) -> KeptContent:
    uuid, title, project, machine, changed_at, winner_uuid, winner_title, winner_machine, winner_changed_at = row
    return KeptContent(
        kept=_side(uuid, title, machine, changed_at),
        winner=_side(winner_uuid, winner_title, winner_machine, winner_changed_at),
        project=clean(project or ""),
    )


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


def _merged_files(folder: DataFolder) -> list[MergedFile]:
    """Merges of differing rules or settings that the log knows of, newest first."""
    found = []
    for entry in merge_log.read(folder):
        if entry["kind"] not in {"rules", "settings"} or not entry["kept"]:
            continue
        names = [os.path.basename(path) for path in entry["kept"]]
        sides = [name for name in names if MERGED_NAME.fullmatch(name) and os.path.isfile(merged_path(folder, name))]
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
    return compare(*(shown(_text(merged_path(folder, name))) for name in (one, other)))


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


def record_conflict(connection: sqlite3.Connection, record: dict[str, Any]) -> RecordConflict:
    """A record's conflicts, in one query. Raises sqlite3.Error."""
    winner = record.get("conflict_of")
    rows = connection.execute(
        f"SELECT {_SIDE} FROM memory WHERE conflict_of = ? OR uuid = ? ORDER BY 4, 1 LIMIT {NAMED + 1}",
        (record["uuid"], winner),
    ).fetchall()
    sides = [_side(*row) for row in rows]
    lost_to = None
    if isinstance(winner, str):
        lost_to = next((one for one in sides if one.uuid == winner), _side(winner, None, None, None))
    return RecordConflict(lost_to, [one for one in sides if one.uuid != winner][:NAMED])
