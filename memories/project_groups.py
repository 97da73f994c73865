"""The projects that records belong to, as the dashboard lists them: by id, so that two folders of one name stay two.

Records without an id (the first LLM Memory's, or free text) belong to the one id that goes by their name; where several
ids share the name, or none has it, they are a group of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max, Q

from memories import selectors
from memories.core.projects import fold_name
from memories.core.scope import Scope
from memories.models import Memory

NO_PROJECT = ":none"
"""What an address carries for "records of no project"; display names never start with a colon."""

Row = tuple[str | None, str | None]
"""(project_id, project_key) of a memory."""


@dataclass(frozen=True)
class ProjectGroup:
    """A project to filter by.

    value: what an address carries, the name unless another project has it too. name: for display. detail: the id where
    the name alone is ambiguous, else None. scope: None for records of no project.
    """

    value: str
    name: str
    detail: str | None
    scope: Scope | None

    def condition(self) -> Q:
        """The condition that a memory belongs to the project."""
        if self.scope is None:
            return Q(project_id__isnull=True, project_key__isnull=True)
        return selectors.in_scope(self.scope)

    def holds(self, row: Row) -> bool:
        """Whether a memory with this (project_id, project_key) belongs to the project (condition() in Python)."""
        project_id, key = row
        if self.scope is None:
            return project_id is None and key is None
        return project_id in self.scope.ids if project_id is not None else key in self.scope.keys


def project_groups() -> list[ProjectGroup]:
    """Every project that a record belongs to, archived ones included, in one query."""
    rows = (
        Memory.objects.values_list("project_id", "project_key", "project")
        .annotate(newest=Max("created_at"))
        .order_by("newest")
    )
    names: dict[Row, str] = {}
    ids_of_key: dict[str, set[str]] = {}
    for project_id, key, name, _ in rows:
        if project_id is not None and key is not None:
            ids_of_key.setdefault(key, set()).add(project_id)
        shown = name or names.get((project_id, None)) or project_id or ""
        names[(project_id, None) if project_id is not None else (None, key)] = shown
    scopes: list[tuple[str, Scope | None]] = []
    for (project_id, key), name in names.items():
        if project_id is not None:
            own = {one for one, ids in ids_of_key.items() if ids == {project_id}}
            scopes.append((name, Scope(name, frozenset({project_id}), frozenset(own))))
        elif key is None:
            scopes.append((name, None))
        elif len(ids_of_key.get(key, ())) != 1:
            scopes.append((name, Scope(name, frozenset(), frozenset({key}))))
    return [_group(name, scope, scopes) for name, scope in scopes]


def _group(name: str, scope: Scope | None, scopes: list[tuple[str, Scope | None]]) -> ProjectGroup:
    if scope is None:
        return ProjectGroup(NO_PROJECT, "No project", None, None)
    alike = sum(1 for other, found in scopes if found is not None and fold_name(other) == fold_name(name))
    if alike == 1 or not scope.ids:
        return ProjectGroup(name, name, None, scope)
    (project_id,) = scope.ids
    return ProjectGroup(project_id, name, project_id, scope)


def find_group(groups: list[ProjectGroup], value: str) -> ProjectGroup:
    """The group that an address names: by its value, an id, or a name (case, - and _ folded).

    A value that fits none gives a group that holds nothing, so that the page can say so.
    """
    for group in groups:
        if value == group.value:
            return group
    key = fold_name(value)
    for group in groups:
        if group.scope and (value in group.scope.ids or key in group.scope.keys or key == fold_name(group.name)):
            return group
    return ProjectGroup(value, value, None, Scope(value, frozenset(), frozenset({key})))
