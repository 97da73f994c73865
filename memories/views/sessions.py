"""The sessions and the transcript reader: /s/ and /t/<session>/."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from memories.core import archived_sessions, clock, line_places, transcript_find, transcript_reading
from memories.core.archived_sessions import ArchivedTranscript
from memories.core.errors import TranscriptError
from memories.core.line_places import Place
from memories.facets import current
from memories.project_groups import ProjectGroup, find_group
from memories.requests import IndexedConversation, indexed
from memories.sessions import (
    MAX_UNINDEXED,
    SessionCursor,
    SessionFilters,
    month_bounds,
    session_facets,
    session_page,
    unindexed,
)
from memories.transcript_head import transcript_head
from memories.transcript_pages import Wanted, around, page_of
from memories.transcript_view import WHOLE_BYTES, TranscriptView, name_of, place_text, whole_text
from memories.transcript_words import cleaned
from memories.views.errors import answers_errors, error_page
from memories.views.filters import MAX_VALUE_CHARS
from memories.views.rail import Chip, month_label

OPTIONS_OPEN = 12
"""Projects and months that the rail shows before "more" has to be opened."""

_PLACE = re.compile(r"([0-9]{1,12}):([0-9]{1,15})", re.ASCII)
_CURSOR = re.compile(r"([0-9]{1,11})~([0-9]{1,18})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)


@answers_errors
def sessions(request: HttpRequest) -> HttpResponse:
    """The list of archived sessions; for htmx one more page of it."""
    groups = current(settings.DATA_FOLDER).groups
    filters, after = _filters(request.GET, groups)
    page = session_page(settings.DATA_FOLDER, filters, groups, after)
    more = page.next_cursor
    context: dict[str, Any] = {
        "page": page,
        "filters": filters,
        "more_url": _list_url(filters, before=f"{more.ended_at}~{more.id}") if more else "",
    }
    if after and _wants_part(request):
        context["previous"] = clock.format_time(after.ended_at)
        response = render(request, "dashboard/_session_entries.html", context)
    else:
        waiting = [] if filters.active or after else unindexed(settings.DATA_FOLDER)
        context |= _rail(filters, groups)
        context |= {"after": after, "waiting": waiting[:MAX_UNINDEXED], "waiting_count": len(waiting)}
        response = render(request, "dashboard/sessions.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _wants_part(request: HttpRequest) -> bool:
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return bool(htmx) and not htmx.history_restore_request


def _filters(query: QueryDict, groups: list[ProjectGroup]) -> tuple[SessionFilters, SessionCursor | None]:
    project, month, before = (query.get(name, "") for name in ("project", "month", "before"))
    if len(project) > MAX_VALUE_CHARS:
        raise BadRequest(f"A project in an address has at most {MAX_VALUE_CHARS} characters.")
    if month and month_bounds(month) is None:
        raise BadRequest(f"{month!r:.40} is no month: one is written 2026-03.")
    cursor = _CURSOR.fullmatch(before)
    if before and cursor is None:
        raise BadRequest("“before” is no place in the list of sessions.")
    filters = SessionFilters(find_group(groups, project) if project else None, month)
    return filters, SessionCursor(int(cursor[1]), int(cursor[2])) if cursor else None


def _list_url(filters: SessionFilters, **values: str) -> str:
    project = filters.project.value if filters.project else ""
    shown = {name: value for name, value in {"project": project, "month": filters.month, **values}.items() if value}
    return reverse("sessions") + (f"?{urlencode(shown)}" if shown else "")


def _rail(filters: SessionFilters, groups: list[ProjectGroup]) -> dict[str, Any]:
    found = session_facets(settings.DATA_FOLDER, filters, groups)
    project, month = filters.project, filters.month
    projects = [
        (
            group.name,
            group.detail,
            count,
            _list_url(SessionFilters(None if group == project else group, month)),
            group == project,
        )
        for group, count in found.projects
    ]
    months = [
        (
            month_label(name),
            None,
            count,
            _list_url(SessionFilters(project, "" if name == month else name)),
            name == month,
        )
        for name, count in found.months
    ]
    facets = []
    for heading, options in (("Project", projects), ("Month", months)):
        options.sort(key=lambda option: not option[-1])
        shown = OPTIONS_OPEN + (len(options) == OPTIONS_OPEN + 1)  # to fold one alone saves no room
        facets.append((heading, options[:shown], options[shown:]))
    return {
        "facets": facets,
        "chips": _chips(filters),
        "month": month_label(month) if month else "",
        "total": found.total,
        "all_url": reverse("sessions"),
        "first_url": _list_url(filters),
    }


def _chips(filters: SessionFilters) -> list[Chip]:
    """What is chosen, each with the address that takes it away."""
    project, month = filters.project, filters.month
    chips = [Chip(f"Project: {project.name}", _list_url(SessionFilters(None, month)))] if project else []
    return chips + ([Chip(f"Month: {month_label(month)}", _list_url(SessionFilters(project, "")))] if month else [])


@answers_errors
def transcript(request: HttpRequest, session: str) -> HttpResponse:
    """A transcript: a page of it, the hits of words in it, the whole of one block; for htmx a part of these."""
    found = archived_sessions.find(settings.DATA_FOLDER, session)
    try:
        response = _part_of(request, found)
    except TranscriptError as error:
        start = reverse("transcript", args=[found.name])
        ways = [("Open its start", start), ("Open its end", f"{start}?end=1")]
        response = error_page(request, 404, "This place is not in the transcript", str(error), ways)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _part_of(request: HttpRequest, found: ArchivedTranscript) -> HttpResponse:
    """What the address asks of a transcript. Raises TranscriptError for a place that it does not have."""
    query = request.GET
    conversation = indexed(settings.DATA_FOLDER, found)
    words = cleaned(query.get("find", "")).strip()
    wanted = _wanted(query)
    if "whole" in query:
        return _whole(request, found)
    if "requests" in query and conversation is not None:
        return _requests(request, found, conversation)
    if words and wanted == Wanted():
        return _hits(request, found, words)
    return _page(request, found, conversation, wanted, words)


def _wanted(query: QueryDict) -> Wanted:
    line = query.get("line", "")
    if line and not _NUMBER.fullmatch(line):
        raise BadRequest("“line” is not a whole number.")
    return Wanted(int(line or 0), _place(query, "from"), _place(query, "before"), query.get("end") == "1")


def _place(query: QueryDict, name: str) -> Place | None:
    text = query.get(name, "")
    match = _PLACE.fullmatch(text)
    if text and match is None:
        raise BadRequest(f"“{name}” is no place in a transcript.")
    return (int(match[1]), int(match[2])) if match else None


def _head(found: ArchivedTranscript, view: TranscriptView, words: str) -> dict[str, Any]:
    head = transcript_head(settings.DATA_FOLDER, found)
    return {
        "head": head,
        "found": found,
        "words": words,
        "start_url": view.address(),
        "end_url": view.address(end=1),
        "agents": [(stem, reverse("transcript", args=[f"{found.session_id}/{stem}"])) for stem in head.agents],
        "diverged": [(stem, reverse("transcript", args=[f"{found.session_id}/{stem}"])) for stem in head.diverged],
        "main_url": reverse("transcript", args=[found.session_id]),
    }


def _page(
    request: HttpRequest,
    found: ArchivedTranscript,
    conversation: IndexedConversation | None,
    wanted: Wanted,
    words: str,
) -> HttpResponse:
    page = page_of(found, conversation, wanted)
    beside = archived_sessions.beside(settings.DATA_FOLDER, found.session_id)
    view = TranscriptView(found, beside, wanted.line)
    extra = {"find": words} if words else {}
    context: dict[str, Any] = {
        "page": page,
        "lines": view.lines(page),
        "before_url": view.address(before=place_text(page.before), **extra) if page.before else "",
        "after_url": view.address(**{"from": place_text(page.after)}, **extra) if page.after else "",
        "line_url": view.address(line=""),
    }
    if wanted.is_part and _wants_part(request):
        context["only"] = "later" if wanted.begin else "earlier"
        return render(request, "dashboard/_transcript_lines.html", context)
    context |= _head(found, view, words) | {"target": wanted.line}
    if conversation is not None:
        near = around(conversation, wanted.line or max(page.first, 1))
        context |= {"near": near, "outline": near.outline, "repeats": conversation.repeats}
    return render(request, "dashboard/transcript.html", context)


def _requests(request: HttpRequest, found: ArchivedTranscript, conversation: IndexedConversation) -> HttpResponse:
    match = re.fullmatch(r"(before|from)-([0-9]{1,12})", request.GET["requests"], re.ASCII)
    if match is None:
        raise BadRequest("“requests” is no part of the outline.")
    outline = conversation.before(int(match[2])) if match[1] == "before" else conversation.after(int(match[2]))
    context = {"outline": outline, "line_url": TranscriptView(found, []).address(line=""), "only": match[1]}
    return render(request, "dashboard/_transcript_requests.html", context)


def _hits(request: HttpRequest, found: ArchivedTranscript, words: str) -> HttpResponse:
    if len(words) > transcript_find.MAX_CHARS:
        raise BadRequest(f"Find takes {transcript_find.MAX_CHARS} characters at most.")
    begin = _place(request.GET, "after") or line_places.START
    result = transcript_find.find(found, words, begin)
    view = TranscriptView(found, [])
    context = _head(found, view, words) | {
        "hits": [
            (hit, view.address(find=words, line=hit.place[0]) + f"#L{hit.place[0]}", name_of(hit.block, found))
            for hit in result.hits
        ],
        "result": result,
        "begin": begin[0],
        "more_url": view.address(find=words, after=place_text(result.after)) if result.after else "",
        "first_url": view.address(find=words) if begin != line_places.START else "",
    }
    return render(request, "dashboard/transcript_hits.html", context)


def _whole(request: HttpRequest, found: ArchivedTranscript) -> HttpResponse:
    place, part, at = _place(request.GET, "whole"), request.GET.get("part", "0"), request.GET.get("at", "0")
    if place is None or not _NUMBER.fullmatch(part) or not _NUMBER.fullmatch(at):
        raise BadRequest("“whole” is no part of a line.")
    line = transcript_reading.read_line_at(found, place)
    blocks = [block for block in (line.blocks if line else []) if block.index == int(part)]
    text = whole_text(blocks[0]) if blocks else ""
    if not blocks or int(at) > len(text):
        raise TranscriptError(f"Line {place[0]:,} of {found.name} has no such part: it was replaced since.")
    piece = transcript_reading.cut(text[int(at) :], WHOLE_BYTES)
    view, end = TranscriptView(found, []), int(at) + len(piece)
    context = {
        "found": found,
        "who": name_of(blocks[0], found),
        "text": cleaned(piece),
        "first": int(at) + 1,
        "last": end,
        "length": len(text),
        "start_url": view.whole_url(blocks[0]) if int(at) else "",
        "next_url": view.whole_url(blocks[0], end) if end < len(text) else "",
        "line_number": place[0],
        "back_url": view.line_url(place[0]),
    }
    return render(request, "dashboard/transcript_whole.html", context)
