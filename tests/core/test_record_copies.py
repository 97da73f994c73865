"""Settling records: every copy of one uuid becomes one record or one tombstone, and nothing is lost on the way."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memories.core import record_copies, record_merge, records, session_logs
from memories.core.errors import InvalidRecordError, LockTimeoutError, RecordNotFoundError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder

UUID = "a" * 32
MARK = ".sync-conflict-20260314-091244-ABCDEFG"
OTHER_MARK = ".sync-conflict-20260315-101112-HIJKLMN"
EARLY, LATE, LATER = "2026-03-14T10:00:00", "2026-03-14T11:00:00", "2026-03-14T12:00:00"


def note(content: str, updated_at: str = EARLY, **fields: Any) -> dict[str, Any]:
    """A version of one note."""
    record = records.new_record(type="note", content=content, created_at="2026-03-01T00:00:00")
    return record | {"uuid": UUID, "origin": "laptop", "updated_at": updated_at, **fields}


def put(place: str, record: dict[str, Any] | bytes, mark: str = "", uuid: str = UUID) -> str:
    """Write a version as `<uuid><mark>.json`."""
    path = os.path.join(place, f"{uuid}{mark}.json")
    Path(path).write_bytes(record if isinstance(record, bytes) else records.dump(record))
    return path


def state(folder: DataFolder) -> dict[str, bytes]:
    """Every file below records/ and trash/."""
    return {
        f"{os.path.basename(place)}/{name}": Path(place, name).read_bytes()
        for place in (folder.records, folder.trash)
        for name in sorted(os.listdir(place))
    }


def contents(place: str) -> list[str]:
    return sorted(json.loads(Path(place, name).read_bytes())["content"] for name in os.listdir(place))


def test_both_contents_are_there_afterwards_and_no_copy(folder: DataFolder) -> None:
    put(folder.records, note("early"))
    put(folder.records, note("late", LATE), MARK)
    outcome = record_copies.settle(folder, UUID)
    kept = record_merge.kept_uuid(UUID, "early")
    assert (outcome.changed, outcome.kept, outcome.deleted, outcome.left) == (True, [kept], False, [])
    assert set(os.listdir(folder.records)) == {f"{UUID}.json", f"{kept}.json"}
    assert records.load(folder, UUID)["content"] == "late"
    assert records.valid_connections(records.load(folder, UUID)) == [(kept, "supersedes")]
    assert records.load(folder, kept)["archived_in"] == UUID
    assert records.load(folder, kept)["updated_at"] == EARLY


@pytest.mark.parametrize("mark", [MARK, " (ann's conflicted copy 2026-03-14)", "_conflict-20260314-091244", " (1)"])
def test_every_programs_copies_are_merged(folder: DataFolder, mark: str) -> None:
    put(folder.records, note("early"))
    put(folder.records, note("late", LATE), mark)
    assert list(record_copies.find(folder)) == [UUID]
    record_copies.settle(folder, UUID)
    assert contents(folder.records) == ["early", "late"]
    assert record_copies.find(folder) == {}


def test_whichever_machine_merges_first_the_bytes_are_the_same(tmp_path: Path) -> None:
    made = [note("one"), note("two", LATE), note("three", LATE, origin="workstation"), note("one", LATER, tags="x")]
    results = set()
    for number, order in enumerate(itertools.permutations(made)):
        folder = DataFolder(str(tmp_path / str(number)))
        folder.create()
        for record, mark in zip(order, ("", MARK, OTHER_MARK, " (1)"), strict=True):
            put(folder.records, record, mark)
        record_copies.settle(folder, UUID, brought=[records.dump(note("two", LATE))])
        results.add(tuple(sorted(state(folder).items())))
    assert len(results) == 1


def test_a_folder_without_copies_is_left_as_it_is(folder: DataFolder) -> None:
    put(folder.records, json.dumps(note("by hand"), indent=7).encode())
    before = state(folder)
    outcome = record_copies.settle(folder, UUID)
    assert (outcome.changed, outcome.kept, outcome.left) == (False, [], [])
    assert state(folder) == before
    assert not record_copies.settle(folder, "f" * 32).changed


def test_a_copy_with_the_same_bytes_just_goes(folder: DataFolder) -> None:
    put(folder.records, json.dumps(note("by hand"), indent=7).encode())
    before = state(folder)
    put(folder.records, before[f"records/{UUID}.json"], MARK)
    assert record_copies.settle(folder, UUID).changed
    assert state(folder) == before


@pytest.mark.parametrize("place", ["records", "trash"])
def test_a_copy_that_adds_nothing_still_makes_its_file_a_new_version(folder: DataFolder, place: str) -> None:
    """Where the other machine has already overruled ours, its version must not come over ours without a conflict."""
    grave = {"deleted_at": LATE} if place == "trash" else {}
    path = put(getattr(folder, place), note("same", **grave))
    before = Path(path).read_bytes()
    os.utime(path, ns=(1, 1))
    put(getattr(folder, place), before, MARK)
    record_copies.settle(folder, UUID)
    assert Path(path).read_bytes() == before
    assert os.stat(path).st_mtime_ns != 1


@pytest.mark.parametrize("edited", ["a", "z"])
def test_an_edit_by_hand_stays_and_the_editors_backup_is_kept_beside(folder: DataFolder, edited: str) -> None:
    path = put(folder.records, note(edited))
    Path(path + "~").write_bytes(records.dump(note("m", tags="removed by hand")))
    record_copies.settle(folder, UUID)
    assert records.load(folder, UUID)["content"] == edited
    assert not records.load(folder, UUID)["tags"]
    assert contents(folder.records) == sorted([edited, "m"])
    assert not record_copies.settle(folder, UUID).changed


def test_a_backup_that_rsync_made_of_a_later_edit_is_merged_as_any_copy(folder: DataFolder) -> None:
    path = put(folder.records, note("brought"))
    Path(path + "~").write_bytes(records.dump(note("overwritten", LATE)))
    record_copies.settle(folder, UUID)
    assert records.load(folder, UUID)["content"] == "overwritten"
    assert contents(folder.records) == ["brought", "overwritten"]


def test_a_copy_whose_original_is_gone_takes_its_place_byte_for_byte(folder: DataFolder) -> None:
    data = json.dumps(note("only here"), indent=7).encode()
    put(folder.records, data, MARK)
    record_copies.settle(folder, UUID)
    assert state(folder) == {f"records/{UUID}.json": data}


def test_settling_again_changes_nothing(folder: DataFolder) -> None:
    for mark, content in (("", "one"), (MARK, "two"), (OTHER_MARK, "three")):
        put(folder.records, note(content), mark)
    put(folder.trash, note("deleted", EARLY, deleted_at=EARLY), MARK)
    record_copies.settle(folder, UUID)
    before = state(folder)
    assert not record_copies.settle(folder, UUID).changed
    assert state(folder) == before


def test_a_straggling_copy_of_what_was_merged_changes_no_record(folder: DataFolder) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    record_copies.settle(folder, UUID)
    before = state(folder)
    put(folder.records, note("one"), OTHER_MARK)
    record_copies.settle(folder, UUID)
    assert state(folder) == before


def test_a_kept_content_that_was_changed_since_is_joined_not_overwritten(folder: DataFolder) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    (kept,) = record_copies.settle(folder, UUID).kept
    records.update(folder, kept, lambda record: record.update(content="one, corrected", tags="seen") is None)
    put(folder.records, note("one"), MARK)
    record_copies.settle(folder, UUID)
    assert contents(folder.records) == ["one", "one, corrected", "two"]
    assert records.load(folder, kept)["tags"] == "seen"


def test_a_deletion_later_than_the_edit_prevails_and_keeps_the_edit_in_trash(folder: DataFolder) -> None:
    put(folder.records, note("edited", EARLY))
    put(folder.trash, note("deleted", EARLY, deleted_at=LATE))
    outcome = record_copies.settle(folder, UUID)
    assert (outcome.deleted, outcome.kept) == (True, [record_merge.kept_uuid(UUID, "edited")])
    assert os.listdir(folder.records) == []
    assert contents(folder.trash) == ["deleted", "edited"]
    kept = records.tombstone(folder, outcome.kept[0])
    assert kept is not None
    assert kept["deleted_at"] == LATE


def test_a_deletion_of_the_same_content_leaves_the_tombstone_as_it_is(folder: DataFolder) -> None:
    put(folder.records, note("same", EARLY, tags="a"))
    put(folder.trash, note("same", EARLY, deleted_at=LATE))
    before = Path(folder.trash, f"{UUID}.json").read_bytes()
    assert record_copies.settle(folder, UUID).deleted
    assert state(folder) == {f"trash/{UUID}.json": before}


def test_an_edit_later_than_the_deletion_prevails_and_keeps_what_was_deleted(folder: DataFolder) -> None:
    put(folder.records, note("edited", LATER))
    put(folder.trash, note("deleted", EARLY, deleted_at=LATE))
    outcome = record_copies.settle(folder, UUID)
    assert not outcome.deleted
    assert os.listdir(folder.trash) == []
    assert contents(folder.records) == ["deleted", "edited"]
    assert records.valid_connections(records.load(folder, UUID)) == [(outcome.kept[0], "supersedes")]


def test_a_kept_content_that_the_user_deleted_stays_deleted(folder: DataFolder) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    (kept,) = record_copies.settle(folder, UUID).kept
    records.delete(folder, kept)
    put(folder.records, note("one"), MARK)
    record_copies.settle(folder, UUID)
    assert contents(folder.records) == ["two"]
    assert contents(folder.trash) == ["one"]


def test_two_deletions_of_different_contents_keep_both_in_trash(folder: DataFolder) -> None:
    put(folder.trash, note("one", EARLY, deleted_at=LATE))
    put(folder.trash, note("two", LATE, deleted_at=LATER), MARK)
    outcome = record_copies.settle(folder, UUID)
    assert outcome.deleted
    assert contents(folder.trash) == ["one", "two"]
    assert os.listdir(folder.records) == []
    assert all(json.loads(data)["deleted_at"] == LATER for data in state(folder).values())


def test_a_longer_session_log_takes_the_place_of_the_shorter_and_nothing_is_kept(folder: DataFolder) -> None:
    session = "22c27cac-b859-4875-a798-6d086e9ce27f"
    uuid = session_logs.log_uuid(session)
    for mark, text, ended in (("", "whole", LATER), (MARK, "begun", EARLY)):
        log = records.new_record(type="session_log", content=text, created_at=ended, session_id=session)
        put(folder.records, log | {"uuid": uuid}, mark, uuid)
    assert record_copies.settle(folder, uuid).kept == []
    assert contents(folder.records) == ["whole"]


def test_what_is_brought_is_merged_as_a_copy_is(folder: DataFolder) -> None:
    put(folder.records, note("here"))
    record_copies.settle(folder, UUID, brought=[records.dump(note("there", LATE))])
    assert contents(folder.records) == ["here", "there"]
    deleted = records.dump(note("there", LATE, deleted_at=LATER))
    assert record_copies.settle(folder, UUID, brought_deleted=[deleted]).deleted
    assert contents(folder.trash) == ["there"]


def test_what_is_brought_and_not_there_is_stored_byte_for_byte(folder: DataFolder) -> None:
    data = json.dumps(note("new")).encode()
    assert record_copies.settle(folder, UUID, brought=[data, data], beside={}).changed
    assert state(folder) == {f"records/{UUID}.json": data}
    assert not record_copies.settle(folder, UUID, brought=[data], beside={}).changed


@pytest.mark.parametrize("data", [b"", b"[]", records.dump(note("x") | {"uuid": "b" * 32})])
def test_bytes_that_are_not_the_record_are_refused_before_anything_is_done(folder: DataFolder, data: bytes) -> None:
    put(folder.records, note("here"))
    put(folder.records, note("copy"), MARK)
    before = state(folder)
    with pytest.raises(InvalidRecordError):
        record_copies.settle(folder, UUID, brought=[data])
    with pytest.raises(InvalidRecordError):
        record_copies.settle(folder, UUID, brought_deleted=[records.dump(note("no deleted_at"))])
    with pytest.raises(InvalidRecordError, match="not a record id"):
        record_copies.settle(folder, "../" + UUID)
    assert state(folder) == before


BROKEN = [b"", b'{"uuid": ', b"\xff\xfe", records.dump(note("newer") | {"schema_version": 99}), b"[" * 100_000]


@pytest.mark.parametrize("data", BROKEN, ids=["empty", "cut", "not utf-8", "newer version", "deep"])
def test_an_unreadable_copy_stays_and_is_named_and_the_rest_is_merged(folder: DataFolder, data: bytes) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    broken = put(folder.records, data, OTHER_MARK)
    outcome = record_copies.settle(folder, UUID)
    assert [path for path, _ in outcome.left] == [f"records/{UUID}{OTHER_MARK}.json"]
    assert outcome.left[0][1]
    assert Path(broken).read_bytes() == data
    assert records.load(folder, UUID)["content"] == "two"
    assert not record_copies.settle(folder, UUID).changed


@pytest.mark.parametrize("data", BROKEN, ids=["empty", "cut", "not utf-8", "newer version", "deep"])
@pytest.mark.parametrize("place", ["records", "trash"])
def test_where_the_file_itself_is_unreadable_nothing_is_touched(folder: DataFolder, place: str, data: bytes) -> None:
    put(folder.records, note("one"))
    put(folder.trash, note("one", deleted_at=EARLY))
    put(getattr(folder, place), data)
    put(folder.records, note("copy"), MARK)
    put(folder.trash, note("copy", deleted_at=EARLY), MARK)
    before = state(folder)
    outcome = record_copies.settle(folder, UUID, brought=[records.dump(note("brought"))])
    assert f"{place}/{UUID}.json" in [path for path, _ in outcome.left]
    assert not outcome.changed
    assert state(folder) == before


def test_links_folders_and_tombstones_without_a_time_are_left(folder: DataFolder, tmp_path: Path) -> None:
    put(folder.records, note("one"))
    secret = put(str(tmp_path), note("secret", LATER))
    os.symlink(secret, os.path.join(folder.records, f"{UUID}{MARK}.json"))
    os.mkdir(os.path.join(folder.records, f"{UUID}{OTHER_MARK}.json"))
    put(folder.trash, note("when?"), MARK)
    outcome = record_copies.settle(folder, UUID)
    assert len(outcome.left) == 3
    assert not outcome.changed
    assert records.load(folder, UUID)["content"] == "one"
    assert os.path.lexists(os.path.join(folder.records, f"{UUID}{MARK}.json"))


def test_partial_files_and_another_records_copy_are_left(folder: DataFolder) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("other") | {"uuid": "b" * 32}, MARK)
    for name in (f".syncthing.{UUID}.json.tmp", f"{UUID}.json.part", f".{UUID}.json.AbC123"):
        Path(folder.records, name).write_bytes(b"half")
    before = state(folder)
    outcome = record_copies.settle(folder, UUID)
    assert [path for path, _ in outcome.left] == [f"records/{UUID}{MARK}.json"]
    assert state(folder) == before


def test_what_would_be_too_large_when_merged_is_left(folder: DataFolder) -> None:
    half = records.MAX_RECORD_BYTES // 2 + 1000
    put(folder.records, note("one", tags="a" * half))
    put(folder.records, note("one", tags="b" * half), MARK)
    before = state(folder)
    outcome = record_copies.settle(folder, UUID)
    assert "too large" in outcome.left[0][1]
    assert state(folder) == before


def test_a_value_nested_too_deeply_is_left_not_an_error(folder: DataFolder) -> None:
    deep = json.dumps(note("one")).replace('"one"', '"one", "deep": ' + "[" * 900 + "]" * 900).encode()
    records.parse(deep, UUID)
    put(folder.records, deep)
    put(folder.records, note("two"), MARK)
    before = state(folder)
    outcome = record_copies.settle(folder, UUID)
    assert outcome.changed or (state(folder) == before and "deeply" in outcome.left[0][1])


def test_where_a_kept_content_cannot_be_written_nothing_that_holds_it_goes(folder: DataFolder) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    put(folder.records, b"broken", uuid=record_merge.kept_uuid(UUID, "one"))
    before = state(folder)
    outcome = record_copies.settle(folder, UUID)
    assert outcome.left
    assert state(folder) == before


def test_one_listing_finds_every_uuid_that_wants_settling(folder: DataFolder) -> None:
    put(folder.records, note("alone"), uuid="1" * 32)
    put(folder.trash, note("gone", deleted_at=LATE), uuid="2" * 32)
    put(folder.records, note("copy"), MARK, uuid="3" * 32)
    put(folder.trash, note("copy", deleted_at=LATE), MARK, uuid="4" * 32)
    for place in (folder.records, folder.trash):
        put(place, note("both"), uuid="5" * 32)
        Path(place, f"notes{MARK}.json").write_bytes(b"")
        Path(place, f"{UUID}{MARK}.md").write_bytes(b"")
    assert record_copies.find(folder) == {
        "3" * 32: ([f"{'3' * 32}{MARK}.json"], []),
        "4" * 32: ([], [f"{'4' * 32}{MARK}.json"]),
        "5" * 32: ([], []),
    }


def test_folders_that_are_missing_hold_no_copies_and_are_made(tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "new"))
    assert record_copies.find(folder) == {}
    record_copies.settle(folder, UUID, brought_deleted=[records.dump(note("gone", deleted_at=LATE))])
    assert contents(folder.trash) == ["gone"]


def test_while_another_process_writes_records_it_waits_and_then_says_so(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LOCK_SECONDS", 0.0)
    put(folder.records, note("one"))
    with records.lock(folder), pytest.raises(LockTimeoutError):
        record_copies.settle(folder, UUID)


def test_the_lock_is_the_one_that_every_writer_of_records_holds(folder: DataFolder) -> None:
    record_copies.settle(folder, UUID)
    with FileLock(os.path.join(folder.state, "records.lock")):
        pass


def test_a_full_disk_is_an_error_with_the_next_step_and_loses_nothing(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    before = state(folder)

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageError, match="free space"):
            record_copies.settle(folder, UUID)
    assert state(folder) == before
    record_copies.settle(folder, UUID)
    assert contents(folder.records) == ["one", "two"]


def test_what_a_file_sync_writes_in_the_middle_is_merged_too(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder.records, note("one"))
    put(folder.records, note("two", LATE), MARK)
    arriving = [note("three", LATER), note("four", LATER, origin="workstation")]
    fsync = os.fsync

    def sync_writes(fd: int) -> None:
        fsync(fd)
        if arriving:
            temp = put(folder.records, arriving.pop(), ".arrives")
            os.replace(temp, records.record_path(folder, UUID))

    monkeypatch.setattr(os, "fsync", sync_writes)
    outcome = record_copies.settle(folder, UUID)
    # What replaced a version that this machine had read is a file sync's own business: it would have made a copy.
    assert outcome.changed
    assert {"two", "three"} <= set(contents(folder.records))
    assert not [name for name in os.listdir(folder.records) if name.startswith(".")]


def test_a_file_that_is_written_all_the_time_is_left_to_the_next_run(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder.records, note("one", LATER))
    put(folder.records, note("one", EARLY, tags="x"), MARK)
    count = iter(range(1000))

    def always(fd: int) -> None:
        put(folder.records, note("one", LATER, tags=f"t{next(count)}"))

    monkeypatch.setattr(os, "fsync", always)
    outcome = record_copies.settle(folder, UUID)
    assert "next sync" in outcome.left[-1][1]
    assert list(record_copies.find(folder)) == [UUID]


def test_a_copy_that_is_written_anew_while_it_is_merged_is_merged_again(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder.records, note("one", LATER))
    copy = put(folder.records, note("two"), " (1)")
    arriving = [note("three", LATE)]
    fsync = os.fsync

    def program_writes(fd: int) -> None:
        fsync(fd)
        if arriving:
            Path(copy).write_bytes(records.dump(arriving.pop()))

    monkeypatch.setattr(os, "fsync", program_writes)
    assert record_copies.settle(folder, UUID).left == []
    assert contents(folder.records) == ["one", "three", "two"]
    assert record_copies.find(folder) == {}


class KilledError(Exception):
    """Stands for a SIGKILL at a file operation."""


def conflict(folder: DataFolder) -> None:
    for mark, content, when in (("", "one", EARLY), (MARK, "two", LATE), (OTHER_MARK, "three", LATER)):
        put(folder.records, note(content, when), mark)


def deleted_against_edited(folder: DataFolder) -> None:
    conflict(folder)
    put(folder.trash, note("four", EARLY, deleted_at="2026-03-20T00:00:00"))
    put(folder.trash, note("five", EARLY, deleted_at="2026-03-19T00:00:00"), MARK)


def edited_against_deleted(folder: DataFolder) -> None:
    conflict(folder)
    put(folder.trash, note("four", EARLY, deleted_at=EARLY))
    put(folder.trash, note("five", EARLY, deleted_at=LATE), MARK)


def only_tombstones(folder: DataFolder) -> None:
    put(folder.trash, note("four", EARLY, deleted_at=EARLY))
    put(folder.trash, note("five", EARLY, deleted_at=LATE), MARK)


@pytest.mark.parametrize("prepare", [conflict, deleted_against_edited, edited_against_deleted, only_tombstones])
def test_killed_at_any_file_operation_the_next_run_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[DataFolder], None]
) -> None:
    whole = DataFolder(str(tmp_path / "whole"))
    whole.create()
    prepare(whole)
    written = {json.loads(data)["content"] for data in state(whole).values()}
    record_copies.settle(whole, UUID)
    assert {json.loads(data)["content"] for data in state(whole).values()} == written

    for at in itertools.count():
        folder = DataFolder(str(tmp_path / str(at)))
        folder.create()
        prepare(folder)
        with monkeypatch.context() as patch:
            finished = killed_at(folder, at, patch)
        readable = {name: data for name, data in state(folder).items() if "/." not in name}
        assert {json.loads(data)["content"] for data in readable.values()} == written
        record_copies.settle(folder, UUID)
        assert {name: data for name, data in state(folder).items() if "/." not in name} == state(whole)
        if finished:
            break
    assert at >= 3


def killed_at(folder: DataFolder, at: int, patch: pytest.MonkeyPatch) -> bool:
    """Settle until the at-th rename or unlink, before which the process dies; True when it came to its end."""
    operations = iter(range(at))
    dead = False

    def dies(operation: Callable[..., None]) -> Callable[..., None]:
        def guarded(*arguments: str) -> None:
            nonlocal dead
            if dead or next(operations, None) is None:
                dead = True  # a dead process cleans up nothing
                raise KilledError
            operation(*arguments)

        return guarded

    patch.setattr(os, "replace", dies(os.replace))
    patch.setattr(os, "unlink", dies(os.unlink))
    try:
        record_copies.settle(folder, UUID)
    except KilledError:
        return False
    return True


def test_deleting_what_a_sync_brought_over_its_tombstone_keeps_what_that_one_held(folder: DataFolder) -> None:
    put(folder.trash, note("deleted first", EARLY, deleted_at=EARLY))
    put(folder.records, note("edited elsewhere", LATE))
    records.delete(folder, UUID)
    assert "edited elsewhere" in contents(folder.trash)
    assert sorted(contents(folder.trash) + contents(folder.records)) == ["deleted first", "edited elsewhere"]


def test_restoring_over_a_stale_file_keeps_what_that_one_held(folder: DataFolder) -> None:
    put(folder.trash, note("deleted", LATE, deleted_at=LATER))
    put(folder.records, note("stale", EARLY))
    records.restore(folder, UUID)
    assert records.load(folder, UUID)["content"] == "deleted"
    assert contents(folder.trash) == ["stale"]


def test_an_unreadable_tombstone_is_not_overwritten_by_a_deletion(folder: DataFolder) -> None:
    put(folder.records, note("here"))
    put(folder.trash, b"broken")
    with pytest.raises(InvalidRecordError, match="trash"):
        records.delete(folder, UUID)
    assert Path(folder.trash, f"{UUID}.json").read_bytes() == b"broken"
    with pytest.raises((RecordNotFoundError, InvalidRecordError)):
        records.restore(folder, UUID)
