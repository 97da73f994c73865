"""One memory: /m/<uuid>/; what changed in it: ?compare=<uuid>&view=side|inline&entries=1; its file: ?raw=1."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from memories import facets
from memories.core.records import is_uuid
from memories.markdown import CitationAddress, render_markdown
from memories.memory_detail import memory_detail, raw_record
from memories.timeline import tag_list
from memories.versions import entry_changes, version_changes
from memories.views.errors import answers_errors

VIEWS = ("side", "inline")


@answers_errors
def memory(request: HttpRequest, uuid: str) -> HttpResponse:
    """Every field of one record, its text as Markdown, its links both ways, its versions, its file as JSON."""
    folder = settings.DATA_FOLDER
    if request.GET.get("raw") == "1":
        return HttpResponse(raw_record(folder, uuid), content_type="text/plain; charset=utf-8")
    if "compare" in request.GET:
        return _changes(request, uuid)
    detail = memory_detail(folder, uuid, facets.current(folder).groups)
    context = {
        "detail": detail,
        "content": render_markdown(detail.record["content"], transcript_address(detail.cited)),
        "tags": tag_list(detail.record.get("tags")),
    }
    return render(request, "dashboard/memory.html", context)


def _changes(request: HttpRequest, uuid: str) -> HttpResponse:
    """What changed between two versions; with entries=1 also of their entries, for htmx of those alone."""
    folder = settings.DATA_FOLDER
    other, view = request.GET["compare"], request.GET.get("view", VIEWS[0])
    if not is_uuid(other):
        raise BadRequest("compare does not name a memory.")
    if view not in VIEWS:
        raise BadRequest(f"There is no view {view!r:.40}; there are {' and '.join(VIEWS)}.")
    context: dict[str, Any] = {"view": view, "uuid": uuid, "other": other}
    if request.GET.get("entries") == "1":
        context["entries"] = entry_changes(folder, uuid, other)
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    if "entries" in context and htmx and not htmx.history_restore_request:
        response = render(request, "dashboard/_changed_entries.html", context)
    else:
        context["found"] = version_changes(folder, uuid, other)
        response = render(request, "dashboard/memory_changes.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def transcript_address(cited: dict[str, str]) -> CitationAddress:
    """Addresses of cited lines in the reader. cited: session as a citation names it -> the transcript's name."""

    def address(session: str, line: int) -> str | None:
        name = cited.get(session)
        return f"{reverse('transcript', args=[name])}?line={line}#L{line}" if name else None

    return address
