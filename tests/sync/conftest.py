"""Fixtures: machines with LLM Memory installed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.sync.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def installed() -> list[Machine]:
    """The machine whose venv the others copy, once there is one: the first of the session."""
    return []


@pytest.fixture(scope="module")
def make_machine(
    tmp_path_factory: pytest.TempPathFactory, installed: list[Machine]
) -> Iterator[Callable[..., Machine]]:
    """make_machine(name, skew=..., data=..., below=...): another machine, onto which install.sh was run. below: the
    folder in which its HOME is made; default: a new one, removed at the end."""
    places: list[Path] = []

    def make(name: str, *, below: Path | None = None, **options: Any) -> Machine:
        machine = Machine(below or tmp_path_factory.mktemp("m"), name, **options)
        if installed:
            machine.install(like=installed[0])
            places.append(machine.home)
        else:
            machine.install()
            installed.append(machine)
        return machine

    yield make
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
