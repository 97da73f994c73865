"""The graph: /graph/ with its table and panel, and the data that it draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from memories import facets
from memories.core.records import RELATIONSHIPS, TYPES
from memories.graph import Graph
from memories.graph import graph as graph_of
from memories.graph_filters import MAX_DEPTH, GraphFilters
from memories.graph_node import node_detail
from memories.graph_table import graph_table
from memories.project_groups import ProjectGroup
from memories.selectors import mirror_connection
from memories.views.errors import answers_errors
from memories.views.graph_address import graph_address, read_graph_filters, read_offset, read_selected

MAX_CHOICES = 100
"""Projects that can be chosen from; the table's and the panel's links reach the others."""

D3_MODULES = [
    f"vendor/d3-{name}.min.js"
    for name in "dispatch timer color interpolate ease selection quadtree drag transition zoom".split()
]
"""What the page loads of d3, each after what it needs; the worker loads its own."""

PANEL = "graph-panel"
"""The id of the element into which htmx asks for a node's panel."""


@dataclass(frozen=True)
class Choice:
    """A checkbox or an option."""

    value: str
    label: str
    chosen: bool


@answers_errors
def graph(request: HttpRequest) -> HttpResponse:
    """The page; for htmx the panel of the selected node, the table, or more of its rows."""
    mirror_connection(settings.DATA_FOLDER)
    groups = facets.current(settings.DATA_FOLDER).groups
    filters = read_graph_filters(request.GET, groups)
    selected, offset = read_selected(request.GET), read_offset(request.GET)
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    partial = bool(htmx) and not htmx.history_restore_request
    context: dict[str, object] = {"filters": filters, "whole_url": reverse("graph"), "d3_modules": D3_MODULES}
    template = "dashboard/graph.html"
    if selected and (not partial or htmx.target == PANEL):
        context |= {"node": node_detail(settings.DATA_FOLDER, filters, selected)}
        context |= {"focus_url": graph_address(filters, focus=selected), "close_url": graph_address(filters)}
    if partial and htmx.target == PANEL:
        template = "dashboard/_graph_panel.html"
    else:
        table = graph_table(settings.DATA_FOLDER, filters, offset)
        more = graph_address(filters, offset=table.next_offset) if table.next_offset else None
        context |= {"table": table, "offset": offset, "more_url": more, **_choices(filters, groups)}
        context |= {"is_bare": filters == GraphFilters() and not (table.rows or offset or selected)}
        context |= {"is_unfiltered": replace(filters, projects=True) == GraphFilters()}
        context |= {"archived_url": graph_address(filters, archived=True)}
        context |= {"projects_url": graph_address(filters, projects=True)}
        if partial:
            template = "dashboard/_graph_rows.html" if offset else "dashboard/_graph_table.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@answers_errors
def graph_data(request: HttpRequest) -> HttpResponse:
    """Nodes and links as JSON columns (graph.Graph), with a sentence about what there was no room for; with only=found
    the ids of the nodes that were looked for, alone."""
    mirror_connection(settings.DATA_FOLDER)
    groups = facets.current(settings.DATA_FOLDER).groups
    found = graph_of(settings.DATA_FOLDER, read_graph_filters(request.GET, groups))
    if request.GET.get("only") == "found":
        return JsonResponse({"found": found.found}, json_dumps_params={"separators": (",", ":")})
    columns = {name: value for name, value in vars(found).items() if isinstance(value, list)}
    # In ASCII: a name may hold half a surrogate pair, which UTF-8 cannot carry.
    return JsonResponse({**columns, "said": left_out(found)}, json_dumps_params={"separators": (",", ":")})


def left_out(found: Graph) -> str:
    """What the graph had no room for, as a sentence; "" where it shows all."""
    said = []
    if found.cut or found.memories < found.total:
        total = f"more than {found.total:,}" if found.cut else f"{found.total:,}"
        said.append(f"{found.memories:,} of {total} memories are drawn: linked, important and new ones first.")
    if found.others_left_out:
        said.append(f"{found.others_left_out:,} sessions or projects are left out.")
    return " ".join(said)


def _choices(filters: GraphFilters, groups: list[ProjectGroup]) -> dict[str, object]:
    """What the form offers: the newest projects, by name, the chosen one among them."""
    listed = groups[-MAX_CHOICES:]
    if filters.project and filters.project not in listed:
        listed = [*listed, filters.project]
    names = {
        group.value: f"{group.name} ({group.detail})" if group.detail else group.name
        for group in sorted(listed, key=lambda group: group.name.casefold())
        if group.value.isprintable() and group.name.isprintable()
    }
    chosen = filters.project.value if filters.project else ""
    return {
        "types": [Choice(one, one, one in filters.types) for one in TYPES],
        "relationships": [Choice(one, one, one in filters.relationships) for one in reversed(RELATIONSHIPS)],
        "project_choices": [Choice(value, name, value == chosen) for value, name in names.items()],
        "depths": [Choice(str(depth), str(depth), depth == filters.depth) for depth in range(1, MAX_DEPTH + 1)],
    }
