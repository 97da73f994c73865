"""`llm-memory runserver [port|address:port]`: the dashboard, on this machine only."""

from __future__ import annotations

import errno
import logging
import re
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application

from memories.core import mirror
from memories.core.errors import LockTimeoutError, StorageError

DEFAULT_PORT = 8765
HOSTS = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "[::1]": "::1"}
"""What may be named, and the address that is bound: the same names as in settings.ALLOWED_HOSTS."""

PORTS_TO_TRY = 50
LAST_PORT = 65535
_WAIT_SECONDS = 2.0


class Command(BaseCommand):
    """Serves the dashboard until Ctrl-C. Replaces Django's development server: no reloader, loopback only."""

    help = "Show the dashboard at http://127.0.0.1:8765/ (read-only, this machine only) until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One optional argument; -v 2 prints every request."""
        parser.add_argument("addrport", nargs="?", default=str(DEFAULT_PORT), help="port, or loopback address:port")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the index up to date, bind, print the address, serve."""
        host, port = parse_address(options["addrport"])
        if options["verbosity"] < 2:  # noqa: PLR2004 - Django's number for "verbose"
            for name in (
                "django.server",
                "django.security",
            ):  # what was asked and what was refused: the browser shows it
                logging.getLogger(name).setLevel(logging.CRITICAL)
            logging.getLogger("django.request").setLevel(logging.ERROR)
        self._refresh_mirror()
        server = bind(HOSTS[host], port)
        server.set_app(get_internal_wsgi_application())
        self.stdout.write(f"LLM Memory is at http://{host}:{server.server_port}/  (Ctrl-C stops it)")
        self.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            server.server_close()

    def _refresh_mirror(self) -> None:
        """A dashboard that shows the last index is better than none: what keeps it from being fresh is only said."""
        try:
            mirror.update(settings.DATA_FOLDER, wait_seconds=_WAIT_SECONDS)
        except (LockTimeoutError, StorageError) as error:
            self.stderr.write(f"The newest memories may be missing: {error}")


def parse_address(text: str) -> tuple[str, int]:
    """(a key of HOSTS, port) of `port` or `address:port`; port 0 lets the system choose. Raises CommandError."""
    found = re.fullmatch(r"(?:(.+):)?(\d{1,5})", text, re.ASCII)
    if found is None or int(found[2]) > LAST_PORT:
        raise CommandError(f"{text!r} is not a port or address:port; for example: llm-memory runserver {DEFAULT_PORT}")
    host = found[1] or "127.0.0.1"
    if host not in HOSTS:
        raise CommandError(
            f"The dashboard is for this machine only: {host} is refused, use one of {', '.join(HOSTS)} instead."
        )
    return host, int(found[2])


def bind(address: str, port: int) -> ThreadedWSGIServer:
    """A server that listens on a loopback address. Raises CommandError; a taken port gets the next free one named."""
    try:
        server = ThreadedWSGIServer((address, port), WSGIRequestHandler, ipv6=":" in address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = next_free_port(address, port)
            hint = f" {free} is free: llm-memory runserver {free}" if free else ""
            raise CommandError(f"Port {port} is in use.{hint}") from None
        raise CommandError(f"Cannot listen on {address} port {port}: {error.strerror}. Choose another.") from None
    return server


def next_free_port(address: str, port: int) -> int | None:
    """The first port above that nobody listens on, among PORTS_TO_TRY; None when there is none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in range(port + 1, min(port + 1 + PORTS_TO_TRY, LAST_PORT + 1)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, candidate))
            except OSError:
                continue
            return candidate
    return None
