"""Deleting and restoring while a file sync, which knows no lock of ours, writes the same files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memories.core import merge_copies, records, session_logs
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord

SESSION = "22c27cac-b859-4875-a798-6d086e9ce27f"
CREATED, EDITED = "2026-01-01T00:00:00", "2026-02-01T00:00:00"


def _contents(*places: str) -> list[str]:
    found = [Path(place, name).read_bytes() for place in places for name in os.listdir(place)]
    return sorted(json.loads(data)["content"] for data in found)


def _put(path: str, record: dict[str, Any]) -> None:
    """As a file sync does: whole, by a rename."""
    Path(path + ".arrives").write_bytes(records.dump(record))
    os.replace(path + ".arrives", path)


def _at_fsync(monkeypatch: pytest.MonkeyPatch, number: int, arrive: Callable[[], None]) -> None:
    """Let something arrive right after the number-th fsync (0: that of the first temp file)."""
    real, left = os.fsync, [number]

    def then(fd: int) -> None:
        real(fd)
        left[0] -= 1
        if left[0] == -1:
            arrive()

    monkeypatch.setattr(os, "fsync", then)


@pytest.mark.parametrize("number", [0, 1], ids=["before the tombstone is there", "after it"])
def test_what_a_file_sync_brings_while_its_record_is_deleted_is_kept(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    record = make_record("old", created_at=CREATED)
    path = records.record_path(folder, record["uuid"])
    brought = record | {"content": "brought", "updated_at": EDITED}
    _at_fsync(monkeypatch, number, lambda: _put(path, brought))
    records.delete(folder, record["uuid"])
    assert "brought" in _contents(folder.trash)
    assert os.listdir(folder.records) == []


def test_a_tombstone_that_arrives_while_its_record_is_deleted_is_kept(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record("here", created_at=CREATED, updated_at=EDITED)
    grave = record | {"content": "there", "updated_at": CREATED, "deleted_at": CREATED}
    _at_fsync(monkeypatch, 0, lambda: _put(records.trash_path(folder, record["uuid"]), grave))
    records.delete(folder, record["uuid"])
    assert {"here", "there"} <= set(_contents(folder.trash, folder.records))
    assert records.tombstone(folder, record["uuid"])


@pytest.mark.parametrize(("place", "number"), [("records", 0), ("trash", 0), ("trash", 1)])
def test_what_a_file_sync_brings_while_a_record_is_restored_is_kept(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch, place: str, number: int
) -> None:
    record = make_record("old", created_at=CREATED)
    uuid = record["uuid"]
    records.delete(folder, uuid)
    brought = record | {"content": "brought", "updated_at": EDITED}
    if place == "trash":
        brought["deleted_at"] = EDITED
    _at_fsync(monkeypatch, number, lambda: _put(os.path.join(getattr(folder, place), f"{uuid}.json"), brought))
    records.restore(folder, uuid)
    assert "brought" in _contents(folder.records, folder.trash)
    assert not os.path.lexists(records.trash_path(folder, uuid))


def _log(content: str, ended: str, **fields: Any) -> dict[str, Any]:
    log = records.new_record(type="session_log", content=content, created_at=ended, session_id=SESSION)
    del log["origin"]
    return log | {"uuid": session_logs.log_uuid(SESSION), **fields}


@pytest.mark.parametrize("derived", [True, False])
def test_a_restored_session_log_is_not_deleted_again_by_another_machines_tombstone(
    folder: DataFolder, derived: bool
) -> None:
    log = _log("told", CREATED)
    if not derived:
        log["uuid"] = records.new_uuid()
    records.save(folder, log)
    grave = records.delete(folder, log["uuid"])
    records.restore(folder, log["uuid"])
    _put(records.trash_path(folder, log["uuid"]), grave)
    merge_copies.run(folder, shipped_rules=list)
    assert records.load(folder, log["uuid"])["content"] == "told"
    assert os.listdir(folder.trash) == []


def test_a_session_that_goes_on_after_its_log_was_restored_keeps_it_restored(folder: DataFolder) -> None:
    log = _log("told", CREATED)
    records.save(folder, log)
    grave = records.delete(folder, log["uuid"])
    restored = records.restore(folder, log["uuid"])
    assert session_logs.store(folder, _log("told on", EDITED))
    found = records.load(folder, log["uuid"])
    assert (found["content"], found["updated_at"]) == ("told on", restored["updated_at"])
    assert not records.stays_deleted(found, grave)


def test_a_content_that_lost_to_a_deletion_is_a_memory_again_when_it_is_restored(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("as it was", created_at=CREATED)
    records.delete(folder, record["uuid"])
    _put(records.record_path(folder, record["uuid"]), record | {"content": "edited elsewhere"})
    (lost,) = merge_copies.run(folder, shipped_rules=tuple).kept
    restored = records.restore(folder, lost)
    assert (restored["content"], restored["status"], "archived_in" in restored) == ("edited elsewhere", "active", False)


def test_what_was_archived_before_it_was_deleted_is_archived_again(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("an old version", status="archived", archived_in="a" * 32)
    records.delete(folder, record["uuid"])
    restored = records.restore(folder, record["uuid"])
    assert (restored["status"], restored["archived_in"]) == ("archived", "a" * 32)
