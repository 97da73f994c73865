"""`llm-memory runserver [port|address:port]`: the dashboard, on this machine only."""

from __future__ import annotations

import errno
import logging
import re
import signal
import socket
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application
from tqdm import tqdm

from llm_memory_site.browser import opened
from llm_memory_site.peer import PeerRequestHandler
from llm_memory_site.token import TokenPrefix
from memories.core.paths import check_private
from memories.management.refresher import Refresher

DEFAULT_PORT = 8765
HOSTS = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "[::1]": "::1"}
"""What may be named, and the address that is bound: the same names as in settings.ALLOWED_HOSTS."""

PORTS_TO_TRY = 50
LAST_PORT = 65535
FIRST_UPDATE_SECONDS = 3.0
"""How long the start waits for the index; one that takes longer is built while the pages say so."""


class DashboardServer(ThreadedWSGIServer):
    """A thread for each request; the threads end with the process.

    is_ending: the process is about to end. A request that this cuts short is no fault to be told of.
    """

    is_ending = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong with a request, unless it was cut short by the end."""
        if not self.is_ending:
            super().handle_error(request, client_address)


class Command(BaseCommand):
    """Serves the dashboard until it is stopped. Replaces Django's development server: no reloader, loopback only."""

    help = "Show the dashboard at http://127.0.0.1:8765/ (read-only, this machine only) until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One optional argument and two switches; -v 2 prints every request."""
        parser.add_argument("addrport", nargs="?", default=str(DEFAULT_PORT), help="port, or loopback address:port")
        parser.add_argument(
            "--token",
            action="store_true",
            help="answer only below a random path, so that other users of this machine cannot read it",
        )
        parser.add_argument("--open", action="store_true", help="open it in the browser, where there is one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bind, bring the index up to date, print the address, serve. Raises StorageError for a data folder that is not
        this user's alone."""
        check_private(settings.DATA_FOLDER)
        host, port = parse_address(options["addrport"])
        if options["verbosity"] < 2:  # noqa: PLR2004 - Django's number for "verbose"
            _print_no_requests()
        server = bind(host, port, WSGIRequestHandler if options["token"] else PeerRequestHandler)
        application = get_internal_wsgi_application()
        guarded = TokenPrefix(application) if options["token"] else None
        server.set_app(guarded or application)
        address = f"http://{host}:{server.server_port}{guarded.path if guarded else ''}/"
        try:
            self._serve(server, address, options["open"], secret=guarded is not None)
        except KeyboardInterrupt:
            self.stdout.write("")

    def _serve(self, server: DashboardServer, address: str, show: bool, *, secret: bool) -> None:
        """Serve until a signal. Nothing of it stays: no thread, no temp file, no connection to the index."""
        refresher = Refresher(settings.DATA_FOLDER, self.stderr.write)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
                signal.signal(number, _end)
        try:
            refresher.start(FIRST_UPDATE_SECONDS)
            with tqdm.external_write_mode():  # a progress bar may stand on the line
                self.stdout.write(f"LLM Memory is at {address}  (Ctrl-C stops it)")
                self.stdout.flush()
            with opened(address, secret=secret) if show else nullcontext():
                server.serve_forever()
        finally:
            server.is_ending = True
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the tidying short
            server.server_close()
            refresher.stop()


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - a signal handler's signature
    """SIGTERM and SIGHUP (the terminal was closed) end it as Ctrl-C does; raises SystemExit."""
    raise SystemExit(0)


def _print_no_requests() -> None:
    """Neither what was asked nor what was refused: the browser shows it."""
    for name in ("django.server", "django.security"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("django.request").setLevel(logging.ERROR)


def parse_address(text: str) -> tuple[str, int]:
    """(a key of HOSTS, port) of `port` or `address:port`; port 0 lets the system choose. Raises CommandError."""
    found = re.fullmatch(r"(?:(.+):)?(\d{1,5})", text, re.ASCII)
    if found is None or int(found[2]) > LAST_PORT:
        raise CommandError(f"{text!r} is not a port or address:port; for example: llm-memory dashboard {DEFAULT_PORT}")
    host = found[1] or "127.0.0.1"
    if host not in HOSTS:
        raise CommandError(
            f"The dashboard is for this machine only: {host} is refused, use one of {', '.join(HOSTS)} instead."
        )
    return host, int(found[2])


def bind(host: str, port: int, handler: type[WSGIRequestHandler] = PeerRequestHandler) -> DashboardServer:
    """A server that listens on one of HOSTS. Raises CommandError; a taken port gets a free one named.

    handler: PeerRequestHandler answers this user alone; behind a token, whoever has it is meant to be answered.
    """
    address = HOSTS[host]
    try:
        server = DashboardServer((address, port), handler, ipv6=":" in address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = next_free_port(address, port)
            named = free if host == "127.0.0.1" else f"'{host}:{free}'"  # a shell would read the brackets as a pattern
            raise CommandError(f"Port {port} is in use. {free} is free: llm-memory dashboard {named}") from None
        raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror}. Choose another.") from None
    return server


def next_free_port(address: str, port: int) -> int:
    """The first port above that nobody listens on, among PORTS_TO_TRY; else one that the system chooses.

    Raises CommandError where no port is free.
    """
    for candidate in [*range(port + 1, min(port + 1 + PORTS_TO_TRY, LAST_PORT + 1)), 0]:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, candidate))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise CommandError("No port is free on this machine: end a program that listens.")
