"""The timeline: /."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import push_url
from django_htmx.middleware import HtmxDetails

from memories.project_groups import project_groups
from memories.selectors import mirror_connection
from memories.timeline import Facets, Filters, coverage_line, facets, newest, ranked, with_archived
from memories.views.errors import answers_errors
from memories.views.filters import address, next_address, read_filters, read_place

PROJECTS_OPEN = 12
"""Projects that the rail shows before "more projects" has to be opened."""

TYPE_NAMES = {"narrative": "Narratives", "note": "Notes", "session_log": "Session logs"}


@dataclass(frozen=True)
class Option:
    """A link of the filter rail: an active one takes its own filter away."""

    label: str
    detail: str | None
    count: int
    url: str
    active: bool


@answers_errors
def timeline(request: HttpRequest) -> HttpResponse:
    """The list with its search and filters; for htmx the part that changes (list and rail), or one more page of it."""
    mirror_connection(settings.DATA_FOLDER)
    groups = project_groups()
    filters = read_filters(request.GET, groups)
    place = read_place(request.GET, searching=bool(filters.q))
    page = ranked(filters, place.offset) if filters.q else newest(filters, place.cursor)
    context = {"filters": filters, "page": page, "more_url": next_address(filters, page)}
    partial = _wants_part(request)
    if partial and place:
        previous = place.cursor.created_at if place.cursor else ""
        response = render(request, "dashboard/_entries.html", {**context, "previous": previous})
    else:
        context |= _around(filters, facets(filters, groups)) | {"place": place}
        context["coverage"] = coverage_line(settings.DATA_FOLDER, filters)
        response = render(request, "dashboard/_browse.html" if partial else "dashboard/timeline.html", context)
        if partial:
            push_url(response, address(filters))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; when it restores history it needs the whole one."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return bool(htmx) and not htmx.history_restore_request


def _around(filters: Filters, found: Facets) -> dict[str, Any]:
    """What the page shows around the list: the rail, the count, and what to say where the list is empty."""
    projects = [
        Option(
            label=group.name,
            detail=group.detail,
            count=count,
            url=address(filters, project=None if group == filters.project else group),
            active=group == filters.project,
        )
        for group, count in found.projects
    ]
    projects.sort(key=lambda option: not option.active)
    return {
        "total": found.total,
        "types": [
            Option(
                label=TYPE_NAMES[kind],
                detail=None,
                count=count,
                url=address(filters, type="" if kind == filters.type else kind),
                active=kind == filters.type,
            )
            for kind, count in found.types
        ],
        "projects": projects[:PROJECTS_OPEN],
        "more_projects": projects[PROJECTS_OPEN:],
        "archived_url": address(filters, archived=not filters.archived),
        "clear_url": address(Filters(archived=filters.archived)),
        "first_url": address(filters),
        "hidden_hits": with_archived(filters) if not found.total and not filters.archived else 0,
    }
