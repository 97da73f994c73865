"""What MCP's resources and completions offer to choose from: newest notes, projects, tags, ids. Plain SQL, each answer
bounded, whatever is asked for."""

from __future__ import annotations

from memories import selectors
from memories.core import records
from memories.core.projects import fold_name
from memories.core.scope import VISIBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.scope import Scope

LISTED = 20
"""Notes that a list of resources has."""

COMPLETED = 100
"""Values of a completion: the protocol's limit."""

TAGGED = 5_000
"""Memories whose tags are counted for a completion, so that it takes as long with a hundred thousand."""

_LAST = "\U0010ffff"
"""Behind every text that begins alike."""

HEX = frozenset("0123456789abcdef")
_UUID_DIGITS = 32
_COLUMNS = ("uuid", "title", "project", "created_at", "importance", "tags")

Values = tuple[list[str], int]
"""At most COMPLETED values, the likeliest first, and how many there are in all."""


def newest_notes(folder: DataFolder, project: Scope | None) -> list[dict[str, Any]]:
    """The LISTED newest visible notes of a project, or of all: {uuid, title, project, created_at, importance, tags}.

    One query per id and name of the project, each along an index in its order. Raises MirrorUnavailableError.
    """
    connection = selectors.mirror_connection(folder)
    conditions: list[tuple[str, tuple[str, ...]]] = [("1", ())]
    if project is not None:
        conditions = [(condition, (value,)) for condition, value in project.conditions()]
    found: list[dict[str, Any]] = []
    for condition, values in conditions:
        rows = connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM memory WHERE {condition} AND type = 'note' AND {VISIBLE} "
            f"ORDER BY created_at DESC LIMIT {LISTED}",
            values,
        )
        found += [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    return sorted(found, key=lambda one: (one["created_at"], one["uuid"]), reverse=True)[:LISTED]


def narrative_time(folder: DataFolder, project: Scope) -> str | None:
    """When the project's narrative was written; None where there is none. Raises MirrorUnavailableError."""
    condition, values = project.sql()
    sql = f"SELECT max(created_at) FROM memory WHERE type = 'narrative' AND {VISIBLE} AND {condition}"
    found = selectors.mirror_connection(folder).execute(sql, values).fetchone()[0]
    return None if found is None else str(found)


def projects(folder: DataFolder, beginning: str, own: str | None = None) -> Values:
    """Names of projects that begin so (case, `-` and `_` folded), that of most memories first.

    own: the name of the session's project, which then comes before all. Raises MirrorUnavailableError.
    """
    connection = selectors.mirror_connection(folder)
    counts = _counted(connection, "memory", beginning)
    for key in _counted(connection, "session", beginning):
        counts.setdefault(key, 0)
    own_key = fold_name(own or "")
    keys = sorted(counts, key=lambda key: (key != own_key, -counts[key], key))
    return [_spelling(connection, key) for key in keys[:COMPLETED]], len(keys)


def _counted(connection: sqlite3.Connection, table: str, beginning: str) -> dict[str, int]:
    """Folded names of projects -> rows of each."""
    key = fold_name(beginning)
    sql = f"SELECT project_key, count(*) FROM {table} WHERE project_key BETWEEN ? AND ? GROUP BY project_key"
    return {found: count for found, count in connection.execute(sql, (key, key + _LAST)) if found}


def _spelling(connection: sqlite3.Connection, key: str) -> str:
    """How a project is written in one of its rows: any spelling names it."""
    sql = "SELECT project FROM {} WHERE project_key = ? LIMIT 1"
    found = (connection.execute(sql.format(table), (key,)).fetchone() for table in ("memory", "session"))
    return str(next(filter(None, found), (key,))[0])


def tags(folder: DataFolder, beginning: str) -> Values:
    """Tags of the TAGGED newest active memories that begin so (case aside), the most used first.

    Raises MirrorUnavailableError.
    """
    newest = f"SELECT tags FROM memory WHERE status = 'active' ORDER BY created_at DESC LIMIT {TAGGED}"
    sql = f"SELECT tags, count(*) FROM ({newest}) WHERE tags IS NOT NULL GROUP BY tags"
    wanted = beginning.strip().casefold()
    counts: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for text, count in selectors.mirror_connection(folder).execute(sql):
        for tag in records.tag_list(text):
            key = tag.casefold()
            if key.startswith(wanted):
                counts[key] = counts.get(key, 0) + count
                spelled.setdefault(key, tag)
    keys = sorted(counts, key=lambda key: (-counts[key], key))
    return [spelled[key] for key in keys[:COMPLETED]], len(keys)


def uuids(folder: DataFolder, beginning: str) -> Values:
    """Ids of memories that begin so, the newest first. Raises MirrorUnavailableError."""
    digits = beginning.strip().lower()
    if len(digits) > _UUID_DIGITS or not HEX.issuperset(digits):
        return [], 0
    connection = selectors.mirror_connection(folder)
    condition = ""  # of all, the newest are read along their index
    ends: tuple[str, ...] = ()
    if digits:
        condition = "WHERE uuid BETWEEN ? AND ?"
        ends = (digits.ljust(_UUID_DIGITS, "0"), digits.ljust(_UUID_DIGITS, "f"))
    total = connection.execute(f"SELECT count(*) FROM memory {condition}", ends).fetchone()[0]
    sql = f"SELECT uuid FROM memory {condition} ORDER BY created_at DESC, id DESC LIMIT {COMPLETED}"
    return [uuid for (uuid,) in connection.execute(sql, ends)], int(total)
