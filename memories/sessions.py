"""The archived sessions as the dashboard lists them: newest first, each with its log where there is one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from typing import Any

from memories import selectors
from memories.core import clock, transcripts, turn_ids
from memories.core.paths import DataFolder
from memories.local_time import MONTH, month_of
from memories.project_groups import ProjectGroup
from memories.shown_text import plain_line

PAGE_SIZE = 20
MAX_UNINDEXED = 20
"""Archived sessions that the index does not have yet: so many are named."""

TITLE_CHARS = 200
_NANOSECONDS = 1_000_000_000
_WHEN = f"coalesce(s.ended_at, s.mtime_ns / {_NANOSECONDS})"
"""A session's last word, Unix seconds; where nothing is said in it, its file's time."""


@dataclass(frozen=True)
class SessionFilters:
    """project: None for all. month: `2026-03` on this machine's clock, "" for all."""

    project: ProjectGroup | None = None
    month: str = ""

    @property
    def active(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.project or self.month)


@dataclass(frozen=True)
class SessionCursor:
    """Where a page starts: below the session that ended then (Unix seconds) and has this row id."""

    ended_at: int
    id: int


@dataclass(frozen=True)
class SessionEntry:
    """One session. title: its first request, "" where it has none of its own (repeats: all that is said in it, another
    session has too: resumed, forked). started_at: a record time, "" where no line has one; ended_at: its last word's,
    else its file's; size in bytes of its transcript; agents: how many subagents' transcripts it has. log_uuid:
    its session log's, "" for none; one_shot: a `claude -p` run's; problem: why it cannot be read, or "".
    """

    session_id: str
    title: str
    project: ProjectGroup | None
    branch: str
    started_at: str
    ended_at: str
    turns: int
    size: int
    agents: int
    log_uuid: str
    one_shot: bool
    repeats: bool
    problem: str


@dataclass(frozen=True)
class SessionPage:
    """A page of the list; next_cursor: where the next one starts, None at the end."""

    entries: list[SessionEntry]
    next_cursor: SessionCursor | None


@dataclass(frozen=True)
class SessionFacets:
    """Counts with the other filter applied. projects: most sessions first; months: newest first; total: what both
    filters leave."""

    projects: list[tuple[ProjectGroup, int]]
    months: list[tuple[str, int]]
    total: int


