"""`runserver --token`: a secret in front of every address, so that other users of the machine cannot read a page."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

from llm_memory_site.middleware import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TOKEN_BYTES = 24
"""192 random bits: 32 characters of an address."""

_NOTHING = b"Nothing is at this address.\n"


class TokenPrefix:
    """A WSGI application behind a random first segment of the path. All else is 404, static files included.

    The segment becomes SCRIPT_NAME, so that every address that Django builds carries it. It is made anew with each
    start and kept nowhere: no cookie, no file.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._segment = f"k-{secrets.token_urlsafe(TOKEN_BYTES)}"

    @property
    def path(self) -> str:
        """What stands between host and path: /k-<token>."""
        return f"/{self._segment}"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer what carries the token; compared in a time that does not tell how much of it was right."""
        first, _, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if hmac.compare_digest(first.encode("latin-1"), self._segment.encode("latin-1")):  # PEP 3333: bytes as latin-1
            return self._application({**environ, "SCRIPT_NAME": self.path, "PATH_INFO": f"/{rest}"}, start_response)
        headers = {**HEADERS, "Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(_NOTHING))}
        start_response("404 Not Found", list(headers.items()))
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [_NOTHING]
