"""An MCP server on stdio without a single dependency and without tools, which hands over to the real one.

It answers the handshake and empty lists. When the real server can start, it is given the client's own `initialize`,
every line goes through from then on, and the client is told that the lists have changed: it asks again.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

PROTOCOL = "2025-11-25"
LISTS = ("tools", "resources", "prompts")
POLL_SECONDS = 1.0
_HANDSHAKE = "llm-memory-handover"
_METHOD_NOT_FOUND = -32601
_CHUNK = 1 << 16


class StandIn:
    """What is known of the client's handshake, and the answers to it. text: the server's instructions meanwhile."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.initialize: dict[str, Any] | None = None
        self.initialized = False

    def answer(self, line: bytes) -> dict[str, Any] | None:
        """The answer to one line from the client; None for what needs none."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return None
        method = message.get("method") if isinstance(message, dict) else None
        if method == "notifications/initialized":
            self.initialized = True
        if not isinstance(method, str) or "id" not in message:
            return None
        if method == "initialize":
            self.initialize = message
        answered: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        result = self._result(method, message.get("params"))
        if result is None:
            return {**answered, "error": {"code": _METHOD_NOT_FOUND, "message": self._text}}
        return {**answered, "result": result}

    def _result(self, method: str, params: Any) -> dict[str, Any] | None:
        if method == "initialize":
            asked = params.get("protocolVersion") if isinstance(params, dict) else None
            return {
                "protocolVersion": asked if isinstance(asked, str) else PROTOCOL,
                "capabilities": {name: {"listChanged": True} for name in LISTS},
                "serverInfo": {"name": "llm_memory", "version": "0"},
                "instructions": self._text,
            }
        if method == "ping":
            return {}
        if method == "resources/templates/list":
            return {"resourceTemplates": []}
        kind, _, verb = method.partition("/")
        if verb == "list" and kind in LISTS:
            return {kind: []}
        if method == "tools/call":
            return {"content": [{"type": "text", "text": self._text}], "isError": True}
        return None


def serve(text: str, real: Callable[[], list[str] | None]) -> int:
    """Serve on descriptors 0 and 1 until the client closes its side; the exit code.

    real: gives the real server's command line once it can start, asked every POLL_SECONDS after the handshake.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # the client's way to end it: no traceback, nothing to finish
    stand_in = StandIn(text)
    held = b""
    while True:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if readable:
            chunk = os.read(0, _CHUNK)
            if not chunk:
                return 0
            *lines, held = (held + chunk).split(b"\n")
            for line in lines:
                answer = stand_in.answer(line)
                if answer is not None:
                    _write(1, json.dumps(answer).encode() + b"\n")
        elif stand_in.initialized and (command := real()) is not None:
            return _hand_over(command, stand_in.initialize, held)


def _hand_over(command: list[str], initialize: dict[str, Any] | None, held: bytes) -> int:
    """Start the real server behind this process and pass everything on; its exit code. held: half a line."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None  # noqa: S101 - for mypy: both are pipes
    assert child.stdout is not None  # noqa: S101
    given, taken = child.stdin.fileno(), child.stdout.fileno()
    _write(given, json.dumps({**(initialize or {}), "id": _HANDSHAKE}).encode() + b"\n")
    after = _skip_line(taken)
    _write(given, b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
    for name in LISTS:
        _write(1, json.dumps({"jsonrpc": "2.0", "method": f"notifications/{name}/list_changed"}).encode() + b"\n")
    _write(1, after)
    _write(given, held)
    threading.Thread(target=_pass_on, args=(child.stdin,), daemon=True).start()
    _copy(taken, 1)
    return child.wait()


def _skip_line(source: int) -> bytes:
    """Read past the answer to the handshake; what came behind it."""
    read = b""
    while b"\n" not in read and (chunk := os.read(source, _CHUNK)):
        read += chunk
    return read.partition(b"\n")[2]


def _pass_on(target: IO[bytes]) -> None:
    _copy(0, target.fileno())
    target.close()  # the end of the client's input is the real server's sign to end


def _copy(source: int, target: int) -> None:
    try:
        while chunk := os.read(source, _CHUNK):
            _write(target, chunk)
    except OSError:
        pass  # one side is gone: the other hears of it by its own descriptor


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
