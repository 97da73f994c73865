"""What the status page shows: the index and the files it is made of, machines and what they disagree on, and what of it
a user should act upon. How sessions are captured is in capture_status.py."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field

from memories.capture_status import Capture, capture
from memories.core import clock, conversation_index, mirror, mirror_scan, records, scope
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import SYNCED_FOLDERS, DataFolder
from memories.core.transcript_items import clean
from memories.selectors import mirror_connection

NAMED = 20
"""Files that a list names; the rest is counted."""

_CONFLICT = "conflict"
"""In the name of the copy that a file sync keeps beside a file that two machines changed: Syncthing's
`.sync-conflict-`, Nextcloud's and Dropbox's `(conflicted copy ...)`."""

_TOMBSTONE = "tombstone"
"""In mirror's reason for a file that is deleted and came back: no trouble, so not listed."""


@dataclass(frozen=True)
class Named:
    """The first of many things, and how many more there are. items: (name, what is said of it)."""

    items: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.items)

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.items) + self.more


@dataclass(frozen=True)
class Index:
    """The mirror. types: (record type, active, archived). Sizes in bytes. written_at: its last change, UTC. is_behind:
    records/ or trash/ changed after it. broken: records that cannot be read; foreign: other files in records/;
    unread: transcripts that cannot be read."""

    types: list[tuple[str, int, int]]
    sessions: int
    transcripts: int
    turns: int
    records_bytes: int
    transcripts_bytes: int
    mirror_bytes: int
    trash: int
    trash_bytes: int
    written_at: str
    is_behind: bool
    broken: Named
    foreign: Named
    unread: Named

    @property
    def records(self) -> int:
        """Records of every type, archived ones included."""
        return sum(active + archived for _, active, archived in self.types)


@dataclass(frozen=True)
class Machine:
    """A machine that wrote memories. name: "" for records that do not say. changed_at: the newest one's time, UTC."""

    name: str
    memories: int
    session_logs: int
    changed_at: str
    is_this: bool


@dataclass(frozen=True)
class Narrative:
    """One of several active narratives of a project."""

    uuid: str
    title: str
    created_at: str


@dataclass(frozen=True)
class Fork:
    """A project with several active narratives, newest first: the first is shown, the others are to be merged."""

    project: str
    narratives: list[Narrative]


@dataclass(frozen=True)
class Status:
    """The page. index: None where the mirror cannot be read; problem then says why. attention: (sentence, the id of the
    section that says more) of what a user should act upon."""

    folder: str
    index: Index | None
    problem: str
    machines: list[Machine]
    forks: list[Fork]
    conflicts: Named
    capture: Capture
    attention: list[tuple[str, str]]

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept here."""
        return self.index is not None and not self.index.records and not self.index.transcripts


def status(folder: DataFolder) -> Status:
    """All of it, in a number of queries that does not grow. Raises sqlite3.Error, DatabaseError."""
    index, problem = None, ""
    machines: list[Machine] = []
    forks: list[Fork] = []
    in_records: list[str] | None = None
    try:
        connection = mirror_connection(folder)
        in_records = [name for name, _ in mirror.problems(connection)]
        rows = _record_rows(connection)
        index, machines, forks = _index(folder, connection, rows), _machines(rows), _forks(connection)
    except MirrorUnavailableError as error:
        problem = str(error)
    conflicts, captured = _conflicts(folder, in_records), capture(folder)
    return Status(
        folder=clean(folder.root),
        index=index,
        problem=problem,
        machines=machines,
        forks=forks,
        conflicts=conflicts,
        capture=captured,
        attention=[*_attention(index, forks, conflicts), *captured.attention()],
    )


_Row = tuple[str | None, str, str, int, str]
"""(origin, type, status, count, newest time) of records."""


def _record_rows(connection: sqlite3.Connection) -> list[_Row]:
    """All that is asked of the records, in one pass over an index that holds it."""
    return connection.execute(
        "SELECT origin, type, status, count(*), max(coalesce(updated_at, created_at)) FROM memory "
        "INDEXED BY memory_kinds GROUP BY 1, 2, 3"
    ).fetchall()


def _index(folder: DataFolder, connection: sqlite3.Connection, rows: list[_Row]) -> Index:
    types = []
    for kind in records.TYPES:
        active = sum(count for _, one, state, count, _ in rows if one == kind and state == "active")
        types.append((kind, active, sum(count for _, one, _, count, _ in rows if one == kind) - active))
    # Sizes below 0 are of files that were not read to their end yet.
    sessions, transcripts, turns, transcripts_bytes = connection.execute(
        "SELECT count(DISTINCT session_id), count(*), coalesce(sum(turns), 0), coalesce(sum(max(size, 0)), 0) "
        "FROM session"
    ).fetchone()
    records_bytes = connection.execute("SELECT coalesce(sum(size), 0) FROM source_file").fetchone()[0]
    skipped = [item for item in mirror.problems(connection) if _TOMBSTONE not in item[1] and _CONFLICT not in item[0]]
    broken = [item for item in skipped if records.is_uuid(item[0].removesuffix(".json"))]
    mirror_bytes, written_ns = _mirror_state(folder)
    trash, trash_bytes = _folder_size(folder.trash)
    return Index(
        types=types,
        sessions=sessions,
        transcripts=transcripts,
        turns=turns,
        records_bytes=records_bytes,
        transcripts_bytes=transcripts_bytes,
        mirror_bytes=mirror_bytes,
        trash=trash,
        trash_bytes=trash_bytes,
        written_at=clock.format_time(written_ns / 1e9),
        is_behind=_is_behind(folder, connection, written_ns),
        broken=_named(broken),
        foreign=_named([item for item in skipped if item not in broken]),
        unread=_named(conversation_index.problems(connection)),
    )


def _is_behind(folder: DataFolder, connection: sqlite3.Connection, written_ns: int) -> bool:
    """Whether records/ or trash/ has entries that the last scan did not see, judged by the folders' mtimes."""
    scanned = connection.execute("SELECT records_mtime_ns, trash_mtime_ns FROM scan").fetchone()
    now = mirror_scan.folder_mtimes(folder)
    return any(mtime not in (0, seen) and mtime > written_ns for mtime, seen in zip(now, scanned, strict=True))


