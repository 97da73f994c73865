"""Which rows of the mirror belong to a project: by id, and by name for records that carry no id (or by aliases)."""

from __future__ import annotations

from memories.core.projects import fold_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.projects import Project

ID_PREFIXES = ("git:", "marker:", "path:")

VISIBLE = (
    "memory.status = 'active' AND NOT EXISTS (SELECT 1 FROM link JOIN memory AS newer ON newer.uuid = link.from_uuid "
    "WHERE link.to_uuid = memory.uuid AND link.relationship = 'supersedes' AND newer.status = 'active')"
)
"""SQL condition on `memory`: neither archived nor superseded by an active record. Derived at read time, so undoing a
link shows the record again."""


class Scope:
    """A project as a condition on rows. ids: project ids; keys: folded names for rows without an id; name: how to call
    it. several: the ids that one given name fitted, when there is more than one (to be said in the answer)."""

    __slots__ = ("ids", "keys", "name", "several")

    def __init__(self, name: str, ids: frozenset[str], keys: frozenset[str], several: tuple[str, ...] = ()) -> None:
        self.name, self.ids, self.keys, self.several = name, ids, keys, several

    def holds(self, project_id: str | None, project_key: str | None) -> bool:
        """Whether a row with that id and folded name belongs to it; what sql() says of one row."""
        return project_id in self.ids if project_id is not None else project_key in self.keys

    def conditions(self) -> list[tuple[str, str]]:
        """The scope as single equalities on `memory`, each with its value; together they are sql()."""
        by_id = [("memory.project_id = ?", value) for value in sorted(self.ids)]
        by_name = [("memory.project_id IS NULL AND memory.project_key = ?", value) for value in sorted(self.keys)]
        return by_id + by_name

    def sql(self, table: str = "memory") -> tuple[str, list[str]]:
        """The condition on `memory` (or `session`) and its parameters, ids first."""
        ids, keys = sorted(self.ids), sorted(self.keys)
        by_id = f"{table}.project_id IN ({', '.join('?' * len(ids))})"
        by_name = f"{table}.project_id IS NULL AND {table}.project_key IN ({', '.join('?' * len(keys))})"
        return f"({by_id} OR ({by_name}))", [*ids, *keys]


def of_project(project: Project) -> Scope:
    """The scope of an identified project: its id and aliases, and every name it went by."""
    return Scope(project.name, project.ids, project.names)


def of_name(connection: sqlite3.Connection, name: str, session: Project | None, settings: dict[str, Any]) -> Scope:
    """The scope of a project that a person or model named: an id, an alias, or a display name (case, - and _ folded).

    A name that fits the session's own project means at least that one; a name that fits several ids means all of them.
    """
    name = settings["project_aliases"].get(name, name)
    if name.startswith(ID_PREFIXES):
        if session is not None and name in session.ids:
            return of_project(session)
        return Scope(name, frozenset({name}), frozenset())
    key = fold_name(name)
    sql = "SELECT project_id, max(project) FROM {} WHERE project_key = ? GROUP BY 1"
    rows = [row for table in ("session", "memory") for row in connection.execute(sql.format(table), (key,))]
    spellings = dict(rows)
    ids = {found for found in spellings if found is not None}
    keys = {key}
    own = session is not None and key in session.names
    others = ids - (session.ids if own and session else set())
    if own and session is not None:
        ids |= session.ids
        keys |= session.names
    count = len(others) + (1 if own else 0)
    shown = session.name if own and session else max(filter(None, spellings.values()), default=name)
    return Scope(shown, frozenset(ids), frozenset(keys), tuple(sorted(ids)) if count > 1 else ())
