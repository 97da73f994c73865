from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memories.core import files, mirror, record_copies, records, redaction
from memories.core.errors import StorageError
from memories.core.paths import DataFolder
from memories.importers import items, take
from tests.importers.sources import entity, graph, imported, outcomes, relation, stored

KIND = "Entities"


def edit(folder: DataFolder, uuid: str, **fields: Any) -> None:
    """As a person does."""

    def change(record: dict[str, Any]) -> bool:
        record.update(fields)
        return True

    with records.lock(folder):
        records.update(folder, uuid, change)


@pytest.fixture
def uuid(folder: DataFolder, tmp_path: Path) -> str:
    """The record of an entity that was imported."""
    imported(folder, "server-memory", graph(tmp_path, entity("a", "one"), entity("b")))
    found: str = stored(folder)["# a"]["uuid"]
    return found


def test_what_changed_at_the_source_is_updated_as_a_later_edit(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    before = records.load(folder, uuid)
    result = imported(folder, "server-memory", graph(tmp_path, entity("a", "one", "two"), entity("b")))
    assert outcomes(result, KIND) == {"read": 2, "updated": 1, "already here": 1}
    after = records.load(folder, uuid)
    assert after["content"] == "# a\n\n- one\n- two"
    assert after["created_at"] == before["created_at"]
    assert after["updated_at"] >= before["created_at"]


def test_what_was_edited_here_stays_as_it_is(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    edit(folder, uuid, content="my words")
    same = imported(folder, "server-memory", graph(tmp_path, entity("a", "one"), entity("b")))
    assert outcomes(same, KIND) == {"read": 2, "already here": 2}
    result = imported(folder, "server-memory", graph(tmp_path, entity("a", "two"), entity("b")))
    assert outcomes(result, KIND) == {"read": 2, "already here": 1, "edited here": 1}
    assert records.load(folder, uuid)["content"] == "my words"


def test_what_was_deleted_here_stays_deleted(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    records.delete(folder, uuid)
    path = graph(tmp_path, entity("a", "changed"), entity("b"))
    assert outcomes(imported(folder, "server-memory", path), KIND) == {"read": 2, "already here": 1, "deleted here": 1}
    assert not os.path.exists(records.record_path(folder, uuid))


def test_a_tombstone_that_cannot_be_read_still_means_deleted(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    records.delete(folder, uuid)
    Path(records.trash_path(folder, uuid)).write_text("{", encoding="utf-8")
    path = graph(tmp_path, entity("a", "one"))
    assert outcomes(imported(folder, "server-memory", path), KIND) == {"read": 1, "deleted here": 1}


def test_links_of_both_sides_are_joined(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    mine = {"to_uuid": "e" * 32, "relationship": "supersedes"}
    edit(folder, uuid, connections=[mine])
    imported(folder, "server-memory", graph(tmp_path, entity("a", "one"), entity("b"), relation("a", "b")))
    other = stored(folder)["# b"]["uuid"]
    assert records.load(folder, uuid)["connections"] == [mine, {"to_uuid": other, "relationship": "related_to"}]


def test_a_record_here_that_cannot_be_read_is_named_and_left(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    Path(records.record_path(folder, uuid)).write_text("{", encoding="utf-8")
    result = imported(folder, "server-memory", graph(tmp_path, entity("a", "two"), entity("b")))
    assert outcomes(result, KIND) == {"read": 2, "already here": 1, "skipped": 1}
    assert "is not a readable record" in result.skipped[0][1]
    assert Path(records.record_path(folder, uuid)).read_text(encoding="utf-8") == "{"


def test_a_dry_run_says_the_same_and_makes_nothing(tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "not there"))
    result = imported(folder, "server-memory", graph(tmp_path, entity("a", "token ghp_" + "a1B2" * 9)), dry_run=True)
    assert outcomes(result, KIND) == {"read": 1, "new": 1}
    assert result.secrets == 1
    assert not os.path.exists(folder.root)


def test_what_is_imported_can_be_searched(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    with closing(mirror.connect(folder.mirror, read_only=True)) as connection:
        rows = connection.execute("SELECT content, imported_from FROM memory WHERE uuid = ?", (uuid,)).fetchall()
    assert rows == [("# a\n\n- one", "server-memory")]


def test_all_is_checked_before_anything_is_stored(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "MAX_CHARS", 10)
    with pytest.raises(Exception, match="too much for one import"):
        imported(folder, "server-memory", graph(tmp_path, entity("a"), entity("b", "x" * 20)))
    assert os.listdir(folder.records) == []


def test_an_import_that_is_stopped_leaves_whole_records_and_goes_on_when_it_is_run_again(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = graph(tmp_path, *(entity(name, "one") for name in "abc"))
    write = files.write_atomic
    written = []

    def full(target: str, data: bytes, **options: Any) -> None:
        if target.startswith(folder.records):
            written.append(target)
            if len(written) == 2:
                raise StorageError("Cannot write: No space left on device.")
        write(target, data, **options)

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_atomic", full)
        with pytest.raises(StorageError):
            imported(folder, "server-memory", path)
    assert list(stored(folder)) == ["# a"]
    assert outcomes(imported(folder, "server-memory", path), KIND) == {"read": 3, "new": 2, "already here": 1}


def test_an_import_on_two_machines_merges_to_one_record(folder: DataFolder, tmp_path: Path, uuid: str) -> None:
    other = DataFolder(str(tmp_path / "other"))
    imported(other, "server-memory", graph(tmp_path, entity("a", "one"), entity("b")))
    brought = Path(records.record_path(other, uuid)).read_bytes()
    outcome = record_copies.settle(folder, uuid, brought=[brought], beside={})
    assert outcome.kept == []
    assert records.load(folder, uuid)["content"] == "# a\n\n- one"


def test_the_hash_of_what_was_imported_is_no_secret_to_any_rule(folder: DataFolder, uuid: str) -> None:
    before = records.load(folder, uuid)
    shown = redaction.load(folder, uuid)
    assert shown == before
    assert len(before["imported_hash"]) == 32


def test_content_that_is_all_private_stays_out(folder: DataFolder) -> None:
    reading = items.Reading()
    fields = items.note("<private>mine</private>", created_at="2026-01-01T00:00:00")
    reading.add(items.Item("a" * 32, KIND, "line 1", fields))
    result = take.run(folder, reading, "server-memory")
    assert result.skipped == [("line 1", "all of it is marked as private")]
    assert os.listdir(folder.records) == []
