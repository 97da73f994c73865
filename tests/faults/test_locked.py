"""An index that another process keeps locked: stores succeed, calls are answered, and all is found afterwards."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from memories.core.paths import DataFolder
from tests.faults import check, survival
from tests.faults.home import WORDS, Home
from tests.faults.operations import Expected

BOUND = 45.0
"""Seconds within which a call must be answered whoever holds the index; SQLite waits 5 of them for each of its uses."""


@contextmanager
def locked(folder: DataFolder, *, for_readers: bool) -> Iterator[None]:
    """The index locked by this process: for writers, or for readers too."""
    with closing(sqlite3.connect(folder.mirror, timeout=20, isolation_level=None)) as connection:
        if for_readers:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        if for_readers:
            connection.execute("UPDATE scan SET listing = listing")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("for_readers", [False, True], ids=["writers", "readers too"])
@pytest.mark.long
def test_an_index_locked_for_half_a_minute_stops_no_store_and_no_answer(home: Home, for_readers: bool) -> None:
    with home.server() as server:
        if not for_readers:  # else its own connection would keep the lock from being taken
            server.ask("memory_search", query="reeds", scope="all")
        over = threading.Event()
        with locked(home.folder, for_readers=for_readers):
            until = time.monotonic() + 30
            stored = 0
            while time.monotonic() < until:
                begun = time.monotonic()
                answer = server.call("memory_store", content=f"A knot was seen at the weir, {stored}.", type="note")
                assert not answer.is_error, answer.text
                assert answer.structured["warnings"]
                stored += 1
                found = server.call("memory_search", query="reeds")
                assert time.monotonic() - begun < 2 * BOUND
                if found.is_error:
                    assert survival.unfit(found) == []
            assert survival.hooks(home) == []
        over.set()
        assert len(server.ask("memory_search", query="reeds", limit=50)["results"]) >= len(WORDS)
    expected = Expected(home)
    expected.found["knot"] = f"weir, {stored - 1}."
    assert check.after(home, expected) == []


def test_a_store_while_the_index_is_locked_succeeds_with_a_warning_and_is_found_later(home: Home) -> None:
    with home.server() as server:
        server.ask("memory_search", query="reeds", scope="all")
        with locked(home.folder, for_readers=False):
            answer = server.call("memory_store", content="A knot was seen at the weir.", type="note")
            assert not answer.is_error, answer.text
            assert any("sync" in warning for warning in answer.structured["warnings"])
            assert len(server.ask("memory_search", query="reeds")["results"]) == len(WORDS)
    expected = Expected(home)
    expected.found["knot"] = "A knot was seen"
    assert check.after(home, expected) == []
