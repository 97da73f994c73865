"""Versions of a release folder: llm-memory-X.Y.Z.tar.gz files, and the SHA256SUMS that names them."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request

from memories.core.errors import UpdateError
from memories.update import addresses
from memories.update.unpack import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

SUMS = "SHA256SUMS"
MAX_SUMS_BYTES = 1_000_000
MAX_TARBALL_BYTES = 100_000_000
SILENT_SECONDS = 20.0
"""Without a byte from the server."""

ASK_SECONDS, FETCH_SECONDS = 60.0, 900.0
"""In all, for the checksums and for a tarball."""

_CHUNK = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64}) [ *](llm-memory-(\d{1,6}\.\d{1,6}\.\d{1,6})\.tar\.gz)")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to what would be asked by itself: https stays https."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Any:
        addresses.check(newurl, addresses.RELEASE)
        if not newurl.lower().startswith(req.type + "://"):
            raise UpdateError(
                f"{addresses.cleaned(req.full_url)} leads to another kind of address: nothing was fetched."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def ask(base: str) -> dict[str, str]:
    """Version -> SHA-256 of its tarball, as a release folder's SHA256SUMS says. Raises UpdateError."""
    text = b"".join(_read(base + SUMS, MAX_SUMS_BYTES, ASK_SECONDS)).decode("ascii", "replace")
    found = {line[3]: line[1] for one in text.splitlines() if (line := _LINE.fullmatch(one.strip()))}
    if not found:
        raise UpdateError(
            f"{addresses.cleaned(base)}{SUMS} names no llm-memory-X.Y.Z.tar.gz: nothing comes without a checksum."
        )
    return found


def fetch(base: str, version: str, checksum: str, into: str) -> str:
    """Download a version's tarball into a folder and unpack it there; the path of the tree.

    checksum: its SHA-256 in hex. Raises UpdateError where it differs, before anything is unpacked.
    """
    name = f"llm-memory-{version}.tar.gz"
    archive = os.path.join(into, name)
    hashed = hashlib.sha256()
    try:
        with open(archive, "xb") as file:
            for chunk in _read(base + name, MAX_TARBALL_BYTES, FETCH_SECONDS):
                hashed.update(chunk)
                file.write(chunk)
    except OSError as error:
        raise _unwritten(name, error) from error
    if hashed.hexdigest() != checksum:
        raise UpdateError(
            f"{name} is not what {SUMS} says (SHA-256 {hashed.hexdigest()}): nothing was unpacked or run."
        )
    try:
        return unpack(archive, into)
    except ValueError as error:
        raise UpdateError(f"{name} is no release: {error}. Nothing of it was run.") from error
    except OSError as error:
        raise _unwritten(name, error) from error


def _unwritten(name: str, error: OSError) -> UpdateError:
    return UpdateError(f"{name} cannot be kept ({error.strerror}): make room and look at the data folder's modes.")


def _read(url: str, limit: int, seconds: float) -> Iterator[bytes]:
    """What an address gives, in pieces. Raises UpdateError, also for more than limit bytes or seconds."""
    addresses.check(url, addresses.RELEASE)
    shown = addresses.cleaned(url)
    opener = urllib.request.build_opener(_SafeRedirects)
    deadline = time.monotonic() + seconds
    request = urllib.request.Request(url, headers={"User-Agent": "llm-memory"})  # noqa: S310 - of checked schemes
    try:
        with opener.open(request, timeout=SILENT_SECONDS) as answer:
            while chunk := answer.read1(min(_CHUNK, limit + 1)):
                limit -= len(chunk)
                if limit < 0 or time.monotonic() > deadline:
                    raise UpdateError(f"{shown} is too large or too slow: it was not taken. Look at the address.")
                yield chunk
    except (OSError, http.client.HTTPException, ValueError) as error:  # of URLError and timeouts the first is a base
        why = getattr(error, "reason", None) or error
        code = f"{error.code} " if isinstance(error, urllib.error.HTTPError) else ""
        raise UpdateError(f"{shown} cannot be read ({code}{why}): check the address and the network.") from error
