"""A minimal MCP client over stdio, for our own server and for peers'."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

PROTOCOL = "2025-11-25"
SECONDS = 120.0
"""How long an answer may take before the run is given up; only a bound."""


class ServerError(RuntimeError):
    """The server ended, said nothing in time, or answered a call with an error."""


class McpClient:
    """An MCP server as a child process, initialised; a context manager that ends it."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        """command runs with this environment in folder. Raises ServerError, OSError."""
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, cwd=folder
        )
        self._buffer = b""
        self._last_id = 0
        client = {"name": "bench", "version": "1"}
        try:
            self.request("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client})
            self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        except ServerError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def __enter__(self) -> McpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    def call(self, tool: str, **arguments: Any) -> tuple[dict[str, Any], str]:
        """Call a tool: (structured content, {} where there is none; text). Raises ServerError for a tool's error."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments})
        text = "\n".join(str(block.get("text", "")) for block in result.get("content", []))
        if result.get("isError"):
            raise ServerError(f"{tool}: {text}")
        return result.get("structuredContent") or {}, text

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and give its result. Raises ServerError."""
        self._last_id += 1
        self._send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == self._last_id and "method" not in message:
                if "error" in message:
                    raise ServerError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ServerError(f"{self._process.args!r} has ended") from error

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        until = time.monotonic() + SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                ready = selector.select(max(0.0, until - time.monotonic()))
                chunk = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
                if not chunk:
                    raise ServerError(f"{self._process.args!r} {'closed its output' if ready else 'hangs'}")
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message
