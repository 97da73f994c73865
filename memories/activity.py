"""On which days a project was worked on: sessions and memories per day of this machine's clock, over the last year."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from memories.core.scope import Scope

WEEKS = 53
DAYS_A_WEEK = 7
LEVELS = 4
"""Shades of a day with activity; each is a quarter of the busiest day's."""

CELL, LEFT, TOP = 18, 36, 20
"""Pixels of a day's square with the gap beside it, and where the first one stands in the map."""

LABEL_WEEKS = 3
"""Columns that a month's name takes."""


@dataclass(frozen=True)
class Day:
    """A day with activity. week and weekday: its column (0: the oldest) and row (0: Monday); level: 1 to LEVELS."""

    day: date
    sessions: int
    memories: int
    week: int
    weekday: int
    level: int

    @property
    def x(self) -> int:
        """Its square's left edge in the map, in pixels."""
        return LEFT + CELL * self.week

    @property
    def y(self) -> int:
        """Its square's upper edge."""
        return TOP + CELL * self.weekday

    @property
    def said(self) -> str:
        """What there was, in words: 2 sessions, 1 memory."""
        counts = ((self.sessions, "session", "sessions"), (self.memories, "memory", "memories"))
        return ", ".join(f"{count} {one if count == 1 else more}" for count, one, more in counts if count)


@dataclass(frozen=True)
class Month:
    """A calendar month. first: its first day; days: on how many there was activity; x: where its name stands in the
    map, None where there is no room for it."""

    first: date
    sessions: int
    memories: int
    days: int
    x: int | None


@dataclass(frozen=True)
class Activity:
    """days: those with activity, oldest first. months: every one from the oldest day on. sessions, memories: in all.
    since: the first day that is looked at. busiest: the day with the most, None where there is none."""

    days: list[Day]
    months: list[Month]
    sessions: int
    memories: int
    since: date
    busiest: Day | None


def activity(connection: sqlite3.Connection, project: Scope | None, today: date) -> Activity:
    """A project's (None: that of no project) last WEEKS weeks up to today, whole weeks from Monday on. One query for
    each id and name of the project, for memories and for sessions. Raises sqlite3.Error."""
    since = today - timedelta(days=today.weekday() + DAYS_A_WEEK * (WEEKS - 1))
    counts: dict[str, list[int]] = {}
    for kind, rows in enumerate((_sessions(connection, project, since), _memories(connection, project, since))):
        for day, count in rows:
            counts.setdefault(day, [0, 0])[kind] += count
    found = {date.fromisoformat(day): both for day, both in counts.items()}
    found = {day: both for day, both in sorted(found.items()) if since <= day <= today}
    most = max((sum(both) for both in found.values()), default=0)
    days = [
        Day(
            day=day,
            sessions=sessions,
            memories=memories,
            week=(day - since).days // DAYS_A_WEEK,
            weekday=day.weekday(),
            level=-(-LEVELS * (sessions + memories) // most),
        )
        for day, (sessions, memories) in found.items()
    ]
    return Activity(
        days=days,
        months=_months(days, since, today),
        sessions=sum(one.sessions for one in days),
        memories=sum(one.memories for one in days),
        since=since,
        busiest=max(days, key=lambda one: one.sessions + one.memories, default=None),
    )


def _memories(connection: sqlite3.Connection, project: Scope | None, since: date) -> Iterable[tuple[str, int]]:
    """(day, how many memories were made on it); session logs are not counted, their sessions are."""
    start = (since - timedelta(days=1)).isoformat()  # the zone's day may begin before UTC's
    for where, values in _conditions(project, "memory"):
        yield from connection.execute(
            "SELECT date(created_at, 'localtime'), count(*) FROM memory "
            f"WHERE {where} AND type IN ('narrative', 'note') AND created_at >= ? GROUP BY 1",
            (*values, start),
        )


def _sessions(connection: sqlite3.Connection, project: Scope | None, since: date) -> Iterable[tuple[str, int]]:
    """(day, how many sessions began on it)."""
    for where, values in _conditions(project, "session"):
        yield from connection.execute(
            "SELECT date(started_at, 'unixepoch', 'localtime'), count(*) FROM session "
            f"WHERE {where} AND part = '' AND started_at >= CAST(strftime('%s', ?) AS INTEGER) GROUP BY 1",
            (*values, (since - timedelta(days=1)).isoformat()),
        )


def _conditions(project: Scope | None, table: str) -> list[tuple[str, tuple[str, ...]]]:
    """The project as single conditions, each along an index of memory."""
    if project is None:
        return [(f"{table}.project_id IS NULL AND {table}.project_key IS NULL", ())]
    return [(where.replace("memory.", f"{table}."), (value,)) for where, value in project.conditions()]


def _months(days: list[Day], since: date, today: date) -> list[Month]:
    firsts = [since.replace(day=1)]
    while (after := (firsts[-1] + timedelta(days=31)).replace(day=1)) <= today:
        firsts.append(after)
    weeks = [-(-max((first - since).days, 0) // DAYS_A_WEEK) for first in firsts]
    found = []
    for first, week, following in zip(firsts, weeks, [*weeks[1:], WEEKS], strict=True):
        own = [one for one in days if (one.day.year, one.day.month) == (first.year, first.month)]
        x = LEFT + CELL * week if following - week >= LABEL_WEEKS else None
        found.append(Month(first, sum(one.sessions for one in own), sum(one.memories for one in own), len(own), x))
    return found
