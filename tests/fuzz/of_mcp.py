"""Target: lines on the MCP server's stdin, with the real tools on a throwaway data folder."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.stdio import stdio_server

from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured
from tests.fuzz.home import SESSION, FuzzHome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp_bridge.server import MemoryServer

LAST = "the-last-one"
"""Id of the ping that is sent behind the input: its answer proves that the server is alive and in order."""

SECONDS = 60
_METHODS = (
    "initialize", "ping", "tools/list", "tools/call", "tools/call", "resources/list", "prompts/list", "prompts/get",
    "logging/setLevel", "completion/complete", "server/discover", "notifications/initialized",
    "notifications/cancelled", "notifications/progress", "resources/read", "resources/templates/list", "prompts/get",
    "resources/read", "completion/complete", "roots/list", "notifications/roots/list_changed", "unheard/of", "",
)  # fmt: skip
_TOOLS = (
    "memory_store", "memory_search", "memory_recent", "memory_get", "memory_connect", "memory_explore",
    "memory_delete", "narrative_coverage", "transcript_read", "memory_brief", "unheard_of",
)  # fmt: skip
_ARGUMENTS = (
    "content", "type", "project", "session_id", "importance", "transcript_ref", "tags", "connections",
    "accept_losses", "query", "limit", "scope", "since", "until", "include_archived", "offset", "uuid", "depth",
    "from_uuid", "to_uuid", "relationship", "line", "around", "cursor", "max_tokens", "source",
)  # fmt: skip
_WORDS = (
    "note", "narrative", "a" * 32, "../../x", "2026-03", "all", "transcripts", "supersedes", "startup", SESSION,
    "1:0", "x", "# Orders\n## Decisions\n- Use postgres",
)  # fmt: skip
_REFERENCES = (
    {"type": "ref/prompt", "name": "recall"}, {"type": "ref/prompt", "name": "narrative"},
    {"type": "ref/resource", "uri": "memory://{uuid}"}, {"type": "ref/resource", "uri": "narrative://{project}"},
)  # fmt: skip
_VERSIONS = ("2025-11-25", "2024-11-05", "2026-07-28", "1999-01-01", "")
_made: dict[str, MemoryServer] = {}


class _Lines:
    """stdin of a server: the lines, and an end once the last one is answered."""

    def __init__(self, data: bytes, answered: anyio.Event) -> None:
        from mcp_bridge.server import MendedInput

        self._lines = MendedInput(io.BytesIO(data), encoding="utf-8", errors="replace")
        self._answered = answered

    async def __aiter__(self) -> AsyncIterator[str]:
        while line := self._lines.readline():
            yield line
        await self._answered.wait()


class _Answers:
    """stdout of a server."""

    def __init__(self, answered: anyio.Event) -> None:
        self.messages: list[Any] = []
        self._answered = answered

    async def write(self, text: str) -> None:
        assert text.count("\n") == 1
        message = json.loads(text)
        self.messages.append(message)
        if isinstance(message, dict) and message.get("id") == LAST:
            self._answered.set()

    async def flush(self) -> None:
        pass


def mcp_lines(data: bytes) -> None:
    """JSON-RPC lines: the server answers or reports each, and a request that follows is answered as ever."""
    text = b"\n".join(_messages(Draw(data[1:]))) if is_structured(data) else data
    handshake = [
        _request(0, "initialize", _hello(_VERSIONS[0])),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    head = b"".join(json.dumps(one).encode() + b"\n" for one in handshake) if data[-1:] != b"!" else b""
    last = json.dumps(_request(LAST, "ping", {"_meta": _META})).encode()
    home = homes.home("mcp")
    logging.disable()
    with home.environment(), home.guarded(), _served(home):
        found = anyio.run(_talk, _server(home), head + text + b"\n" + last + b"\n")
    logging.disable(logging.NOTSET)
    for message in found:
        assert message["jsonrpc"] == "2.0"
        assert "method" in message or ("result" in message) != ("error" in message), message
        shown = json.dumps(message)
        assert "Traceback" not in shown
        assert "Unexpected " not in shown, message


def _request(id_: Any, method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def _hello(version: str) -> dict[str, Any]:
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "1"}}


_META = {
    "io.modelcontextprotocol/protocolVersion": _VERSIONS[0],
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def _messages(draw: Draw) -> Iterator[bytes]:
    for number in range(1, 1 + draw.below(5)):
        method = draw.one_of(_METHODS)
        params: Any = draw.value(
            ("name", "arguments", "_meta", "uri", "level", "requestId", "cursor"), (*_TOOLS, *_WORDS)
        )
        if method == "tools/call" and draw.below(8):
            usual = {"content": draw.text(_WORDS), "type": "note", "query": draw.text(_WORDS), "uuid": "a" * 32}
            chosen = {name: usual[name] for name in usual if draw.below(2)}
            more = {draw.one_of(_ARGUMENTS): draw.value(_ARGUMENTS, _WORDS) for _ in range(draw.below(4))}
            params = {"name": draw.one_of(_TOOLS), "arguments": {**chosen, **more}}
        elif draw.below(8):
            params = _usual(draw, method, params)
        message: Any = {"jsonrpc": "2.0", "method": method, "params": params}
        if draw.below(6):
            message["id"] = draw.one_of((number, number, str(number), 0, -1, 1.5, "", None))
        if draw.below(12) == 11:
            message[draw.one_of(("jsonrpc", "result", "error", "id"))] = draw.value(("code", "message"), _WORDS)
        if draw.below(12) == 11:
            message = [message, message]
        yield json.dumps(message, ensure_ascii=draw.below(2) == 0).encode("utf-8", "surrogatepass").replace(b"\n", b"")


def _usual(draw: Draw, method: str, otherwise: Any) -> Any:
    """Parameters of a method's own shape, where it has one, with odd values."""
    word = draw.text(_WORDS)
    if method == "initialize":
        return _hello(draw.one_of(_VERSIONS))
    if method == "resources/read":
        return {"uri": draw.one_of(("memory://", "narrative://", "")) + word}
    if method == "prompts/get":
        arguments = {draw.one_of(("topic", "what", "project")): draw.value(_ARGUMENTS, _WORDS)}
        return {"name": draw.one_of(("recall", "remember", "narrative")), "arguments": arguments}
    if method == "completion/complete":
        argument = {"name": draw.one_of(("topic", "project", "uuid")), "value": word}
        return {"ref": draw.one_of(_REFERENCES), "argument": argument}
    return otherwise


