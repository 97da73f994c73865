"""Where a client works that does not say so by CLAUDE_PROJECT_DIR: the folders it names when it is asked for its roots.

Claude Code says so, and is never asked. Others may start the server in the home folder, or wherever they were started.
"""

from __future__ import annotations

import logging
import os
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import ClientCapabilities, ListRootsRequest, ListRootsResult, RootsCapability
from pydantic import ValidationError

ANSWER_SECONDS = 2.0
"""How long the first call waits for the client's roots; without an answer the server's own folder counts."""

PROJECT_MATTERS = frozenset({"tools/call", "resources/list", "resources/read", "completion/complete"})
CHANGED = "notifications/roots/list_changed"

logger = logging.getLogger(__name__)


class Roots:
    """The client's folders. folders: absolute paths, in the client's order; empty where none are known."""

    def __init__(self) -> None:
        self.folders: list[str] = []
        self._known = False
        self._asking = anyio.Lock()

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Middleware: ask before the first call for which the project matters, and after they changed."""
        if ctx.method == CHANGED:
            self._known = False
        elif ctx.method in PROJECT_MATTERS and not self._known:
            async with self._asking:
                if not self._known:
                    self.folders = await _ask(ctx)
                    self._known = True
        return await call_next(ctx)


async def _ask(ctx: ServerRequestContext[Any, Any]) -> list[str]:
    session = ctx.session
    declared = session.check_client_capability(ClientCapabilities(roots=RootsCapability()))
    if os.environ.get("CLAUDE_PROJECT_DIR") or not declared:
        return []
    try:
        answer = await session.send_request(
            ListRootsRequest(), ListRootsResult, request_read_timeout_seconds=ANSWER_SECONDS
        )
    except (MCPError, ValidationError) as error:
        logger.info("The client did not tell its roots: %s", error)
        return []
    return [folder for root in answer.roots if (folder := _folder(str(root.uri)))]


def _folder(uri: str) -> str:
    """The folder of a file: URI on this machine; "" for any other."""
    parts = urlsplit(uri)
    folder = unquote(parts.path)
    return folder if parts.scheme == "file" and os.path.isabs(folder) and "\0" not in folder else ""
