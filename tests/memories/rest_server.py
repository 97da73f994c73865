"""An HTTP server on loopback that gives prepared answers, for what a real Syncthing cannot be made to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class Asked:
    """url: where it listens; calls: (method and path, API key) of each request so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[tuple[str, str | None]] = []


@contextmanager
def answering(answer: Callable[[str], Answer]) -> Iterator[Asked]:
    """A server until the end of the block; answer gets each request's path with its query."""

    class Handler(BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> Callable[[], None]:
            if name in {"do_GET", "do_POST", "do_PATCH", "do_DELETE"}:
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            asked.calls.append((f"{self.command} {self.path}", self.headers.get("X-API-Key")))
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        asked = Asked(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def always(status: int, body: bytes = b"", **headers: str) -> Callable[[str], Answer]:
    """The same answer to everything."""
    return lambda _: (status, headers, body)
