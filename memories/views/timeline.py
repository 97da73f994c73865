"""The timeline: /, and whether it has something new: /fresh/."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import push_url, trigger_client_event
from django_htmx.middleware import HtmxDetails

from memories import facets
from memories.facet_counts import Facets, counted
from memories.freshness import count_new, newest_id
from memories.selectors import mirror_connection
from memories.timeline import TRANSCRIPT, Filters, coverage_line, newest
from memories.timeline_search import Hits
from memories.views.errors import answers_errors
from memories.views.filters import Place, address, fresh_address, next_address, pairs, read_filters, read_place
from memories.views.rail import chips, rail, shown_count
from memories.views.rows import rows


@answers_errors
def timeline(request: HttpRequest) -> HttpResponse:
    """The list with its search and filters; for htmx the part that changes (list and rail), or one more page of it."""
    raw = mirror_connection(settings.DATA_FOLDER)
    since = newest_id(raw)
    index = facets.current(settings.DATA_FOLDER)
    filters = read_filters(request.GET, index.groups)
    place = read_place(request.GET, searching=bool(filters.q))
    hits = Hits(raw, index, filters) if filters.q else None
    page = hits.page(place.offset) if hits is not None else newest(index, filters, place.cursor)
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    partial = bool(htmx) and not htmx.history_restore_request  # history needs the whole page
    previous = place.cursor.created_at if partial and place.cursor else ""
    context: dict[str, Any] = {"page": page, "rows": rows(page, filters, previous)}
    context |= {"filters": filters, "more_url": next_address(filters, page)}
    if partial and place:
        response = render(request, "dashboard/_entries.html", context)
    else:
        context |= _around(filters, counted(index, filters, hits), place, since)
        response = render(request, "dashboard/_browse.html" if partial else "dashboard/timeline.html", context)
        if partial and htmx.trigger != "browse":  # which asks for itself when something is new
            push_url(response, address(filters))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _around(filters: Filters, found: Facets, place: Place, since: int) -> dict[str, Any]:
    """What the page shows around the list: the rail, the count, and what to say where the list is empty."""
    return {
        "facets": rail(filters, found),
        "chips": chips(filters, found),
        "form_fields": pairs(filters),
        "total": shown_count(found.total, bool(filters.q)),
        "several": found.total.number != 1,
        "place": place,
        "coverage": coverage_line(settings.DATA_FOLDER, filters),
        "archived_url": address(filters, archived=not filters.archived),
        "clear_url": address(Filters(archived=filters.archived)),
        "first_url": address(filters),
        "fresh_url": "" if place else fresh_address(filters, since, since),
        "hidden_hits": found.with_archived if not found.total.number and not filters.archived else 0,
        "wants_words": filters.type == TRANSCRIPT and not filters.q,
    }


@answers_errors
def fresh(request: HttpRequest) -> HttpResponse:
    """204 while no memory has come since the page was told of one; else the element that asks next, and the event
    `memories` with how many have come since the page was made."""
    raw = mirror_connection(settings.DATA_FOLDER)
    since, seen, now = (*map(_row_id, (request.GET.get("since", ""), request.GET.get("seen", ""))), newest_id(raw))
    if now == seen:
        return HttpResponse(status=204)
    since = min(since, now)  # an index that was built anew has other ids
    index = facets.current(settings.DATA_FOLDER)
    filters = read_filters(request.GET, index.groups)
    context = {"first_url": address(filters), "fresh_url": fresh_address(filters, since, now)}
    response = render(request, "dashboard/_fresh.html", context)
    count = count_new(raw, index, filters, since)
    return trigger_client_event(response, "memories", {"count": count}, after="swap") if count else response


def _row_id(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise BadRequest("since and seen are whole numbers.")
    return int(text)
