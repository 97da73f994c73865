"""A project folder and a server on a throwaway data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from memories.core.paths import DataFolder
from tests.mcp_bridge.client import Server

StartServer = Callable[..., Server]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder named `orders`, the session's project."""
    found = tmp_path / "orders"
    found.mkdir()
    return found


@pytest.fixture
def start(folder: DataFolder, project: Path) -> Iterator[StartServer]:
    """Starts servers that end with the test: start(environ=..., script=...) -> Server, not yet initialised."""
    with ExitStack() as stack:

        def begin(where: Path = project, **options: object) -> Server:
            return stack.enter_context(Server(folder, where, **options))  # type: ignore[arg-type]

        yield begin


@pytest.fixture
def server(start: StartServer) -> Server:
    """A server after its handshake."""
    started = start()
    started.initialize()
    return started
