"""A scripted model: the Anthropic Messages API on loopback, as far as the claude CLI uses it.

A script is a list of turns for the main conversation, or a dict of such lists by request kind ("main", "subagent",
"compact", "side"). A turn is a text, or a dict: {"text": ..., "tool": name, "input": {...}, "usage": {...},
"delay": seconds, "until": an Event to wait for, "status": 529, "error": "overloaded"}. Turns are used up in order, one
per request of that kind; when none is left the kind's default text is answered.
"""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.e2e.wire import classify

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

DEFAULTS = {
    "main": "OK.",
    "subagent": "Subagent finished.",
    "compact": "<analysis>scripted</analysis>\n<summary>SCRIPTED COMPACT SUMMARY</summary>",
    "side": '{"title": "Scripted title", "isNewTopic": true}',
}
WAIT_SECONDS = 60.0
"""How long `wait_for` waits for a request: a client start on a busy machine takes a few seconds."""


@dataclass(frozen=True)
class Request:
    """One request as it came; kind is None when it is not one for an answer of the model."""

    kind: str | None
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def session_id(self) -> str:
        """The session that sent it."""
        return self.headers["x-claude-code-session-id"]


class FakeAnthropic:
    """Plays a script to whoever connects to the listening socket it is given, and keeps every request.

    A context manager: serves from `__enter__` to `__exit__`, which closes the socket.
    """

    def __init__(self, script: Sequence[Any] | Mapping[str, Sequence[Any]], listener: socket.socket) -> None:
        by_kind = script if isinstance(script, dict) else {"main": script}
        self._script = {kind: list(turns) for kind, turns in by_kind.items()}
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._arrived = threading.Condition()
        self._ids = itertools.count(1)
        handler = type("Handler", (_Handler,), {"api": self})
        self._httpd = ThreadingHTTPServer(listener.getsockname(), handler, bind_and_activate=False)
        self._httpd.socket.close()
        self._httpd.socket = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.05,))

    def __enter__(self) -> FakeAnthropic:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.closing.set()
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()

    def of_kind(self, kind: str) -> list[Request]:
        """The requests of one kind, oldest first."""
        return [request for request in self.requests if request.kind == kind]

    def wait_for(self, kind: str, count: int) -> Request:
        """Wait until `count` requests of a kind have come; the last of them. Raises TimeoutError after a minute."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.of_kind(kind)) >= count, WAIT_SECONDS):
                raise TimeoutError(f"{len(self.of_kind(kind))} of {count} {kind} requests came in {WAIT_SECONDS} s")
        return self.of_kind(kind)[count - 1]

    def keep(self, request: Request) -> None:
        """Note a request and wake who waits for it."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()

    def take(self, kind: str) -> dict[str, Any]:
        """The next scripted turn of a kind, or its default, as a dict."""
        with self._arrived:
            turns = self._script.get(kind)
            turn = turns.pop(0) if turns else DEFAULTS[kind]
        return {"text": turn} if isinstance(turn, str) else dict(turn)

    def next_id(self, prefix: str) -> str:
        """A fresh id in the API's style."""
        return f"{prefix}_fake{next(self._ids):08d}"

    def message(self, turn: Mapping[str, Any], model: str) -> dict[str, Any]:
        """The finished assistant message for a turn."""
        content: list[dict[str, Any]] = []
        if turn.get("text"):
            content.append({"type": "text", "text": turn["text"]})
        if turn.get("tool"):
            call = {"id": self.next_id("toolu"), "name": turn["tool"], "input": turn.get("input", {})}
            content.append({"type": "tool_use", **call})
        usage = {
            "input_tokens": 1000,
            "output_tokens": 20,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            **turn.get("usage", {}),
        }
        return {
            "id": self.next_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": "tool_use" if turn.get("tool") else "end_turn",
            "stop_sequence": None,
            "usage": usage,
        }


def sse_events(message: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The streaming events that spell out a finished message, as (name, data without its type)."""
    opening_usage = {**message["usage"], "output_tokens": 1}
    yield "message_start", {"message": {**message, "content": [], "stop_reason": None, "usage": opening_usage}}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            opening, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            opening = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_start", {"index": index, "content_block": opening}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": ending, "usage": message["usage"]}
    yield "message_stop", {}


class _Handler(BaseHTTPRequestHandler):
    api: FakeAnthropic
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test output free of access lines."""

    def _answer(self, status: int, payload: dict[str, Any]) -> None:
        data = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("request-id", self.api.next_id("req"))
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, message: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("request-id", self.api.next_id("req"))
        self.send_header("connection", "close")
        self.end_headers()
        for name, data in sse_events(message):
            self.wfile.write(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def _play(self, request: Request, kind: str) -> None:
        turn = self.api.take(kind)
        self.api.keep(request)
        self.api.closing.wait(turn.get("delay", 0))
        if "until" in turn:
            turn["until"].wait(WAIT_SECONDS)
        if turn.get("status"):
            error = {"type": "api_error", "message": turn.get("error", "scripted error")}
            self._answer(turn["status"], {"type": "error", "error": error})
            return
        message = self.api.message(turn, request.body["model"])
        if request.body.get("stream"):
            self._stream(message)
        else:
            self._answer(200, message)

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(raw) if raw else {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        kind = classify(headers, body) if path == "/v1/messages" else None
        request = Request(kind, path, headers, body)
        try:
            if kind is not None:
                self._play(request, kind)
                return
            self.api.keep(request)
            # count_tokens is asked for large tool output only; a quarter of the bytes is what the client assumes too.
            self._answer(200, {"input_tokens": len(raw) // 4} if path.endswith("/count_tokens") else {})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was stopped in the middle: some tests do just that

    do_GET = do_POST = do_HEAD = _handle  # noqa: N815 - the base class looks for these names
