"""Merging every copy that a file sync left: what is merged, what is left and named, and that nothing stops the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memories.core import copies, merge_copies, merge_log, mirror, record_copies, record_merge, records, sync
from memories.core.errors import StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord
from tests.hooks.conftest import ROOT, WITHOUT_ROOTS_POWERS, can_be_refused

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


_MERGE = """
import json, sys
from memories.core import merge_copies, paths
done = merge_copies.run(paths.DataFolder(sys.argv[1]), shipped_rules=tuple)
print(json.dumps([done.left, done.records, done.transcripts, done.config]))
"""


@can_be_refused
@pytest.mark.parametrize("place", ["records", "trash", "transcripts", "config"])
def test_a_folder_that_cannot_be_read_is_named_and_what_is_elsewhere_is_merged(
    folder: DataFolder, make_record: MakeRecord, place: str
) -> None:
    leave_copy(folder, make_record("A note."), importance=9)
    Path(folder.transcripts, f"{SESSION}{STAMP}.jsonl").write_bytes(b"one\n")
    Path(folder.config, f"CLAUDE{STAMP}.md").write_text("theirs\n", encoding="utf-8")
    os.chmod(Path(folder.root, place), 0)
    prefix = WITHOUT_ROOTS_POWERS if os.geteuid() == 0 else ()
    command = [*prefix, sys.executable, "-c", _MERGE, folder.root]
    done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    os.chmod(Path(folder.root, place), 0o700)
    assert json.loads(done.stdout) == [
        [[place, "cannot be read (Permission denied): check its permissions"]],
        place not in {"records", "trash"},
        place != "transcripts",
        place != "config",
    ]


def test_a_lock_that_cannot_be_taken_is_named(folder: DataFolder, make_record: MakeRecord) -> None:
    copy = leave_copy(folder, make_record("A note."))
    Path(folder.state, "merge.lock").mkdir()
    result = merged(folder)
    assert [path for path, _ in result.left] == ["state/merge.lock"]
    assert "Is a directory" in result.left[0][1]
    assert copy.exists()


def test_a_log_that_cannot_be_written_is_named_and_what_was_merged_is_told(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("A note.")
    leave_copy(folder, record, content="Another note.", updated_at="2027-01-01T00:00:00")
    Path(folder.state, "merges.jsonl").mkdir()
    result = merged(folder)
    assert (result.records, len(result.kept)) == (1, 1)
    assert [path for path, _ in result.left] == ["state/merges.jsonl"]


def test_the_log_is_written_once_for_many_merges(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuids = sorted(make_record(f"Note {number}.")["uuid"] for number in range(7))
    for uuid in uuids:
        leave_copy(folder, records.load(folder, uuid), importance=9)
    monkeypatch.setattr(merge_copies, "NOTED_AT_ONCE", 3)
    written: list[int] = []
    note_all = merge_log.note_all

    def counted(place: DataFolder, merges: list[tuple[str, str, list[str]]]) -> None:
        written.append(len(merges))
        note_all(place, merges)

    monkeypatch.setattr(merge_log, "note_all", counted)
    assert merged(folder).records == len(uuids)
    assert written == [3, 3, 1]
    assert [entry["name"] for entry in merge_log.read(folder)] == uuids[::-1]


def test_merges_are_noted_although_the_run_is_broken_off(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        leave_copy(folder, make_record(f"Note {number}."), importance=9)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_copies.run(folder, shipped_rules=tuple, progress=stop)
    assert len(merge_log.read(folder)) == 1


def test_a_run_tells_how_far_it_is(folder: DataFolder, make_record: MakeRecord) -> None:
    for number in range(2):
        leave_copy(folder, make_record(f"Note {number}."), importance=9)
    Path(folder.transcripts, f"{SESSION}{STAMP}.jsonl").write_bytes(b"one\n")
    told: list[tuple[int, int]] = []
    merge_copies.run(folder, shipped_rules=tuple, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