def month_bounds(month: str) -> tuple[int, int] | None:
    """The first second of a month `2026-03` on this machine's clock and of the one after it; None for no month."""
    if not MONTH.fullmatch(month):
        return None
    try:
        first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - naive is this machine's zone
        if (first.year, first.month) == (MAXYEAR, 12):
            return int(first.timestamp()), int(first.replace(day=31, hour=23, minute=59, second=59).timestamp()) + 1
        after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        return int(first.timestamp()), int(after.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _where(filters: SessionFilters, after: SessionCursor | None = None) -> tuple[str, list[Any]]:
    conditions = ["s.part = ''"]
    values: list[Any] = []
    if filters.project is not None and filters.project.scope is not None:
        condition, found = filters.project.scope.sql("s")
        conditions.append(condition)
        values += found
    elif filters.project is not None:
        conditions.append("s.project_id IS NULL AND s.project_key IS NULL")
    bounds = month_bounds(filters.month) if filters.month else None
    if bounds is not None:
        conditions.append(f"{_WHEN} >= ? AND {_WHEN} < ?")
        values += bounds
    if after is not None:
        conditions.append(f"({_WHEN}, s.id) < (?, ?)")
        values += [after.ended_at, after.id]
    return " AND ".join(conditions), values


def session_page(
    folder: DataFolder, filters: SessionFilters, groups: list[ProjectGroup], after: SessionCursor | None = None
) -> SessionPage:
    """A page of PAGE_SIZE sessions, newest first; one query, however many there are.

    groups: facets.current(folder).groups. Raises MirrorUnavailableError.
    """
    condition, values = _where(filters, after)
    raw = selectors.mirror_connection(folder)
    first, last = f"s.id << {turn_ids.SESSION_SHIFT}", f"((s.id + 1) << {turn_ids.SESSION_SHIFT}) - 1"
    sql = (
        f"SELECT s.id, {_WHEN}, s.session_id, s.project_id, s.project_key, s.branch, s.started_at, s.turns, s.repeats, "
        "max(s.size, s.read_bytes), s.problem, "
        f"(SELECT substr(text, 1, {2 * TITLE_CHARS}) FROM turn WHERE turn.id BETWEEN {first} AND {last} "
        "AND role = 'user' ORDER BY turn.id LIMIT 1), "
        "(SELECT count(*) FROM session AS b WHERE b.session_id = s.session_id AND b.part LIKE 'agent-%'), "
        "(SELECT uuid || ' ' || one_shot || ' ' || coalesce(turns, s.turns) FROM memory "
        "WHERE memory.session_id = s.session_id AND memory.type = 'session_log' ORDER BY memory.id LIMIT 1) "
        f"FROM (SELECT * FROM session AS s WHERE {condition} ORDER BY {_WHEN} DESC, s.id DESC LIMIT ?) AS s "
        f"ORDER BY {_WHEN} DESC, s.id DESC"
    )
    rows = raw.execute(sql, [*values, PAGE_SIZE + 1]).fetchall()
    shown = rows[:PAGE_SIZE]
    more = SessionCursor(shown[-1][1], shown[-1][0]) if len(rows) > PAGE_SIZE else None
    return SessionPage([_entry(row, groups) for row in shown], more)


def _entry(row: tuple[Any, ...], groups: list[ProjectGroup]) -> SessionEntry:
    _, ended, session_id, project_id, key, branch, started, turns, repeats, size, problem, title, agents, log = row
    uuid, one_shot, turns = log.split(" ") if log else ("", "", turns)
    return SessionEntry(
        session_id=session_id,
        title=plain_line(title or "")[:TITLE_CHARS],
        project=next((group for group in groups if group.scope and group.holds((project_id, key))), None),
        branch=branch or "",
        started_at=clock.format_time(started) if started is not None else "",
        ended_at=clock.format_time(ended),
        turns=int(turns),
        size=size,
        agents=agents,
        log_uuid=uuid,
        one_shot=one_shot == "1",
        repeats=bool(repeats),
        problem=problem or "",
    )


def session_facets(folder: DataFolder, filters: SessionFilters, groups: list[ProjectGroup]) -> SessionFacets:
    """What the list can be narrowed by; two queries.

    groups: facets.current(folder).groups. Raises MirrorUnavailableError.
    """
    raw = selectors.mirror_connection(folder)
    condition, values = _where(SessionFilters(month=filters.month))
    counts: dict[str, int] = {}
    by_value = {group.value: group for group in groups}
    sql = f"SELECT s.project_id, s.project_key, count(*) FROM session AS s WHERE {condition} GROUP BY 1, 2"
    for project_id, key, count in raw.execute(sql, values):
        group = next((one for one in groups if one.holds((project_id, key))), None)
        if group is not None:  # else it was indexed after the groups were read
            counts[group.value] = counts.get(group.value, 0) + count
    condition, values = _where(SessionFilters(project=filters.project))
    sql = f"SELECT {_WHEN} FROM session AS s WHERE {condition} ORDER BY 1 DESC"
    months = _months([ended for (ended,) in raw.execute(sql, values)])
    total = months.get(filters.month, 0) if filters.month else sum(months.values())
    found = [(by_value[value], count) for value, count in counts.items()]
    found.sort(key=lambda one: (-one[1], one[0].name.casefold()))
    return SessionFacets(found, list(months.items()), total)


def _months(times: list[int]) -> dict[str, int]:
    """How many of the times, newest first, lie in each month of this machine's clock."""
    months: dict[str, int] = {}
    month, first, after = "", 0, 0
    for seconds in times:
        if not first <= seconds < after:
            month = month_of(seconds)
            first, after = month_bounds(month) or (seconds, seconds + 1)
        months[month] = months.get(month, 0) + 1
    return months


def unindexed(folder: DataFolder) -> list[str]:
    """Ids of archived sessions that the index does not have yet, sorted: one listing, one query.

    Raises MirrorUnavailableError.
    """
    raw = selectors.mirror_connection(folder)
    known = {session_id for (session_id,) in raw.execute("SELECT session_id FROM session WHERE part = ''")}
    try:
        names = os.listdir(folder.transcripts)
    except OSError:
        return []
    stems = {name.removesuffix(transcripts.SUFFIX) for name in names if name.endswith(transcripts.SUFFIX)}
    return sorted(stem for stem in stems - known if transcripts.is_session_id(stem))
