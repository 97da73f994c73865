"""What every answer of the dashboard has in common: read-only, for our own pages only, and headers that say so."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotAllowed

from memories.django_connection import read_only_mirror

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # memories do not belong in the browser's disk cache
}
METHODS = ("GET", "HEAD")
_OWN_SITES = {None, "same-origin", "none"}
"""Values of Sec-Fetch-Site (None: not a browser). "same-site" is another port of localhost: another program's page."""


class SecurityHeadersMiddleware:
    """Refuses what could write (405) and what another site's page asks for (403), opens the mirror read-only for what
    answers, and adds HEADERS to every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or refuse before any view sees the request."""
        if request.method not in METHODS:
            response: HttpResponse = HttpResponseNotAllowed(METHODS)
        elif _from_another_site(request):
            response = HttpResponseForbidden("Requests from other sites are refused.", content_type="text/plain")
        else:
            with read_only_mirror():
                response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def _from_another_site(request: HttpRequest) -> bool:
    """Whether another site's page makes the request; a link to us that somebody clicked there does not count."""
    clicked = (
        request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest", "document") == "document"
    )
    return request.headers.get("Sec-Fetch-Site") not in _OWN_SITES and not clicked
