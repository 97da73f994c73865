"""Our own static files, served by the application: behind its middleware, without a web server or a build step."""

from __future__ import annotations

from django.contrib.staticfiles.views import serve
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def static_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file of STATICFILES_DIRS or of an app; asked for again each time, so that an update shows at once (304s)."""
    response = serve(request, path, insecure=True)
    response.headers["Cache-Control"] = "no-cache"
    return response
