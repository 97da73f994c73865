"""The timeline's rail of filters: each value a link with its count, and what is chosen as chips."""

from __future__ import annotations

import secrets
from calendar import month_name
from dataclasses import dataclass, replace
from urllib.parse import quote_plus

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from memories.facet_counts import Count, Facets, Value
from memories.project_groups import ProjectGroup
from memories.timeline import TRANSCRIPT, Filters
from memories.timeline_search import REACH
from memories.views.filters import address

OPEN = 12
"""Values that a filter shows before its "more" has to be opened, and up to"""
FOLDED = 20
"""so many behind it; the others are reached by an address, or once another filter has narrowed the list."""

RAIL_BYTES = 8_000
"""What all links together may take of a page: with a long question fewer are shown, as each link carries it."""

_OPTION_BYTES = 80
"""An option's mark-up and label, beside its address."""

TYPE_NAMES = {
    "narrative": "Narratives",
    "note": "Notes",
    "session_log": "Session logs",
    TRANSCRIPT: "Conversations",
}
IMPORTANCE_NAMES = {"8-10": "High, 8 to 10", "4-7": "Normal, 4 to 7", "1-3": "Low, 1 to 3"}
HEADINGS = {
    "type": "Type",
    "project": "Project",
    "tag": "Tag",
    "importance": "Importance",
    "month": "Month",
    "machine": "Machine",
}
_OPTION = '<li><a href="{}"{}><span>{}{}</span> <b>{}</b></a>'
_CHOSEN = mark_safe(' aria-current="true"')
_MARK = secrets.token_hex(8)
"""Stands in an address for a value that is put there later; no address holds it otherwise."""


@dataclass(frozen=True)
class Facet:
    """A filter of the rail: its options as list items, chosen ones first, each a link with its count; more: those
    behind a fold, folded many."""

    heading: str
    options: SafeString
    more: SafeString
    folded: int


@dataclass(frozen=True)
class Chip:
    """Something chosen, as words, and the address without it."""

    label: str
    url: str


def shown_count(count: Count, searching: bool) -> str:
    """A count with its thousands apart; of a search at most REACH, with a + where there are more: 1,000+."""
    if searching and (count.is_least or count.number > REACH):
        return f"{min(count.number, REACH):,}+"
    return f"{count.number:,}"


def rail(filters: Filters, found: Facets) -> list[Facet]:
    """The filters that have a value to choose."""
    room = RAIL_BYTES // (len(address(filters)) + _OPTION_BYTES) // len(HEADINGS)
    return [
        _facet(name, found.facets[name], filters, max(1, min(room * 2, OPEN + FOLDED)))
        for name in HEADINGS
        if found.facets[name]
    ]


def _facet(name: str, values: list[Value], filters: Filters, most: int) -> Facet:
    template = address(filters, **_with(name, filters, _MARK))
    options = []
    for one in sorted(values, key=lambda one: not one.is_chosen)[:most]:
        url = _without(name, one.value, filters) if one.is_chosen else template.replace(_MARK, quote_plus(one.value))
        detail = format_html(" <small>{}</small>", one.detail) if one.detail else ""
        state = _CHOSEN if one.is_chosen else ""
        options.append((url, state, _label(name, one), detail, shown_count(one.count, bool(filters.q))))
    unfolded = OPEN + 1 if len(options) == OPEN + 1 else OPEN  # to fold one alone saves no room
    return Facet(
        HEADINGS[name],
        format_html_join("", _OPTION, options[:unfolded]),
        format_html_join("", _OPTION, options[unfolded:]),
        len(options[unfolded:]),
    )


def _with(name: str, filters: Filters, value: str) -> dict[str, object]:
    """The change of the filters that chooses a value."""
    if name == "project":
        return {"project": ProjectGroup(value, value, None, None)}
    return {"tags": (*filters.tags, value)} if name == "tag" else {name: value}


def _without(name: str, value: str, filters: Filters) -> str:
    """The address without a chosen value."""
    if name == "tag":
        return address(filters, tags=tuple(tag for tag in filters.tags if tag != value))
    return address(filters, **{name: None if name == "project" else ""})


def _label(name: str, value: Value) -> str:
    if name == "type":
        return TYPE_NAMES[value.value]
    if name == "importance":
        return IMPORTANCE_NAMES[value.value]
    return month_label(value.value) if name == "month" else value.name


def month_label(month: str) -> str:
    """2026-03 -> March 2026."""
    return f"{month_name[int(month[5:])]} {int(month[:4])}"


def chips(filters: Filters, found: Facets) -> list[Chip]:
    """What is chosen, each with the address that takes it away."""
    chosen = [
        Chip(f"{HEADINGS[name]}: {_label(name, one)}", _without(name, one.value, filters))
        for name in HEADINGS
        for one in found.facets[name]
        if one.is_chosen
    ]
    words = [Chip(f"Search: {filters.q}", address(replace(filters, q="")))] if filters.q else []
    archived = [Chip("Archived and superseded too", address(filters, archived=False))] if filters.archived else []
    return [*words, *chosen, *archived]
