"""What the timeline filters by, of all memories at once: for each value the set of memories that have it, as the bits
of one integer, so that counting any combination is a few ANDs and costs no query.

Bit 0 is the newest memory: a set is walked in the order in which the timeline lists it. One index is kept per process,
for as long as SQLite's data_version, the mirror's inode and the aliases in the settings stay as they are; building it
is one pass over an index of the mirror that holds all it reads. It takes about 400 bytes a memory (40 MB at 100,000):
SETS_KEPT tags have a set, the others a list of their memories.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from memories.core import mirror
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from memories.local_time import month_at, month_of
from memories.project_groups import ProjectGroup, Row, groups_of

if TYPE_CHECKING:
    from memories.timeline import Cursor, Filters
    from memories.timeline_search import Turns

T = TypeVar("T")

SETS_KEPT = 1000
"""Tags, the most frequent ones, that the rail counts."""

WARM_SECONDS = 60.0
"""How long after the last page the index is kept up to date ahead of the next."""

TAG_LISTS_KEPT = 20_000
"""Different lists of tags that are taken apart once only, however often the index is built."""

IMPORTANCES = {"8-10": range(8, 11), "4-7": range(4, 8), "1-3": range(1, 4)}
"""What an address carries -> the importances that it stands for."""

_MEMORIES = (
    "SELECT id, created_at, type, status, importance, project_id, project_key, tags, origin FROM memory "
    "INDEXED BY memory_created ORDER BY created_at DESC, id DESC"
)
_SUPERSEDED = (
    "SELECT DISTINCT memory.id FROM link JOIN memory AS newer ON newer.uuid = link.from_uuid "
    "JOIN memory ON memory.uuid = link.to_uuid WHERE link.relationship = 'supersedes' AND newer.status = 'active'"
)
_SESSIONS = (
    "SELECT id, project_id, project_key, project, coalesce(ended_at, started_at) FROM session WHERE turns > 0 "
    "ORDER BY coalesce(ended_at, started_at)"
)


class FacetIndex:
    """The memories' filters and the conversations' projects and months. Several threads may read it.

    kept: what timeline_search remembers for as long as the mirror stays as it is.
    """

    def __init__(self, raw: sqlite3.Connection, aliases: dict[str, str]) -> None:
        rows = raw.execute(_MEMORIES).fetchall()
        columns = list(zip(*rows, strict=True)) if rows else [()] * 9
        self.kept: dict[object, Turns] = {}
        self.ids: tuple[int, ...] = columns[0]
        self.times: tuple[str, ...] = columns[1]
        self.positions = {row_id: position for position, row_id in enumerate(self.ids)}
        self.everything = (1 << len(rows)) - 1
        superseded = self.of_ids(row_id for (row_id,) in raw.execute(_SUPERSEDED))
        self.visible = _having(columns[3], {"active"}) & ~superseded
        self.types = {kind: _having(columns[2], {kind}) for kind in set(columns[2])}
        self.importances = {name: _having(columns[4], set(span)) for name, span in IMPORTANCES.items()}
        self.machines = {name: bits(found, len(rows)) for name, found in _places(columns[8]).items() if name}
        self.tag_names: dict[str, str] = {}
        self._tagged = self._read_tags(columns[7])
        often = sorted(self._tagged, key=lambda tag: -len(self._tagged[tag]))[:SETS_KEPT]
        self.tags = {tag: bits(self._tagged[tag], len(rows)) for tag in often}
        self.months = self._read_months()
        self._read_projects(raw, list(zip(columns[5], columns[6], strict=True)), aliases)

    def _read_tags(self, column: tuple[str | None, ...]) -> dict[str, array[int]]:
        """Case-folded tag -> the places that have it; tag_names: the tag as its newest memory writes it."""
        found: dict[str, array[int]] = {}
        for position, listed in enumerate(column):
            for tag, name in _tags_of(listed) if listed else ():
                places = found.get(tag)
                if places is None:
                    places = found[tag] = array("i")
                    self.tag_names[tag] = name
                places.append(position)
        return found

    def _read_months(self) -> dict[str, int]:
        """Local month -> its memories, the newest first: a run of places, as they are in the order of time."""
        dated = bisect_left(self.times, True, key=lambda time: not time)
        found: dict[str, int] = {}
        first = 0
        while first < dated:
            month, start = month_at(self.times[first])
            last = bisect_left(self.times, True, first + 1, dated, key=start.__gt__)
            found[month] = (1 << last) - (1 << first)
            first = last
        return found

    def _read_projects(self, raw: sqlite3.Connection, column: list[Row], aliases: dict[str, str]) -> None:
        """groups, projects (value of a group -> its memories) and sessions (number -> its group's value and month)."""
        places = _places(column)
        newest = {self.ids[found[0]]: row for row, found in places.items()}
        talks = raw.execute(_SESSIONS).fetchall()
        named = list(dict.fromkeys((project_id, key, name) for _, project_id, key, name, _ in talks))
        for row_id, row in reversed(newest.items()):
            named += [(*row, name) for (name,) in raw.execute("SELECT project FROM memory WHERE id = ?", (row_id,))]
        self.groups = groups_of(named, aliases)
        group_of = {row: next((one for one in self.groups if one.holds(row)), None) for row in places}
        self.projects: dict[str, int] = {}
        for row, group in group_of.items():
            if group is not None:
                self.projects[group.value] = self.projects.get(group.value, 0) | bits(places[row], len(self.ids))
        values: dict[Row, str] = {}
        self.sessions: dict[int, tuple[str, str]] = {}
        for number, project_id, key, _, ended in talks:
            row = (project_id, key)
            if row not in values:
                values[row] = next((one.value for one in self.groups if one.holds(row)), "")
            self.sessions[number] = (values[row], month_of(ended) if ended is not None else "")

    def chosen(self, filters: Filters, without: str = "") -> int:
        """The memories that all filters but the words leave. without: the name of a filter that is left out."""
        found = self.everything if filters.archived else self.visible
        if filters.type and without != "type":
            found &= self.types.get(filters.type, 0)
        if filters.project and without != "project":
            found &= self._of_project(filters.project)
        if filters.importance and without != "importance":
            found &= self.importances[filters.importance]
        if filters.month and without != "month":
            found &= self.months.get(filters.month, 0)
        if filters.machine and without != "machine":
            found &= self.machines.get(filters.machine, 0)
        for tag in filters.tags:
            if without != f"tag {tag}":
                found &= self._having_tag(tag)
        return found

    def _of_project(self, group: ProjectGroup) -> int:
        return self.projects.get(group.value, 0)

    def _having_tag(self, tag: str) -> int:
        return self.tags[tag] if tag in self.tags else bits(self._tagged.get(tag, ()), len(self.ids))

    def after(self, chosen: int, cursor: Cursor | None, most: int) -> list[int]:
        """The first so many of a set's row ids below the cursor, newest first."""
        first = 0
        if cursor is not None:
            key = (cursor.created_at, cursor.id)
            first = bisect_left(range(len(self.ids)), True, key=lambda one: (self.times[one], self.ids[one]) < key)
        return [self.ids[place] for place in walk(chosen >> first, most, first)]

    def of_ids(self, row_ids: Iterable[int]) -> int:
        """The set of some row ids."""
        return bits((self.positions[one] for one in row_ids if one in self.positions), len(self.ids))


@lru_cache(maxsize=TAG_LISTS_KEPT)
def _tags_of(listed: str) -> tuple[tuple[str, str], ...]:
    """(tag case folded, tag as written) of a record's list, each once."""
    names = {tag.strip().casefold(): tag.strip() for tag in listed.split(",") if tag.strip()}
    return tuple(names.items())


def bits(places: Iterable[int], size: int) -> int:
    """The integer with these bits of so many."""
    found = bytearray(size // 8 + 1)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


def walk(found: int, most: int, first: int = 0) -> Iterator[int]:
    """The first so many bits of a set, lowest first, each plus first."""
    data = found.to_bytes((found.bit_length() + 7) // 8, "little")
    for at, byte in enumerate(data):
        for bit in range(8) if byte else ():
            if byte >> bit & 1 and most:
                yield first + at * 8 + bit
                most -= 1
        if not most:
            return


def _having(column: tuple[object, ...], values: set[object]) -> int:
    """The set of places whose value is one of some."""
    return int("".join(["1" if one in values else "0" for one in reversed(column)]) or "0", 2)


def _places(column: Iterable[T]) -> dict[T, array[int]]:
    """Value -> the places that have it, in their order."""
    found: dict[T, array[int]] = {}
    for position, value in enumerate(column):
        found.setdefault(value, array("i")).append(position)
    return found


class _Kept:
    """The process's index, and the connection that tells when it is out of date."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._state: tuple[object, ...] = ()
        self._index: FacetIndex | None = None
        self._asked_at = -WARM_SECONDS

    def current(self, folder: DataFolder, *, asked: bool = True) -> FacetIndex:
        """See current(). asked: a reader waits for it."""
        if asked:
            self._asked_at = time.monotonic()
        aliases: dict[str, str] = read_settings(folder)[0]["project_aliases"]
        with self._lock:
            try:
                file = folder.mirror, os.stat(folder.mirror).st_ino
                found = self._connection if self._connection and self._state[:1] == (file,) else self._reopen(folder)
                state = (file, found.execute("PRAGMA data_version").fetchone()[0], tuple(aliases.items()))
                if self._index is None or state != self._state:
                    self._index = _read(found, aliases)
                    self._state = state
            except FileNotFoundError:
                raise MirrorUnavailableError("The index is missing: run `llm-memory sync` to build it.") from None
            except sqlite3.Error as error:
                raise MirrorUnavailableError(f"The index cannot be read ({error}): run `llm-memory sync`.") from error
            return self._index

    def warm(self, folder: DataFolder) -> None:
        """See warm()."""
        if time.monotonic() - self._asked_at < WARM_SECONDS:
            self.current(folder, asked=False)

    def close(self) -> None:
        """See close()."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._index, self._state = None, None, ()

    def _reopen(self, folder: DataFolder) -> sqlite3.Connection:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._index, self._state = None, None, ()
        address = f"file:{quote(folder.mirror)}?mode=ro"
        found = sqlite3.connect(
            address, uri=True, timeout=mirror.BUSY_SECONDS, check_same_thread=False, isolation_level=None
        )
        self._connection = found
        return found


def _read(connection: sqlite3.Connection, aliases: dict[str, str]) -> FacetIndex:
    """The index of one state of the mirror, however many writes come meanwhile."""
    connection.execute("BEGIN")
    try:
        return FacetIndex(connection, aliases)
    finally:
        connection.execute("ROLLBACK")


_kept = _Kept()


def current(folder: DataFolder) -> FacetIndex:
    """The index of the folder's mirror as it is now. Raises MirrorUnavailableError."""
    return _kept.current(folder)


def warm(folder: DataFolder) -> None:
    """Bring the index up to date ahead of the next page, where one was asked for within WARM_SECONDS.

    Raises MirrorUnavailableError.
    """
    _kept.warm(folder)


def close() -> None:
    """Forget the index and close its connection; the next page makes another."""
    _kept.close()
