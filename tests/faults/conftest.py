"""The home that faults happen to: filled once, put back as it was for each test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.faults.forks import Forks, NoShimError, shim
from tests.faults.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def made_shim(place: Path) -> Path:
    """The shim. Skips, loudly, where none can be made."""
    try:
        return shim(place)
    except NoShimError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One home with its fork server for all tests of a worker."""
    root = tmp_path_factory.mktemp("faults")
    home = Home(root)
    with Forks(made_shim(root), home.environ, root) as forks:
        home.fill(forks)
        yield home


@pytest.fixture
def home(filled: Home) -> Iterator[Home]:
    """The home as it was when it was filled; no process may be left when the test is done."""
    filled.begin()
    yield filled
    for base, _, _ in os.walk(filled.place):
        os.chmod(base, 0o700)
    assert filled.left_running(20) == []
