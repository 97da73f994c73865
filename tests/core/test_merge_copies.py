"""Merging every copy that a file sync left: what is merged, what is left and named, and that nothing stops the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from memories.core import copies, merge_copies, merge_log, mirror, record_copies, record_merge, records, sync
from memories.core.errors import StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord

STAMP = ".sync-conflict-20260314-091244-ABCDEFG"
SESSION = "7b1e2f04-0000-4000-8000-00000000c0de"


def leave_copy(folder: DataFolder, record: dict[str, Any], **changes: Any) -> Path:
    """What Syncthing leaves beside a record of which another machine wrote a version."""
    path = Path(folder.records, f"{record['uuid']}{STAMP}.json")
    path.write_bytes(records.dump({**record, **changes}))
    return path


def merged(folder: DataFolder) -> merge_copies.MergeResult:
    return merge_copies.run(folder, shipped_rules=tuple)


def test_a_folder_without_copies_is_left_as_it_is(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("Deploys go out on Tuesdays.")
    before = Path(records.record_path(folder, record["uuid"])).stat()
    result = merged(folder)
    assert (result.records, result.transcripts, result.config, result.kept, result.left) == (0, 0, 0, [], [])
    assert Path(records.record_path(folder, record["uuid"])).stat() == before
    assert merge_log.read(folder, 10) == []


def test_both_contents_are_kept_and_the_later_one_is_the_memory(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("Deploys go out on Tuesdays.", created_at="2026-03-14T09:00:00", origin="laptop")
    leave_copy(
        folder, record, content="Deploys go out on Mondays.", updated_at="2026-03-15T09:00:00", origin="workstation"
    )
    result = merged(folder)
    kept = record_merge.kept_uuid(record["uuid"], "Deploys go out on Tuesdays.")
    assert (result.records, result.kept, result.left) == (1, [kept], [])
    assert records.load(folder, record["uuid"])["content"] == "Deploys go out on Mondays."
    lost = records.load(folder, kept)
    assert (lost["content"], lost["status"], lost["conflict_of"]) == (record["content"], "archived", record["uuid"])
    assert sorted(os.listdir(folder.records)) == sorted([f"{record['uuid']}.json", f"{kept}.json"])


def test_each_kind_is_merged_and_noted(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("A note.")
    leave_copy(folder, record, importance=9, updated_at="2027-01-01T00:00:00")
    Path(folder.transcripts, f"{SESSION}.jsonl").write_bytes(b"one\n")
    Path(folder.transcripts, f"{SESSION}{STAMP}.jsonl").write_bytes(b"one\ntwo\n")
    Path(folder.rules).write_text("ours\n", encoding="utf-8")
    Path(folder.config, f"CLAUDE{STAMP}.md").write_text("theirs\n", encoding="utf-8")
    Path(folder.settings).write_text(json.dumps({"briefing_chars": 5000}), encoding="utf-8")
    Path(folder.config, f"settings{STAMP}.json").write_text(
        json.dumps({"excluded_paths": ["~/clients"]}), encoding="utf-8"
    )
    result = merged(folder)
    assert (result.records, result.transcripts, result.config, result.left) == (1, 1, 2, [])
    assert Path(folder.transcripts, f"{SESSION}.jsonl").read_bytes() == b"one\ntwo\n"
    assert set(Path(folder.rules).read_text(encoding="utf-8").split()) == {"ours", "theirs"}
    assert json.loads(Path(folder.settings).read_bytes()) == {"briefing_chars": 5000, "excluded_paths": ["~/clients"]}
    assert sorted(entry["kind"] for entry in merge_log.read(folder, 10)) == [
        "record",
        "rules",
        "settings",
        "transcript",
    ]
    assert not [name for _, _, names in os.walk(folder.root) for name in names if copies.original_name(name)]


def test_merging_twice_changes_nothing_more(folder: DataFolder, make_record: MakeRecord) -> None:
    leave_copy(folder, make_record("A note."), content="Another note.")
    merged(folder)
    before = {path: path.read_bytes() for path in Path(folder.records).iterdir()}
    result = merged(folder)
    assert (result.records, result.kept) == (0, [])
    assert {path: path.read_bytes() for path in Path(folder.records).iterdir()} == before


def test_a_copy_that_cannot_be_read_is_left_and_named_and_the_others_are_merged(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    broken = leave_copy(folder, make_record("A note."))
    broken.write_bytes(b"{ half a")
    leave_copy(folder, make_record("Another."), importance=9)
    result = merged(folder)
    assert result.records == 1
    assert [path for path, _ in result.left] == [f"records/{broken.name}"]
    assert broken.read_bytes() == b"{ half a"


def test_a_disk_that_refuses_one_record_does_not_stop_the_others(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_record("A note."), make_record("Another.")
    for record in (first, second):
        leave_copy(folder, record, importance=9)
    settle = record_copies.settle

    def refuse(place: DataFolder, uuid: str, **more: Any) -> copies.Outcome:
        if uuid == first["uuid"]:
            raise StorageError("Cannot write: No space left on device.")
        return settle(place, uuid, **more)

    monkeypatch.setattr(record_copies, "settle", refuse)
    result = merged(folder)
    assert result.records == 1
    assert result.left == [(first["uuid"], "Cannot write: No space left on device.")]


def test_an_edit_after_a_deletion_keeps_the_memory_and_is_named(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("A note.", created_at="2026-03-14T09:00:00")
    Path(folder.trash, f"{record['uuid']}.json").write_bytes(
        records.dump({**record, "deleted_at": "2026-03-15T09:00:00"})
    )
    Path(records.record_path(folder, record["uuid"])).write_bytes(
        records.dump({**record, "importance": 9, "updated_at": "2026-03-16T09:00:00"})
    )
    result = merged(folder)
    assert (result.records, result.revived, os.listdir(folder.trash)) == (1, [record["uuid"]], [])


def test_a_deletion_after_the_last_edit_takes_the_file_away_that_a_sync_brought_back(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("A note.")
    path = Path(records.record_path(folder, record["uuid"]))
    data = path.read_bytes()
    records.delete(folder, record["uuid"])
    path.write_bytes(data)
    result = merged(folder)
    assert (result.records, result.revived, os.listdir(folder.records)) == (1, [], [])
    assert records.tombstone(folder, record["uuid"]) is not None


def test_one_process_merges_at_a_time(folder: DataFolder, make_record: MakeRecord) -> None:
    copy = leave_copy(folder, make_record("A note."))
    with FileLock(os.path.join(folder.state, "merge.lock")):
        assert merged(folder).busy
    assert copy.exists()


def test_a_sync_merges_before_it_brings_the_mirror_up_to_date(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("Deploys go out on Tuesdays.")
    leave_copy(folder, record, content="Deploys go out on Mondays.", updated_at="2027-01-01T00:00:00")
    result = sync.run(folder, None, dict(DEFAULTS), wait_seconds=0)
    assert (result.merged.records, result.mirrored.skipped) == (1, [])
    connection = mirror.connect(folder.mirror)
    try:
        rows = connection.execute("SELECT content, status FROM memory ORDER BY status").fetchall()
    finally:
        connection.close()
    assert rows == [("Deploys go out on Mondays.", "active"), (record["content"], "archived")]
