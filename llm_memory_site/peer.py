"""Which user of this machine is at the other end of a connection: the dashboard answers its own user, and root.

On Linux the kernel lists every TCP socket with its owner in /proc/net/tcp and tcp6; the connecting socket is the one
whose own address is our remote one and the other way round. Elsewhere, or where it is not listed, the owner is unknown:
such a connection is let through, and `--token` is what keeps other users out.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from django.core.servers.basehttp import WSGIRequestHandler
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

PEER_UID = "llm_memory.peer_uid"
"""Where a request's environ says who asks: a user id, None where it is unknown; absent where nobody looked."""

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
"""Both for either kind of address: an IPv6 socket that connects to 127.0.0.1 is in the second."""

_TRIES = 2
"""The kernel hands out its table in pieces, and a socket may be missed while others come and go."""

_ROOT = 0
_IPV4_BYTES = 4
_MAPPED = b"\0" * 10 + b"\xff\xff"
"""How an IPv4 address begins as an IPv6 one (RFC 4291, 2.5.5.2)."""

_REFUSAL = (
    "This dashboard belongs to another user of this machine ({owner}).\n"
    "Its user can let you in by starting it with --token and giving you the address that it prints.\n"
)

Address: TypeAlias = tuple[bytes, int]
"""16 bytes, an IPv4 address as a mapped one; and the port."""


def address(host: str, port: int) -> Address:
    """An address as `socket` gives it: 127.0.0.1 or ::1. Raises OSError for what is none."""
    if ":" in host:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        return packed, port
    return _MAPPED + socket.inet_pton(socket.AF_INET, host), port


def listed_address(text: str) -> Address:
    """An address as the tables write it: `0100007F:1F90`, each 32-bit word in this machine's byte order. Raises
    ValueError."""
    words, _, port = text.partition(":")
    packed = b"".join(struct.pack("=I", int(words[start : start + 8], 16)) for start in range(0, len(words), 8))
    return _MAPPED + packed if len(packed) == _IPV4_BYTES else packed, int(port, 16)


def owner_in(lines: list[str], own: Address, remote: Address) -> int | None:
    """The user id of the socket `own` that is connected to `remote`, in a table's lines; None where none is."""
    ends = f":{own[1]:04X}", f":{remote[1]:04X}"
    for line in lines:
        fields = line.split(None, 8)
        if len(fields) <= 7 or not (fields[1].endswith(ends[0]) and fields[2].endswith(ends[1])):  # noqa: PLR2004
            continue
        try:
            if (listed_address(fields[1]), listed_address(fields[2])) == (own, remote):
                return int(fields[7])
        except (ValueError, struct.error):
            continue
    return None


def peer_uid(client: tuple[Any, ...], server: tuple[Any, ...]) -> int | None:
    """Who connected from client to server (addresses as accept() and getsockname() give them); None: unknown."""
    try:
        own, remote = address(client[0], client[1]), address(server[0], server[1])
    except OSError:
        return None
    for _ in range(_TRIES):
        for path in TABLES:
            try:
                with open(path, encoding="ascii") as file:
                    found = owner_in(file.readlines()[1:], own, remote)
            except OSError:
                return None
            if found is not None:
                return found
    return None


def is_let_in(uid: int | None) -> bool:
    """Whether a user may look. Root may read the files anyway, and relays connect as root (Windows to WSL)."""
    return uid is None or uid in {_ROOT, os.geteuid()}


class PeerRequestHandler(WSGIRequestHandler):
    """Says in each request's environ who made its connection; looked up once for a connection: the kernel walks its
    whole table of sockets, which takes it 5 ms where that is large, however few there are."""

    _looked_up = False
    _uid: int | None = None

    def _own_address(self) -> tuple[Any, ...]:
        found: Any = self.connection  # a socket, whatever the stubs have it for
        return tuple(found.getsockname())

    def get_environ(self) -> dict[str, Any]:
        """As Django has it, with PEER_UID."""
        if not self._looked_up:
            self._uid = peer_uid(self.client_address, self._own_address())
            self._looked_up = True
        environ: dict[str, Any] = super().get_environ()
        environ[PEER_UID] = self._uid
        return environ


class OwnUserMiddleware:
    """Refuses (403) what another user of this machine asks for, where the server looked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or refuse before any view sees the request."""
        if is_let_in(request.META.get(PEER_UID)):
            return self.get_response(request)
        from memories.core.permissions import user_name

        text = _REFUSAL.format(owner=user_name(os.geteuid()))
        return HttpResponseForbidden(text, content_type="text/plain; charset=utf-8")
