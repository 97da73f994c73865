"""Projects with several active narratives: two machines each wrote one before they met."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from memories.core import scope
from memories.core.transcript_items import clean


@dataclass(frozen=True)
class Narrative:
    """One of several active narratives of a project. machine: "" where it is not known."""

    uuid: str
    title: str
    created_at: str
    machine: str


@dataclass(frozen=True)
class Fork:
    """A project with several active narratives, newest first: the first is shown, the others are to be merged."""

    project: str
    narratives: list[Narrative]


def forks(connection: sqlite3.Connection) -> list[Fork]:
    """Projects with several visible narratives. One without an id belongs to the one id that goes by its name."""
    rows = connection.execute(
        "SELECT project_id, project_key, project, uuid, title, created_at, origin FROM memory "
        f"WHERE type = 'narrative' AND {scope.VISIBLE} ORDER BY created_at DESC, uuid DESC"
    ).fetchall()
    ids: dict[str, set[str]] = {}
    for project_id, key, *_ in rows:
        if project_id is not None:
            ids.setdefault(key, set()).add(project_id)
    groups: dict[tuple[str, str], list[tuple[str, Narrative]]] = {}
    for project_id, key, project, uuid, title, created_at, origin in rows:
        own = ids.get(key, set())
        place = ("id", project_id) if project_id is not None else ("id", min(own)) if len(own) == 1 else ("key", key)
        narrative = Narrative(uuid, clean(title) or uuid, created_at, clean(origin or ""))
        groups.setdefault(place, []).append((project or "", narrative))
    return [Fork(clean(found[0][0]), [one for _, one in found]) for found in groups.values() if len(found) > 1]
