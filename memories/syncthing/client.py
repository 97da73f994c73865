"""Syncthing's REST API (https://docs.syncthing.net/dev/rest) over the standard library.

Neither proxies nor redirects are followed: the API key goes to the address that was named and nowhere else.
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from memories.core.errors import SyncthingError

TIMEOUT_SECONDS = 10.0
ANSWER_LIMIT = 50_000_000
"""Bytes: the configuration of thousands of folders has less."""


_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?/?"
)


GIVE_KEY = "give its own (Actions > Settings > General): `llm-memory sync-setup --api-key KEY`"
"""What to do about an API key."""

HOW_TO_START = (
    "start Syncthing (`systemctl --user start syncthing`, macOS `brew services start syncthing`, or `syncthing`)"
)


class UnreachedError(SyncthingError):
    """Syncthing cannot be asked. what: why; todo: the next step, for whichever command has asked; neither ends with a
    full stop."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}. {todo[:1].upper()}{todo[1:]}.")
        self.what = what
        self.todo = todo


class NotAnsweringError(UnreachedError):
    """Nothing answers at the address."""


class NotSyncthingError(UnreachedError):
    """Something else answers at the address. url: the address."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"What answers at {url} is not Syncthing", "give its address: `llm-memory sync-setup --url URL`"
        )


class RefusedKeyError(UnreachedError):
    """Syncthing does not accept the API key."""


class NotThereError(SyncthingError):
    """Syncthing answers that it has no such thing (404)."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def path(*words: str, **query: str) -> str:
    """A path below /rest, every word and value quoted: path("config", "a/b") -> /rest/config/a%2Fb."""
    text = "/rest/" + "/".join(quote(word, safe="") for word in words)
    return text + ("?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items()) if query else "")


class Client:
    """One Syncthing. url: http or https, host and port; certificate: a PEM file, the one that an HTTPS API must show.

    Every call raises SyncthingError (NotAnsweringError, NotThereError) with the next step.
    """

    def __init__(
        self, url: str, api_key: str, *, certificate: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        found = _ADDRESS.fullmatch(url)
        if not found or int(found[1] or 1) >= 1 << 16:
            what = (
                f"{url!r} is not the address of an API" if url else "Syncthing's API is switched off or on no TCP port"
            )
            raise UnreachedError(what, "give its address: `llm-memory sync-setup --url http://127.0.0.1:8384`")
        if not api_key or not re.fullmatch(r"[!-~]+", api_key):
            raise UnreachedError("No usable API key is known", GIVE_KEY)
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._api_key = api_key
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoRedirect()]
        if self.url.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=_context(certificate)))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str) -> Any:
        """The parsed answer of a GET."""
        return self._call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """POST JSON; the parsed answer, None where there is none."""
        return self._call("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """PATCH JSON: what it names replaces what was there."""
        return self._call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-API-Key": self._api_key, "Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - checked above
            with self._opener.open(request, timeout=self.timeout) as answer:
                text = answer.read(ANSWER_LIMIT + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error, method, path) from error
        except (OSError, HTTPException, ValueError) as error:  # ValueError: a host that is no IPv6 address after all
            raise self._not_answering(error) from error
        return self._parsed(text)

    def _parsed(self, text: bytes) -> Any:
        if not text.strip():
            return None
        try:
            if len(text) <= ANSWER_LIMIT:
                return json.loads(text)
        except (ValueError, RecursionError):
            pass
        raise NotSyncthingError(self.url)

    def _refused(self, error: urllib.error.HTTPError, method: str, path: str) -> SyncthingError:
        if error.code in {401, 403}:
            return RefusedKeyError(f"Syncthing at {self.url} does not accept the API key", GIVE_KEY)
        if error.code == 404:  # noqa: PLR2004
            return NotThereError(f"Syncthing at {self.url} knows no {path}.")
        if 300 <= error.code < 400:  # noqa: PLR2004
            todo = "where its API uses HTTPS, give that address: `llm-memory sync-setup --url https://...`"
            return UnreachedError(f"Syncthing at {self.url} sends us elsewhere", todo)
        try:
            said = " ".join(error.read(300).decode("utf-8", "replace").split())
        except (OSError, HTTPException):
            said = ""
        return SyncthingError(f"Syncthing refused {method} {path}: {said or error.reason} ({error.code}).")

    def _not_answering(self, error: Exception) -> SyncthingError:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return UnreachedError(
                f"The certificate that {self.url} shows is not the one in Syncthing's folder",
                "give the API's address (`llm-memory sync-setup --url http://...`), or name the folder of its "
                "config.xml with STHOMEDIR",
            )
        if isinstance(reason, ssl.SSLError):
            what = f"{self.url} does not speak HTTPS ({reason})"
            return UnreachedError(what, "give its address: `llm-memory sync-setup --url http://...`")
        return NotAnsweringError(f"Syncthing does not answer at {self.url} ({reason})", HOW_TO_START)


def _context(certificate: str | None) -> ssl.SSLContext:
    """Trusts exactly the certificate beside config.xml; without one, the machine's authorities."""
    if certificate is None:
        return ssl.create_default_context()
    try:
        context = ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise UnreachedError(
            f"Syncthing's API uses HTTPS, and {certificate} cannot be read ({error.strerror or error})",
            "run this as the user that Syncthing runs as, or give the API's address (`llm-memory sync-setup --url "
            "http://...`)",
        ) from error
    context.check_hostname = False  # the certificate names the machine, not 127.0.0.1; it is that one or none
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python 3.13 sets it; a self-signed one is no authority
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
