"""A small MCP client over a real stdio pipe: every read has a deadline, and the server's process ends with it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from memories.core.paths import DataFolder

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 60.0
"""Seconds after which a read gives up. Only a bound: nothing takes so long unless it hangs."""

HANDSHAKE = "2025-11-25"
MODERN = "2026-07-28"
PREAMBLE = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "llm_memory_site.settings"
import django
django.setup()
"""
EPILOGUE = """
from mcp_bridge.server import serve
from memories.core.paths import data_folder
serve(data_folder())
"""
META = "io.modelcontextprotocol/"

Json = dict[str, Any]


class ServerGoneError(AssertionError):
    """The server ended, or said nothing in time."""


class ToolAnswer:
    """What a tools/call gave: text (all text blocks), structured (None for an error), is_error."""

    def __init__(self, result: Json) -> None:
        self.text = "\n".join(block["text"] for block in result["content"])
        self.structured: Json = result.get("structuredContent") or {}
        self.is_error: bool = result.get("isError", False)


class Server:
    """`manage.py mcp` as a child process, used as a context manager."""

    def __init__(
        self,
        folder: DataFolder,
        project: Path,
        *,
        environ: Mapping[str, str] | None = None,
        script: str | None = None,
        isolated: tuple[str, ...] = ("-I",),
    ) -> None:
        """project: CLAUDE_PROJECT_DIR. environ: further variables. script: Python to run before it. isolated: Python's
        own options."""
        home = Path(folder.root).parent / "home"
        home.mkdir(exist_ok=True)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "CLAUDE_PROJECT_DIR": str(project),
            "LLM_MEMORY_HOME": folder.root,
            **(environ or {}),
        }
        argv = [sys.executable, *isolated, str(ROOT / "manage.py"), "mcp"]
        if script is not None:
            argv = [sys.executable, "-I", "-c", PREAMBLE + script + EPILOGUE]
        self._errors = home / f"server-{time.monotonic_ns()}.stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env, cwd=project
            )
        self._last_id = 0
        self._buffer = b""
        self.lines: list[bytes] = []
        self.protocol = HANDSHAKE

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    @property
    def stderr(self) -> str:
        """What the server wrote to stderr so far."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    def send(self, message: Json | bytes) -> None:
        """Write one line: a message, or bytes as they are."""
        assert self.process.stdin is not None
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(data + b"\n")
        self.process.stdin.flush()

    def read(self, deadline: float = DEADLINE) -> Json:
        """The next message. Raises ServerGoneError at the deadline (seconds) or the stream's end."""
        assert self.process.stdout is not None
        until = time.monotonic() + deadline
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise ServerGoneError(f"nothing within {deadline} s; stderr: {self.stderr[-2000:]}")
                chunk = os.read(self.process.stdout.fileno(), 1 << 20)
                if not chunk:
                    raise ServerGoneError(f"the server closed its stdout; stderr: {self.stderr[-2000:]}")
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        self.lines.append(line)
        message: Json = json.loads(line)
        return message

    def begin(self, method: str, params: Json | None = None) -> int:
        """Send a request without waiting for its answer; gives its id."""
        self._last_id += 1
        if self.protocol == MODERN:
            envelope = {
                META + "protocolVersion": MODERN,
                META + "clientInfo": {"name": "test", "version": "1"},
                META + "clientCapabilities": {},
            }
            params = {**(params or {}), "_meta": envelope}
        self.send({"jsonrpc": "2.0", "id": self._last_id, "method": method, **({"params": params} if params else {})})
        return self._last_id

    def answer(self, request: int) -> Json:
        """The response to a request, other messages passed over."""
        while True:
            message = self.read()
            if message.get("id") == request:
                return message

    def request(self, method: str, params: Json | None = None) -> Json:
        """Send a request and give its response: {"result": ...} or {"error": ...}."""
        return self.answer(self.begin(method, params))

    def initialize(self, version: str = HANDSHAKE) -> Json:
        """The handshake; gives its result."""
        response = self.request(
            "initialize",
            {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
        )
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        result: Json = response["result"]
        return result

    def begin_call(self, tool: str, **arguments: Any) -> int:
        """Send a tools/call without waiting for its answer; gives its id."""
        return self.begin("tools/call", {"name": tool, "arguments": arguments})

    def call(self, tool: str, **arguments: Any) -> ToolAnswer:
        """Call a tool, whatever comes of it."""
        return ToolAnswer(self.answer(self.begin_call(tool, **arguments))["result"])

    def ask(self, tool: str, **arguments: Any) -> Json:
        """Call a tool that must succeed; gives its structured content."""
        found = self.call(tool, **arguments)
        assert not found.is_error, found.text
        return found.structured

    def close_stdin(self) -> None:
        """End the input, as a client does that leaves."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def exit_code(self, after: signal.Signals | None = None) -> int:
        """Wait for the server's end, after a signal where one is given. Raises TimeoutExpired at the deadline."""
        if after is not None:
            self.process.send_signal(after)
        return self.process.wait(DEADLINE)
