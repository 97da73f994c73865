"""The status page: /status/, and doctor's checks for it: /status/checks/."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from memories import doctor
from memories.status import status as read_status
from memories.views.errors import answers_errors


@answers_errors
def status(request: HttpRequest) -> HttpResponse:
    """The page; without a usable index too, which it then says."""
    return render(request, "dashboard/status.html", {"status": read_status(settings.DATA_FOLDER)})


@answers_errors
def checks(request: HttpRequest) -> HttpResponse:
    """Doctor's checks that only read: a part of the status page for htmx, a page of their own otherwise."""
    partial = bool(getattr(request, "htmx", None))
    template = "dashboard/_status_checks.html" if partial else "dashboard/status_checks.html"
    response = render(request, template, {"checks": doctor.run(settings.DATA_FOLDER, read_only=True)})
    patch_vary_headers(response, ["HX-Request"])
    return response
