"""The projects: /p/ and /p/<project>/, with what Claude is told of one: ?saw=startup|resume|compact."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from memories import facets
from memories.brief import brief_of
from memories.markdown import render_markdown
from memories.project_groups import ProjectGroup, find_group
from memories.project_list import project_list
from memories.project_page import nearest, project_detail
from memories.selectors import mirror_connection
from memories.shown_text import shown
from memories.views.errors import answers_errors
from memories.views.memory import transcript_address

SOURCES = ("startup", "resume", "compact")
"""Session starts whose briefing is shown; `clear` gives what startup gives."""


@answers_errors
def projects(request: HttpRequest) -> HttpResponse:
    """Every project, the one last worked on first. Raises BadRequest for an offset that is none."""
    offset = request.GET.get("offset", "0")
    if not re.fullmatch(r"\d{1,6}", offset, re.ASCII):
        raise BadRequest("offset must be a whole number.")
    folder = settings.DATA_FOLDER
    mirror_connection(folder)
    page = project_list(folder, facets.current(folder), int(offset))
    return render(request, "dashboard/projects.html", {"page": page, "offset": int(offset)})


@answers_errors
def project(request: HttpRequest, value: str) -> HttpResponse:
    """One project; for htmx with saw, the briefing alone. 404 with the nearest names for one that does not exist."""
    folder = settings.DATA_FOLDER
    mirror_connection(folder)
    groups = facets.current(folder).groups
    group = find_group(groups, value)
    if group not in groups:
        context = {"value": shown(value), "nearest": nearest(groups, value)}
        return render(request, "dashboard/project_unknown.html", context, status=404)
    saw = request.GET.get("saw", "")
    if saw and saw not in SOURCES:
        raise BadRequest(f"There is no session start {saw!r:.40}; there are {', '.join(SOURCES)}.")
    shown_group: dict[str, Any] = {"group": group, "saw": saw, "sources": SOURCES, "briefing": _briefing(group, saw)}
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    if saw and htmx and not htmx.history_restore_request:
        response = render(request, "dashboard/_saw.html", shown_group)
    else:
        response = render(request, "dashboard/project.html", shown_group | _page(group))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _briefing(group: ProjectGroup, saw: str) -> dict[str, Any] | None:
    """What brief.brief_of gives for the source that is asked for; None where none is."""
    if not saw or group.scope is None:
        return None
    found = brief_of(settings.DATA_FOLDER, group.scope, saw)
    return {**found, "text": shown(found["text"])}


def _page(group: ProjectGroup) -> dict[str, Any]:
    detail = project_detail(settings.DATA_FOLDER, group, datetime.now().astimezone().date())
    told = detail.narrative
    content = render_markdown(told.content, transcript_address(told.cited)) if told else ""
    return {"detail": detail, "content": content}
