"""Rows of the mirror's table `memory`, read by SQL: what the tools and the commands show of a memory."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

AMONG = "IN (SELECT value FROM json_each(?))"
"""The right side of a condition with any number of values in one parameter, which listed() makes."""

NEWEST_FIRST = "memory.created_at DESC, memory.id DESC"


class MemoryRow:
    """One memory, fields as schema.sql has them; times are text (UTC, no zone)."""

    __slots__ = (
        "content", "created_at", "id", "importance", "imported_from", "origin", "project", "status", "tags",
        "transcript_ref", "type", "uuid",
    )  # fmt: skip
    content: str
    created_at: str
    id: int
    importance: int
    imported_from: str | None
    origin: str | None
    project: str | None
    status: str
    tags: str | None
    transcript_ref: str | None
    type: str
    uuid: str

    def __init__(self, values: tuple[object, ...]) -> None:
        """values: in the order of the fields."""
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)


_SELECT = f"SELECT {', '.join(f'memory.{name}' for name in MemoryRow.__slots__)} FROM memory"


def rows(
    raw: sqlite3.Connection, condition: str, values: Sequence[object], *, order: str = "memory.id", limit: int = -1
) -> list[MemoryRow]:
    """The memories that fit a condition on `memory`, at most so many, -1: all. Raises sqlite3.Error."""
    found = raw.execute(f"{_SELECT} WHERE {condition} ORDER BY {order} LIMIT ?", (*values, limit))
    return [MemoryRow(row) for row in found]


def uuids(raw: sqlite3.Connection, condition: str, values: Sequence[object], *, order: str = "memory.id") -> list[str]:
    """The uuids of the memories that fit a condition on `memory`. Raises sqlite3.Error."""
    return [uuid for (uuid,) in raw.execute(f"SELECT uuid FROM memory WHERE {condition} ORDER BY {order}", values)]


def listed(values: Iterable[str] | Iterable[int]) -> str:
    """The parameter of AMONG."""
    return json.dumps(list(values))
