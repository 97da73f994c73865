"""The projects that records belong to, as the dashboard lists them: by id, so that two folders of one name stay two,
and as one where the setting project_aliases ties them together.

Records without an id (the first LLM Memory's, or free text) belong to the one id that goes by their name; where several
ids share the name, or none has it, they are a group of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from memories.core.projects import fold_name
from memories.core.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from django.db.models import Q

NO_PROJECT = ":none"
"""What an address carries for "records of no project"; display names never start with a colon."""

Row = tuple[str | None, str | None]
"""(project_id, project_key) of a memory or a conversation."""

_Named = tuple[str, frozenset[str], frozenset[str]]
"""A project in the making: its name, its ids, the folded names of its records without an id."""


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
        from django.db.models import Q  # exports group projects too, without Django

        from memories import querysets

        if self.scope is None:
            return Q(project_id__isnull=True, project_key__isnull=True)
        return querysets.in_scope(self.scope)

    def holds(self, row: Row) -> bool:
        """Whether a memory with this (project_id, project_key) belongs to the project (condition() in Python)."""
        project_id, key = row
        if self.scope is None:
            return project_id is None and key is None
        return project_id in self.scope.ids if project_id is not None else key in self.scope.keys


def groups_of(
    rows: Iterable[tuple[str | None, str | None, str | None]], aliases: Mapping[str, str]
) -> list[ProjectGroup]:
    """The projects of (project_id, project_key, name) rows, the newest last: a project is called what its newest row
    calls it. aliases: the setting project_aliases; projects that it ties together are one."""
    names: dict[Row, str] = {}
    ids_of_key: dict[str, set[str]] = {}
    for project_id, key, name in rows:
        if project_id is not None and key is not None:
            ids_of_key.setdefault(key, set()).add(project_id)
        one: Row = (project_id, None) if project_id is not None else (None, key)
        shown = name or names.pop(one, None) or project_id or ""
        names.pop(one, None)
        names[one] = shown  # a later one's name stands, and stands later
    found: list[_Named] = []
    is_any_of_none = False
    for (project_id, key), name in names.items():
        if project_id is not None:
            keys = frozenset(one for one, ids in ids_of_key.items() if ids == {project_id})
            found.append((name, frozenset({project_id}), keys))
        elif key is None:
            is_any_of_none = True
        elif len(ids_of_key.get(key, ())) != 1:
            found.append((name, frozenset(), frozenset({key})))
    for pair in aliases.items():
        found = _tied(found, pair, ids_of_key)
    groups = [_group(one, found) for one in found]
    return [*groups, ProjectGroup(NO_PROJECT, "No project", None, None)] if is_any_of_none else groups


def _tied(found: list[_Named], pair: tuple[str, str], ids_of_key: dict[str, set[str]]) -> list[_Named]:
    """The projects with those that go by one of a pair of names or ids made one, called what the pair's second says."""
    names = {fold_name(text) for text in pair} | set(pair)
    ids = names.union(*(ids_of_key.get(name, ()) for name in names))
    together = [one for one in found if one[1] & ids or one[2] & names]
    if len(together) < 2:  # noqa: PLR2004 - nothing to tie
        return found
    target = {pair[1], fold_name(pair[1])} | ids_of_key.get(fold_name(pair[1]), set())
    name = next((one[0] for one in together if one[1] & target or one[2] & target), together[-1][0])
    whole = (name, frozenset().union(*(one[1] for one in together)), frozenset().union(*(one[2] for one in together)))
    return [*(one for one in found if one not in together), whole]


def _group(one: _Named, found: list[_Named]) -> ProjectGroup:
    name, ids, keys = one
    scope = Scope(name, ids, keys)
    alike = sum(1 for other, *_ in found if fold_name(other) == fold_name(name))
    if alike == 1 or not ids:
        return ProjectGroup(name, name, None, scope)
    return ProjectGroup(min(ids), name, min(ids), scope)


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
