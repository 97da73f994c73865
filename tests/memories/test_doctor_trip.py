"""Doctor's round trip: it succeeds here, says which step failed, and leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from memories import doctor_trip
from memories.core import mirror, records
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.selectors import mirror_connection

pytestmark = pytest.mark.usefixtures("round_trips")


def test_a_round_trip_touches_no_memory_and_leaves_nothing(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = os.listdir(tmp_path)
    [check] = doctor_trip.round_trip(folder)
    assert (check.status, check.text.split(" (")[0]) == (
        "ok", "stored, found, read, deleted and restored a memory, found a conversation",
    )  # fmt: skip
    assert os.listdir(tmp_path) == before
    assert os.listdir(folder.records) == []
    assert connection.connection is None
    with pytest.raises(MirrorUnavailableError):
        mirror_connection(folder)
    mirror.update(folder)
    assert mirror_connection(folder).execute("SELECT count(*) FROM memory").fetchone() == (0,)


@pytest.mark.parametrize(
    ("module", "name", "broken", "says"),
    [
        ("services", "memory_delete", lambda *_: {}, "a deleted memory was still found"),
        ("services", "memory_restore", lambda *_: {}, "a restored memory was not found"),
        ("search", "memory_search", lambda *_, **__: {"results": []}, "a stored memory was not found"),
        ("selectors", "memory_get", lambda *_: {"content": "else"}, "a stored memory was read with another text"),
    ],
)
def test_the_step_that_fails_is_named(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, module: str, name: str, broken: object, says: str
) -> None:
    monkeypatch.setattr(f"memories.{module}.{name}", broken)
    [check] = doctor_trip.round_trip(folder)
    assert (check.status, check.text) == ("fail", says)
    assert check.todo


def test_a_tombstone_that_is_missing_is_a_failure(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "tombstone", lambda *_: None)
    [check] = doctor_trip.round_trip(folder)
    assert check.text == "a deleted memory was not in the trash"


def test_no_place_for_temp_files_is_said(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    [check] = doctor_trip.round_trip(folder)
    assert (check.status, "$TMPDIR" in check.todo) == ("fail", True)


def test_where_memory_is_switched_off_nothing_is_tried(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    [check] = doctor_trip.round_trip(folder)
    assert (check.status, check.text) == ("warn", "not tried: LLM_MEMORY_DISABLE is set here")
