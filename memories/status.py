"""What `llm-memory status` and the status page show: the index and the files it is made of, machines, the conflicts
between them that were merged or wait, disk use, and what of it a user should act upon. How sessions are captured is in
capture_status.py."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memories import status_safety
from memories.capture_status import Capture, capture
from memories.copies_waiting import Copies, is_record_copy, waiting_copies
from memories.core import clock, conversation_index, mirror, mirror_scan, records
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.disk_use import DiskUse, disk_use
from memories.forked_narratives import Fork, forks
from memories.merged_conflicts import MergedConflicts, merged_conflicts
from memories.named import Named, counted, named
from memories.selectors import mirror_connection
from memories.status_keeping import Keeping, keeping
from memories.status_machines import Machine, RecordRow, machines, record_rows
from memories.waiting_links import WaitingLinks, waiting_links

if TYPE_CHECKING:
    from memories.syncthing.state import SyncState


@dataclass(frozen=True)
class Index:
    """The mirror. types: (record type, active, archived). trash: deleted records. written_at: its last change, UTC.
    is_behind: records/ or trash/ changed after it. unindexed: archived transcripts that are to be indexed yet, or
    further. broken: records that cannot be read; foreign: other files in records/; unread: transcripts that cannot be
    read."""

    types: list[tuple[str, int, int]]
    sessions: int
    transcripts: int
    turns: int
    trash: int
    written_at: str
    is_behind: bool
    unindexed: int
    broken: Named
    foreign: Named
    unread: Named

    @property
    def records(self) -> int:
        """Records of every type, archived ones included."""
        return sum(active + archived for _, active, archived in self.types)


@dataclass(frozen=True)
class Status:
    """All of it. machine: this one. index, merged and links: None where the mirror cannot be read; problem then says
    why. attention: (sentence, the id of the section that says more) of what a user should act upon."""

    folder: str
    machine: str
    index: Index | None
    problem: str
    machines: list[Machine]
    forks: list[Fork]
    merged: MergedConflicts | None
    copies: Copies
    links: WaitingLinks | None
    disk: DiskUse
    keeping: Keeping
    capture: Capture
    attention: list[tuple[str, str]]

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept here."""
        return self.index is not None and not self.index.records and not self.index.transcripts


def status(folder: DataFolder) -> Status:
    """All of it, in a number of queries that does not grow. Raises sqlite3.Error."""
    index = merged = links = in_records = connection = None
    problem = ""
    rows: list[RecordRow] = []
    found_forks: list[Fork] = []
    try:
        connection = mirror_connection(folder)
    except MirrorUnavailableError as error:
        problem = str(error)
    if connection is not None:
        in_records, rows = mirror.problems(connection), record_rows(connection)
        index, found_forks = _index(folder, connection, rows, in_records), forks(connection)
        merged, links = merged_conflicts(folder, connection), waiting_links(folder, connection)
    copies, captured = waiting_copies(folder, in_records), capture(folder)
    kept = keeping(folder, connection)
    return Status(
        folder=clean(folder.root),
        machine=clean(records.machine_name()),
        index=index,
        problem=problem,
        machines=machines(rows),
        forks=found_forks,
        merged=merged,
        copies=copies,
        links=links,
        disk=disk_use(folder, connection),
        keeping=kept,
        capture=captured,
        attention=[
            *status_safety.attention(folder),
            *_attention(index, found_forks, copies),
            *captured.attention(),
            *kept.attention(),
        ],
    )


def _index(
    folder: DataFolder, connection: sqlite3.Connection, rows: list[RecordRow], problems: list[tuple[str, str]]
) -> Index:
    types = []
    for kind in records.TYPES:
        active = sum(count for _, one, state, count, _ in rows if one == kind and state == "active")
        types.append((kind, active, sum(count for _, one, _, count, _ in rows if one == kind) - active))
    sessions, transcripts, turns = connection.execute(
        "SELECT count(DISTINCT session_id), count(*), coalesce(sum(turns), 0) FROM session"
    ).fetchone()
    skipped = [item for item in problems if item[1] != mirror.DELETED and not is_record_copy(item[0])]
    broken = [item for item in skipped if records.is_uuid(item[0].removesuffix(".json"))]
    written_ns = _written_ns(folder)
    return Index(
        types=types,
        sessions=sessions,
        transcripts=transcripts,
        turns=turns,
        trash=_count_deleted(folder),
        written_at=clock.format_time(written_ns / 1e9),
        is_behind=_is_behind(folder, connection, written_ns),
        unindexed=_unindexed(folder, connection),
        broken=named(broken),
        foreign=named([item for item in skipped if item not in broken]),
        unread=named(conversation_index.problems(connection)),
    )


def _is_behind(folder: DataFolder, connection: sqlite3.Connection, written_ns: int) -> bool:
    """Whether records/ or trash/ has entries that the last scan did not see, judged by the folders' mtimes."""
    scanned = connection.execute("SELECT records_mtime_ns, trash_mtime_ns FROM scan").fetchone()
    now = mirror_scan.folder_mtimes(folder)
    return any(mtime not in (0, seen) and mtime > written_ns for mtime, seen in zip(now, scanned, strict=True))


def _unindexed(folder: DataFolder, connection: sqlite3.Connection) -> int:
    """How many archived transcripts the index does not know as far as they go."""
    known: dict[str, int] = dict(connection.execute("SELECT path, size FROM session").fetchall())
    unread = dict(conversation_index.problems(connection))
    files = conversation_index.transcript_files(folder)
    return sum(known.get(path) != size and path not in unread for path, _, size in files)


def _written_ns(folder: DataFolder) -> int:
    """The mtime in ns of the last write to the mirror or to the log that SQLite keeps beside it."""
    found = []
    for path in (folder.mirror, f"{folder.mirror}-wal"):
        try:
            found.append(os.stat(path))
        except OSError:
            continue  # no log: all of it is in the file
    # A log that is empty was made by a reader.
    return max((one.st_mtime_ns for one in found if one.st_size), default=0)


def _count_deleted(folder: DataFolder) -> int:
    """Tombstones; the marks of forgotten sessions are in folders beside them."""
    try:
        return sum(name.endswith(".json") for name in os.listdir(folder.trash))
    except OSError:
        return 0  # gone meanwhile, or never made


def attention_of(found: Status, sync: SyncState | None) -> list[tuple[str, str]]:
    """What a user should act upon, with what Syncthing says, which status() does not ask; sync: None where it was not
    set up."""
    return [*found.attention, *((clean(sentence), "machines") for sentence in (sync.attention if sync else ()))]


def _attention(index: Index | None, found_forks: list[Fork], copies: Copies) -> list[tuple[str, str]]:
    found = []
    if index is None:
        found.append(("The index is not ready.", "index"))
    elif index.is_behind:
        found.append(("Records changed after the index was last written.", "index"))
    if index is not None and index.broken:
        found.append((f"{counted(index.broken.count, 'record')} cannot be read.", "skipped"))
    if index is not None and index.unread:
        found.append((f"{counted(index.unread.count, 'transcript')} cannot be read.", "skipped"))
    for group, verbs in ((copies.waiting, ("waits", "wait")), (copies.stuck, ("cannot", "cannot"))):
        if group:
            said = counted(group.count, "conflict copy", "conflict copies")
            verb = verbs[group.count > 1]
            found.append((f"{said} {verb} {'to ' if verb != 'cannot' else ''}be merged.", "conflicts"))
    if found_forks:
        found.append((f"{counted(len(found_forks), 'project')} with more than one active narrative.", "conflicts"))
    return found
