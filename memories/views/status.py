"""The status page: /status/, and what comes after it or has a page of its own: doctor's checks (/status/checks/), what
Syncthing says (/status/sync/), both sides of merged rules or settings (/status/merged/?one=...&other=...)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from memories import doctor, merged_conflicts
from memories.core.errors import StorageError
from memories.status import status as read_status
from memories.views.errors import answers_errors


@answers_errors
def status(request: HttpRequest) -> HttpResponse:
    """The page; without a usable index too, which it then says."""
    return render(request, "dashboard/status.html", {"status": read_status(settings.DATA_FOLDER)})


@answers_errors
def checks(request: HttpRequest) -> HttpResponse:
    """Doctor's checks that only read: a part of the status page for htmx, a page of their own otherwise."""
    return _part(request, "status_checks.html", {"checks": doctor.run(settings.DATA_FOLDER, read_only=True)})


@answers_errors
def sync_state(request: HttpRequest) -> HttpResponse:
    """What Syncthing says of the other machines; asked after the page, so that one that does not answer delays
    nothing."""
    from memories.syncthing import state

    return _part(request, "status_sync.html", {"sync": state.sync_state(settings.DATA_FOLDER)})


@answers_errors
def merged(request: HttpRequest) -> HttpResponse:
    """Two versions of the rules or the settings from before a merge, line by line."""
    one, other = request.GET.get("one", ""), request.GET.get("other", "")
    if not (merged_conflicts.MERGED_NAME.fullmatch(one) and merged_conflicts.MERGED_NAME.fullmatch(other)):
        raise BadRequest("one and other do not name versions of the rules or the settings.")
    try:
        comparison = merged_conflicts.compare_files(settings.DATA_FOLDER, one, other)
    except StorageError as error:
        raise Http404(str(error)) from error
    context = {"comparison": comparison, "one": one, "other": other, "name": one.partition("-")[2]}
    return render(request, "dashboard/status_merged.html", context)


def _part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """For htmx the part of a page alone, else with a page around it."""
    partial = bool(getattr(request, "htmx", None))
    response = render(request, f"dashboard/{'_' if partial else ''}{template}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response