def _mirror_state(folder: DataFolder) -> tuple[int, int]:
    """(bytes, mtime in ns of the last write) of the mirror with the log that SQLite keeps beside it."""
    found = []
    for path in (folder.mirror, f"{folder.mirror}-wal"):
        try:
            found.append(os.stat(path))
        except OSError:
            continue  # no log: all of it is in the file
    # A log that is empty was made by a reader.
    written = max((one.st_mtime_ns for one in found if one.st_size), default=0)
    return sum(one.st_size for one in found), written


def _folder_size(path: str) -> tuple[int, int]:
    """(number, bytes) of a folder's files, those of folders in it not counted."""
    count = size = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                count += 1
                size += entry.stat(follow_symlinks=False).st_size
    except OSError:
        pass  # gone meanwhile, or never made
    return count, size


def _machines(rows: list[_Row]) -> list[Machine]:
    """Each machine once, the last one to change something first; those that do not say last."""
    found = []
    for name in dict.fromkeys(row[0] or "" for row in rows):
        own = [row for row in rows if (row[0] or "") == name]
        logs = sum(count for _, kind, _, count, _ in own if kind == "session_log")
        newest = max(clock.normalise_time(row[4]) or "" for row in own)
        memories = sum(row[3] for row in own) - logs
        found.append(Machine(clean(name), memories, logs, newest, name == records.machine_name()))
    found.sort(key=lambda one: one.changed_at, reverse=True)
    return sorted(found, key=lambda one: not one.name)


def _forks(connection: sqlite3.Connection) -> list[Fork]:
    """Projects with several visible narratives. One without an id belongs to the one id that goes by its name."""
    rows = connection.execute(
        "SELECT project_id, project_key, project, uuid, title, created_at FROM memory "
        f"WHERE type = 'narrative' AND {scope.VISIBLE} ORDER BY created_at DESC, uuid DESC"
    ).fetchall()
    ids: dict[str, set[str]] = {}
    for project_id, key, *_ in rows:
        if project_id is not None:
            ids.setdefault(key, set()).add(project_id)
    groups: dict[tuple[str, str], list[tuple[str, Narrative]]] = {}
    for project_id, key, project, uuid, title, created_at in rows:
        own = ids.get(key, set())
        place = ("id", project_id) if project_id is not None else ("id", min(own)) if len(own) == 1 else ("key", key)
        groups.setdefault(place, []).append((project or "", Narrative(uuid, title or uuid, created_at)))
    return [Fork(clean(found[0][0]), [one for _, one in found]) for found in groups.values() if len(found) > 1]


def _conflicts(folder: DataFolder, in_records: list[str] | None) -> Named:
    """Files that a file sync kept beside others because two machines changed them, in the folders that are synced.

    in_records: what the index found in records/ that is no record, which saves listing 10,000 files; None: not known.
    """
    found = []
    for place in SYNCED_FOLDERS:
        names = in_records if place == "records" else None
        if names is None:
            names = _names(os.path.join(folder.root, place))
        found += [(f"{place}/{one}", "") for one in sorted(names) if _CONFLICT in one.lower()]
    return _named(found)


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []  # not made yet


def _named(items: list[tuple[str, str]]) -> Named:
    return Named([(clean(name), clean(said)) for name, said in items[:NAMED]], max(0, len(items) - NAMED))


def _attention(index: Index | None, forks: list[Fork], conflicts: Named) -> list[tuple[str, str]]:
    found = []
    if index is None:
        found.append(("The index is not ready.", "index"))
    elif index.is_behind:
        found.append(("Records changed after the index was last written.", "index"))
    if index is not None and index.broken:
        found.append((f"{_counted(index.broken.count, 'record')} cannot be read.", "skipped"))
    if index is not None and index.unread:
        found.append((f"{_counted(index.unread.count, 'transcript')} cannot be read.", "skipped"))
    if conflicts:
        found.append((f"{_counted(conflicts.count, 'conflict copy', 'conflict copies')} of a file sync.", "conflicts"))
    if forks:
        found.append((f"{_counted(len(forks), 'project')} with more than one active narrative.", "conflicts"))
    return found


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
