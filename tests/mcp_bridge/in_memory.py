"""Our server object and the SDK's client in one process, without a pipe: for what the protocol's own tests need not
repeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ListRootsResult, Root
from pydantic import FileUrl

from mcp_bridge.context import BackgroundSync
from mcp_bridge.server import build_server
from memories.core.paths import DataFolder

T = TypeVar("T")
Talk = Callable[[Client], Awaitable[T]]


def ask(folder: DataFolder, talk: Talk[T], **options: Any) -> T:
    """What a client that has shaken hands with a server on that data folder gets. options: of Client."""

    async def run() -> T:
        async with Client(build_server(folder, BackgroundSync(folder)), **{"mode": "legacy", **options}) as client:
            return await talk(client)

    return async_to_sync(run)()


def refused(folder: DataFolder, talk: Talk[Any]) -> MCPError:
    """The error that a client gets."""

    async def run(client: Client) -> MCPError:
        try:
            await talk(client)
        except MCPError as error:
            return error
        raise AssertionError("it was not refused")

    return ask(folder, run)


def with_roots(*folders: object) -> dict[str, Any]:
    """Options of a client that works in those folders."""

    async def roots(_: object) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri=FileUrl(f"file://{folder}")) for folder in folders])

    return {"list_roots_callback": roots}
