"""Fixtures: the client's versions, the loopback network, and homes with and without LLM Memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.client import OLDEST, VERSIONS, claude_binary, require_system_tools
from tests.e2e.home import Home
from tests.e2e.installation import copy_home, seed_home
from tests.e2e.loopback import LoopbackNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


BOTH = ("test_carrying_over",)
"""The main job, which each run of the tests asks of the oldest client too; the others only `scripts/test --long`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `--long` what only repeats with the oldest client."""
    for item in items:
        if item.path.parent.name == "e2e" and item.path.stem not in BOTH and OLDEST in item.name:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def network() -> Iterator[LoopbackNetwork]:
    """The namespace this worker's clients run in."""
    require_system_tools()
    network = LoopbackNetwork()
    yield network
    network.close()


@pytest.fixture(scope="session", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in VERSIONS])
def version(request: pytest.FixtureRequest) -> str:
    """The client's version. Under `--dist loadgroup` each has a worker: one installation and one story per module."""
    return str(request.param)


@pytest.fixture(scope="session")
def claude(version: str) -> Path:
    """The client's executable."""
    return claude_binary(version)


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory, version: str, claude: Path, network: LoopbackNetwork) -> Home:
    """The home into which install.sh was run, shared by all workers; only to be copied."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    return seed_home(shared, version, claude, network)


def _watched(home: Home) -> Iterator[Home]:
    """Hand out a home; afterwards nothing of it may run, and nothing may have tried to leave the machine."""
    escapes = home.network.escapes()
    yield home
    left = home.wait_until_quiet()
    home.stop_all()
    assert left == [], "processes were left behind"
    assert home.network.escapes() == escapes, "something tried to reach another host"


@pytest.fixture
def bare_home(tmp_path_factory: pytest.TempPathFactory, claude: Path, network: LoopbackNetwork) -> Iterator[Home]:
    """A home without LLM Memory."""
    # A short path: the client makes Unix sockets below it, whose names may have 107 bytes.
    yield from _watched(Home(tmp_path_factory.mktemp("h") / "home", claude, network).create())


@pytest.fixture
def installed_home(tmp_path_factory: pytest.TempPathFactory, seed: Home) -> Iterator[Home]:
    """A home of its own with LLM Memory installed and no session yet."""
    yield from _watched(copy_home(seed, tmp_path_factory.mktemp("h") / "home"))


@pytest.fixture(scope="module")
def story_home(tmp_path_factory: pytest.TempPathFactory, seed: Home) -> Iterator[Home]:
    """Like installed_home, for a story that several tests of a module look at."""
    yield from _watched(copy_home(seed, tmp_path_factory.mktemp("h") / "home"))
