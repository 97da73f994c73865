"""How many memories and conversations each value of a filter would leave, the other filters applied."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, replace

from memories.core.records import TYPES
from memories.facets import FacetIndex
from memories.timeline import TRANSCRIPT, Filters
from memories.timeline_search import Hits, Turns

_NO_TURNS = Turns([], is_cut=False)

MOST_TAGS = 60
"""Tags, those that most of what is listed has, that are given; there can be thousands."""


@dataclass(frozen=True)
class Count:
    """How many; is_least: there are more, which were not counted."""

    number: int
    is_least: bool = False


@dataclass(frozen=True)
class Value:
    """A value of a filter. value: what an address carries; name: for display; detail: what tells it from another of
    that name, or None; is_chosen: whether the filters have it."""

    value: str
    name: str
    detail: str | None
    count: Count
    is_chosen: bool


@dataclass(frozen=True)
class Facets:
    """facets: type, project, tag, importance, month, machine, each with its values, those chosen among them, in their
    order. total: what all filters leave. with_archived: how many memories they leave with archived and superseded
    ones."""

    facets: dict[str, list[Value]]
    total: Count
    with_archived: int


def counted(index: FacetIndex, filters: Filters, hits: Hits | None) -> Facets:
    """The counts beside a list. hits: of the filters' words, None without words. Costs no query but the hits' own."""
    return _Counting(index, filters, hits).result()


class _Counting:
    def __init__(self, index: FacetIndex, filters: Filters, hits: Hits | None) -> None:
        self._index = index
        self._filters = filters
        self._hits = hits
        self._matching = hits.memories if hits is not None else index.everything

    def result(self) -> Facets:
        """Every facet."""
        index, filters = self._index, self._filters
        chosen = self._memories("")
        turns = self._hits.turns if self._hits is not None and filters.lists_turns else _NO_TURNS
        return Facets(
            facets={
                "type": self._types(),
                "project": self._projects(),
                "tag": self._tags(chosen),
                "importance": self._sets("importance", index.importances, filters.importance),
                "month": self._months(),
                "machine": _by_count(self._sets("machine", index.machines, filters.machine)),
            },
            total=Count(chosen.bit_count() + len(turns.hits), turns.is_cut),
            with_archived=(index.chosen(replace(filters, archived=True)) & self._matching).bit_count(),
        )

    def _memories(self, without: str) -> int:
        """The memories that all filters but one leave, as a set."""
        return self._index.chosen(self._filters, without) & self._matching

    def _types(self) -> list[Value]:
        memories = self._memories("type")
        counts = {kind: Count((memories & self._index.types.get(kind, 0)).bit_count()) for kind in TYPES}
        turns = self._hits.turns if self._hits is not None else _NO_TURNS
        counts[TRANSCRIPT] = Count(len(turns.hits), turns.is_cut)
        return _values(counts, {self._filters.type})

    def _projects(self) -> list[Value]:
        memories, chosen = self._memories("project"), self._filters.project
        counts = {value: (memories & found).bit_count() for value, found in self._index.projects.items()}
        groups = {group.value: group for group in [*self._index.groups, *([chosen] if chosen else [])]}
        in_all = self._with_turns("project", counts, chosen.value if chosen else "")
        values = _values(in_all, {chosen.value} if chosen else set())
        return _by_count([replace(one, name=groups[one.value].name, detail=groups[one.value].detail) for one in values])

    def _months(self) -> list[Value]:
        memories = self._memories("month")
        counts = {month: (memories & found).bit_count() for month, found in self._index.months.items()}
        in_all = self._with_turns("month", counts, self._filters.month)
        return sorted(_values(in_all, {self._filters.month}), key=lambda one: one.value, reverse=True)

    def _with_turns(self, facet: str, memories: dict[str, int], chosen: str) -> dict[str, Count]:
        """The counts of memories with those of the turns, by their conversation's project or month."""
        if self._hits is None or not self._filters.lists_turns:
            return {value: Count(number) for value, number in memories.items()}
        turns = self._hits.turns_but_for(facet)
        found = Counter(self._hits.place_of(turn, facet) for turn in turns.hits)
        if chosen:
            found[chosen] = len(self._hits.turns.hits)
        is_least = turns.is_cut
        values = dict.fromkeys([*memories, *found])
        return {one: Count(memories.get(one, 0) + found[one], is_least and found[one] > 0) for one in values if one}

    def _tags(self, chosen: int) -> list[Value]:
        names = self._index.tag_names
        counts = {tag: (chosen & found).bit_count() for tag, found in self._index.tags.items()}
        best = heapq.nlargest(MOST_TAGS, counts, key=counts.__getitem__)
        shown = dict.fromkeys([*best, *self._filters.tags])
        in_all = {tag: Count(chosen.bit_count() if tag in self._filters.tags else counts[tag]) for tag in shown}
        values = _values(in_all, set(self._filters.tags))
        return _by_count([replace(one, name=names.get(one.value, one.value)) for one in values])

    def _sets(self, facet: str, sets: dict[str, int], chosen: str) -> list[Value]:
        memories = self._memories(facet)
        return _values({value: Count((memories & found).bit_count()) for value, found in sets.items()}, {chosen})


def _values(counts: dict[str, Count], chosen: set[str]) -> list[Value]:
    """Those that are there, and those that are chosen whether they are or not."""
    every = counts | {value: Count(0) for value in chosen - counts.keys() if value}
    return [
        Value(value, value, None, count, value in chosen)
        for value, count in every.items()
        if count.number or value in chosen
    ]


def _by_count(values: list[Value]) -> list[Value]:
    return sorted(values, key=lambda one: (-one.count.number, one.name.casefold()))