async def _talk(server: MemoryServer, data: bytes) -> list[Any]:
    answered = anyio.Event()
    answers = _Answers(answered)
    with anyio.fail_after(SECONDS):
        async with stdio_server(stdin=_Lines(data, answered), stdout=answers) as (read, write):  # type: ignore[arg-type]
            lowlevel = server._lowlevel_server
            await lowlevel.run(read, write, lowlevel.create_initialization_options())
    assert answered.is_set(), "the server ended before the last request was answered"
    return answers.messages


def _server(home: FuzzHome) -> MemoryServer:
    """The server on a home's data folder, made once, its first update done."""
    from mcp_bridge.context import BackgroundSync
    from mcp_bridge.server import build_server

    if home.path not in _made:
        sync = BackgroundSync(home.folder)
        sync.start()
        sync.wait(SECONDS)
        sync.wait_for_conversations()
        _made[home.path] = build_server(home.folder, sync)
    return _made[home.path]


@contextmanager
def _served(home: FuzzHome) -> Iterator[None]:
    """Django's connection on a home's mirror."""
    from urllib.parse import quote

    from django.conf import settings
    from django.db import connection

    before, folder = connection.settings_dict["NAME"], settings.DATA_FOLDER
    connection.close()
    connection.settings_dict["NAME"] = f"file:{quote(home.folder.mirror)}?mode=rw"
    settings.DATA_FOLDER = home.folder
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"], settings.DATA_FOLDER = before, folder
