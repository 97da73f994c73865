"""One memory: /m/<uuid>/."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from memories.memory_detail import memory_detail
from memories.timeline import Filters, tag_list
from memories.views.errors import answers_errors
from memories.views.filters import address


@answers_errors
def memory(request: HttpRequest, uuid: str) -> HttpResponse:
    """Every field of one record, its text as Markdown, its links both ways, its file as JSON."""
    detail = memory_detail(settings.DATA_FOLDER, uuid)
    context = {
        "detail": detail,
        "tags": tag_list(detail.record.get("tags")),
        "project_url": address(Filters(project=detail.project)),
    }
    return render(request, "dashboard/memory.html", context)
