"""Which projects' narratives lag behind, over all projects that have sessions."""

from __future__ import annotations

from memories.core import coverage, scope
from memories.core.projects import fold_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder

OVERDUE_SESSIONS = 3
"""Sessions since a narrative was written (or to write the first from) from which it is worth telling."""


def overdue(connection: sqlite3.Connection, folder: DataFolder, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """coverage.coverage_of each project whose narrative is OVERDUE_SESSIONS or more behind, or missing with as many
    sessions: the longest behind first. settings: project_aliases is read. Raises sqlite3.Error."""
    found = []
    for project in scopes(connection, settings["project_aliases"]):
        state = coverage.coverage_of(coverage.narrative(connection, folder, project), connection, folder, project)
        if state["sessions_since"] >= OVERDUE_SESSIONS:
            found.append(state)
    return sorted(found, key=lambda state: (state["since"], state["project"]))


def scopes(connection: sqlite3.Connection, aliases: dict[str, str]) -> list[scope.Scope]:
    """Every project that a session log belongs to, once. Logs without an id belong to the one project of their name,
    or to one of their own where several or none have it; projects that aliases tie together are one."""
    rows = connection.execute(
        "SELECT project_id, project_key FROM memory INDEXED BY memory_logs WHERE type = 'session_log' "
        "AND coalesce(project_id, project_key) IS NOT NULL GROUP BY 1, 2"
    ).fetchall()
    ids_of_key: dict[str, set[str]] = {}
    for project_id, key in rows:
        if project_id is not None and key is not None:
            ids_of_key.setdefault(key, set()).add(project_id)
    every_id = dict.fromkeys(project_id for project_id, _ in rows if project_id is not None)
    nobodys = [key for project_id, key in rows if project_id is None and len(ids_of_key.get(key, ())) != 1]
    found = [({one}, {key for key, ids in ids_of_key.items() if ids == {one}}) for one in every_id]
    found += [(set(), {key}) for key in nobodys]
    for pair in aliases.items():
        found = _tied(found, {fold_name(text) for text in pair} | set(pair), ids_of_key)
    return [scope.Scope(_name(connection, ids, keys), frozenset(ids), frozenset(keys)) for ids, keys in found]


def _tied(
    found: list[tuple[set[str], set[str]]], names: set[str], ids_of_key: dict[str, set[str]]
) -> list[tuple[set[str], set[str]]]:
    """The projects with those that go by one of some names or ids made one."""
    ids = names.union(*(ids_of_key.get(name, ()) for name in names))
    together = [one for one in found if one[0] & ids or one[1] & names]
    if len(together) < 2:  # noqa: PLR2004 - nothing to tie
        return found
    whole = (set[str]().union(*(one[0] for one in together)), set[str]().union(*(one[1] for one in together)))
    return [*(one for one in found if one not in together), whole]


def _name(connection: sqlite3.Connection, ids: set[str], keys: set[str]) -> str:
    """What the project's newest session log calls it."""
    named = []
    for condition, value in scope.Scope("", frozenset(ids), frozenset(keys)).conditions():
        sql = (
            "SELECT created_at, project FROM memory WHERE type = 'session_log' AND project IS NOT NULL "
            f"AND {condition} ORDER BY created_at DESC LIMIT 1"
        )
        named += connection.execute(sql, (value,)).fetchall()
    return max(named)[1] if named else min(ids | keys)
