"""The machines that wrote what is here, by the `origin` of records: how much, and when last."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from memories.core import clock, records
from memories.core.transcript_items import clean

RecordRow = tuple[str | None, str, str, int, str]
"""(origin, type, status, count, newest time) of records."""


@dataclass(frozen=True)
class Machine:
    """A machine that wrote memories. name: "" for records that do not say. changed_at: the newest one's time, UTC."""

    name: str
    memories: int
    session_logs: int
    changed_at: str
    is_this: bool


def record_rows(connection: sqlite3.Connection) -> list[RecordRow]:
    """All that is asked of the records, in one pass over an index that holds it."""
    return connection.execute(
        "SELECT origin, type, status, count(*), max(coalesce(updated_at, created_at)) FROM memory "
        "INDEXED BY memory_kinds GROUP BY 1, 2, 3"
    ).fetchall()


def machines(rows: list[RecordRow]) -> list[Machine]:
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
