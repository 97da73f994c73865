"""The graph's state as an address and back: /graph/?focus=&depth=&type=&relationship=&project=&archived=1&sessions=1
&projects=0&expand=&find=&selected=; fold is read by the page's script only."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.urls import reverse

from memories.core.records import RELATIONSHIPS, TYPES, is_uuid
from memories.core.transcript_items import clean
from memories.graph_filters import DEFAULT_DEPTH, MAX_DEPTH, PROJECT, SESSION, GraphFilters
from memories.graph_table import MAX_ROWS
from memories.graph_walk import MAX_ID_CHARS
from memories.project_groups import ProjectGroup, find_group
from memories.views.filters import MAX_VALUE_CHARS

NONE = "none"
"""type=none, relationship=none: nothing of it; without the name in the address there is all of it."""

MAX_EXPAND = 50
_FIND_CHARS = 200


def read_graph_filters(query: QueryDict, groups: list[ProjectGroup]) -> GraphFilters:
    """The filters in an address. Raises BadRequest for what no link or field of the page leads to."""
    depth = query.get("depth") or str(DEFAULT_DEPTH)
    if depth not in [str(number) for number in range(1, MAX_DEPTH + 1)]:
        raise BadRequest(f"depth must be a whole number from 1 to {MAX_DEPTH}.")
    expand = [_node(node, "expand") for node in query.getlist("expand") if node]
    if len(expand) > MAX_EXPAND:
        raise BadRequest(f"expand names at most {MAX_EXPAND} nodes.")
    focus, project = query.get("focus", ""), query.get("project", "")
    if len(project) > MAX_VALUE_CHARS:
        raise BadRequest(f"A project in an address has at most {MAX_VALUE_CHARS} characters.")
    return GraphFilters(
        types=_several(query, "type", TYPES),
        relationships=_several(query, "relationship", RELATIONSHIPS),
        project=find_group(groups, project) if project else None,
        archived=query.get("archived", "") == "1",
        sessions=query.get("sessions", "") == "1",
        projects=query.get("projects", "") != "0",
        focus=_node(focus, "focus") if focus else "",
        depth=int(depth),
        expand=tuple(dict.fromkeys(expand)),
        find=" ".join(clean(query.get("find", "")).split())[:_FIND_CHARS],
        groups=groups,
    )


def read_selected(query: QueryDict) -> str:
    """The node whose panel is open, "" for none. Raises BadRequest."""
    selected = query.get("selected", "")
    return _node(selected, "selected") if selected else ""


def read_offset(query: QueryDict) -> int:
    """The row that the table starts with. Raises BadRequest."""
    offset = query.get("offset", "0")
    if not re.fullmatch(r"\d{1,3}", offset, re.ASCII) or int(offset) >= MAX_ROWS:
        raise BadRequest(f"offset must be a whole number below {MAX_ROWS}.")
    return int(offset)


def graph_address(filters: GraphFilters, *, offset: int = 0, selected: str = "", **changes: object) -> str:
    """The graph's address with these filters, some of them changed; what is as usual is left out."""
    wanted = replace(filters, **changes)  # type: ignore[arg-type]  # the names are GraphFilters' own
    values = [
        ("focus", wanted.focus),
        ("depth", str(wanted.depth) if wanted.depth != DEFAULT_DEPTH else ""),
        *_chosen("type", wanted.types, TYPES),
        *_chosen("relationship", wanted.relationships, RELATIONSHIPS),
        ("project", wanted.project.value if wanted.project else ""),
        ("archived", "1" if wanted.archived else ""),
        ("sessions", "1" if wanted.sessions else ""),
        ("projects", "" if wanted.projects else "0"),
        *(("expand", node) for node in wanted.expand),
        ("find", wanted.find),
        ("selected", selected),
        ("offset", str(offset) if offset else ""),
    ]
    encoded = urlencode([(name, value) for name, value in values if value])
    return reverse("graph") + (f"?{encoded}" if encoded else "")


def _several(query: QueryDict, name: str, known: tuple[str, ...]) -> frozenset[str]:
    found = frozenset(value for value in query.getlist(name) if value)
    if not found:
        return frozenset(known)
    if unknown := found - {*known, NONE}:
        raise BadRequest(f"There is no {name} {min(unknown)!r:.60}; there are {', '.join(known)}.")
    return found - {NONE}


def _chosen(name: str, chosen: frozenset[str], known: tuple[str, ...]) -> list[tuple[str, str]]:
    if chosen == frozenset(known):
        return []
    return [(name, one) for one in known if one in chosen] or [(name, NONE)]


def _node(node: str, name: str) -> str:
    named = node.startswith((SESSION, PROJECT)) and len(SESSION) < len(node) <= MAX_ID_CHARS + len(SESSION)
    if not (named or is_uuid(node)) or not node.isprintable():
        raise BadRequest(f"{name} does not name a node of the graph.")
    return node
