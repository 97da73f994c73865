"""The mirror follows the files, whatever happens to either."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from memories.core import mirror, mirror_scan, records
from memories.core.errors import LockTimeoutError, MirrorUnavailableError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord


@pytest.fixture(autouse=True, params=[0, mirror_scan.FINGERPRINT_ABOVE], ids=["as large", "as small"])
def _fingerprint_above(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test holds for a folder whose listing is compared by fingerprint and for one that is not."""
    monkeypatch.setattr(mirror_scan, "FINGERPRINT_ABOVE", request.param)


def _contents(folder: DataFolder) -> set[str]:
    connection = mirror.connect(folder.mirror)
    try:
        return {row[0] for row in connection.execute("SELECT content FROM memory")}
    finally:
        connection.close()


def _found(folder: DataFolder, word: str) -> int:
    connection = mirror.connect(folder.mirror)
    try:
        return int(
            connection.execute("SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?", (word,)).fetchone()[0]
        )
    finally:
        connection.close()


def _sound(folder: DataFolder) -> None:
    connection = mirror.connect(folder.mirror)
    try:
        connection.execute("INSERT INTO memory_fts (memory_fts, rank) VALUES ('integrity-check', 1)")
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        connection.close()


def _age(folder: DataFolder, uuid: str, seconds: int = 60) -> None:
    path = records.record_path(folder, uuid)
    past = os.stat(path).st_mtime_ns - seconds * 10**9
    os.utime(path, ns=(past, past))


def test_a_session_log_s_title_is_what_was_asked_first(folder: DataFolder, make_record: MakeRecord) -> None:
    log = "Project: shop · branch: main\n\n## Opening request\n> Fix the cart\n"
    make_record(log, type="session_log", session_id="s1")
    make_record("Project: shop", type="session_log", session_id="s2")
    make_record(log, type="note")
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    titles = {title for (title,) in connection.execute("SELECT title FROM memory")}
    connection.close()
    assert titles == {"Fix the cart", "Project: shop", "Project: shop · branch: main"}


def test_a_missing_mirror_is_built_from_the_files(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("The parser drops comments")
    result = mirror.update(folder)
    assert (result.rebuilt, result.added, result.total) == (True, 1, 1)
    assert _found(folder, "parser") == 1
    _sound(folder)


def test_the_mirror_is_private(folder: DataFolder) -> None:
    mirror.update(folder)
    assert os.stat(folder.mirror).st_mode & 0o077 == 0


def test_an_edit_a_new_file_and_a_deleted_file_are_followed(folder: DataFolder, make_record: MakeRecord) -> None:
    edited, gone = make_record("first version"), make_record("vanishes")
    mirror.update(folder)
    records.save(folder, edited | {"content": "second version"})
    os.unlink(records.record_path(folder, gone["uuid"]))
    make_record("fresh")
    result = mirror.update(folder)
    assert (result.added, result.changed, result.removed, result.rebuilt) == (1, 1, 1, False)
    assert _contents(folder) == {"second version", "fresh"}
    assert (_found(folder, "first"), _found(folder, "second"), _found(folder, "vanishes")) == (0, 1, 0)
    _sound(folder)


def test_an_old_file_that_did_not_change_is_not_read_again(folder: DataFolder, make_record: MakeRecord) -> None:
    _age(folder, make_record("quiet")["uuid"])
    mirror.update(folder)
    result = mirror.update(folder)
    assert (result.added, result.changed, result.removed) == (0, 0, 0)


def test_an_edit_within_the_same_clock_tick_and_of_the_same_size_is_seen(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("cats")
    mirror.update(folder)
    path = records.record_path(folder, record["uuid"])
    before = os.stat(path)
    Path(path).write_bytes(Path(path).read_bytes().replace(b"cats", b"dogs"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    mirror.update(folder)
    assert _contents(folder) == {"dogs"}


def test_a_link_to_a_record_that_comes_later_is_whole_when_it_comes(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    late = records.new_record(type="note", content="late")
    make_record("early", connections=[{"to_uuid": late["uuid"], "relationship": "related_to"}])
    mirror.update(folder)
    records.save(folder, late)
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    joined = connection.execute("SELECT content FROM link JOIN memory ON memory.uuid = link.to_uuid").fetchall()
    connection.close()
    assert joined == [("late",)]


def test_links_that_an_edit_removed_are_removed(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("text", connections=[{"to_uuid": "a" * 32, "relationship": "related_to"}] * 2)
    mirror.update(folder)
    records.save(folder, record | {"connections": []})
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    assert connection.execute("SELECT count(*) FROM link").fetchone() == (0,)
    connection.close()


def _other_version(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 77")
    connection.execute("CREATE TABLE strange (x)")
    connection.close()


def _noise(path: str) -> None:
    Path(path).write_bytes(os.urandom(50_000))


def _truncate(path: str) -> None:
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def _empty(path: str) -> None:
    Path(path).write_bytes(b"")


def _first_release(path: str) -> None:
    os.unlink(path)
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE memories (id TEXT, content TEXT); CREATE VIRTUAL TABLE memories_fts USING fts5(content)"
    )
    connection.close()


@pytest.mark.parametrize("damage", [os.unlink, _other_version, _noise, _truncate, _empty, _first_release])
def test_a_mirror_that_is_gone_damaged_or_of_another_version_is_rebuilt(
    folder: DataFolder, make_record: MakeRecord, damage: Any
) -> None:
    for number in range(60):
        make_record(f"memory number {number} " + "padding " * 60)
    mirror.update(folder)
    for suffix in ("-wal", "-shm"):
        Path(folder.mirror + suffix).unlink(missing_ok=True)
    damage(folder.mirror)
    assert mirror.update(folder).rebuilt
    assert len(_contents(folder)) == 60
    _sound(folder)


def test_a_link_to_nothing_in_place_of_the_mirror_is_replaced(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("one")
    os.symlink("/nowhere/at/all.db", folder.mirror)
    assert mirror.update(folder).total == 1
    assert not os.path.islink(folder.mirror)


def test_a_folder_in_place_of_the_mirror_is_said_and_left_alone(folder: DataFolder) -> None:
    os.mkdir(folder.mirror)
    with pytest.raises(StorageError, match="is a folder"):
        mirror.update(folder)
    assert os.path.isdir(folder.mirror)


def test_a_torn_write_ahead_log_does_not_lock_the_mirror_out_for_good(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    mirror.update(folder)
    reader = mirror.connect(folder.mirror)
    make_record("in the log")
    mirror.update(folder)
    torn = Path(folder.mirror + "-wal").read_bytes()
    reader.close()
    Path(folder.mirror + "-wal").write_bytes(torn[: len(torn) // 2 + 7])
    mirror.update(folder)
    assert _contents(folder) == {"in the log"}
    _sound(folder)


def test_a_reader_never_creates_a_mirror(folder: DataFolder) -> None:
    with pytest.raises(MirrorUnavailableError, match="sync"):
        mirror.connect(folder.mirror)
    assert not os.path.exists(folder.mirror)


def test_a_rebuild_in_place_keeps_open_connections_valid(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("before")
    mirror.update(folder)
    reader = mirror.connect(folder.mirror)
    reader.execute("SELECT count(*) FROM memory").fetchone()
    make_record("after")
    mirror.update(folder, rebuild=True)
    assert reader.execute("SELECT count(*) FROM memory").fetchone() == (2,)
    reader.close()


def test_only_one_process_updates_at_a_time(folder: DataFolder) -> None:
    with FileLock(os.path.join(folder.state, "mirror.lock")), pytest.raises(LockTimeoutError):
        mirror.update(folder)


def test_a_deadline_leaves_the_rest_for_the_next_update(folder: DataFolder, make_record: MakeRecord) -> None:
    mirror.update(folder)
    for number in range(mirror.CHECK_EVERY + 10):
        make_record(f"number {number}")
    first = mirror.update(folder, deadline=time.monotonic() - 1)
    assert not first.complete
    assert first.total == mirror.CHECK_EVERY
    assert mirror.update(folder).total == mirror.CHECK_EVERY + 10


def test_what_is_no_record_is_skipped_and_named_and_stops_nothing(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    make_record("good")
    base = Path(folder.records)
    (base / ("1" * 32 + ".json")).write_text("{", encoding="utf-8")
    (base / ("2" * 32 + ".json")).mkdir()
    (base / ("3" * 32 + ".json")).symlink_to(tmp_path / "elsewhere")
    with open(base / ("4" * 32 + ".json"), "wb") as file:
        file.truncate(50_000_000)
    (base / "readme.txt").write_text("hello", encoding="utf-8")
    (base / ("5" * 32 + ".sync-conflict-20260101-120000-ABCDEFG.json")).write_text("{}", encoding="utf-8")
    (base / os.fsdecode(b"bad\xff.json")).write_text("{}", encoding="utf-8")
    (base / ".hidden.json.tmp-1").write_text("{}", encoding="utf-8")
    result = mirror.update(folder)
    assert result.total == 1
    reasons = dict(result.skipped)
    assert len(reasons) == 7
    assert "JSON" in reasons["1" * 32 + ".json"]
    assert "folder" in reasons["2" * 32 + ".json"]
    assert "link" in reasons["3" * 32 + ".json"]
    assert "50,000,000" in reasons["4" * 32 + ".json"]
    assert "a copy that cannot be merged" in reasons["5" * 32 + ".sync-conflict-20260101-120000-ABCDEFG.json"]
    assert [name for name, _ in mirror.update(folder).skipped] == sorted(reasons)


def test_a_record_that_breaks_leaves_the_mirror_and_returns_when_mended(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("sound")
    mirror.update(folder)
    Path(records.record_path(folder, record["uuid"])).write_text("{", encoding="utf-8")
    assert mirror.update(folder).total == 0
    records.save(folder, record)
    result = mirror.update(folder)
    assert (result.total, result.skipped) == (1, [])


def test_a_tombstone_that_arrives_hides_the_record(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("deleted on the other machine", created_at="2020-01-01T00:00:00")
    _age(folder, record["uuid"])
    mirror.update(folder)
    grave = record | {"deleted_at": "2026-01-01T00:00:00"}
    (Path(folder.trash) / f"{record['uuid']}.json").write_bytes(records.dump(grave))
    result = mirror.update(folder)
    assert (result.total, result.removed) == (0, 1)


def test_a_record_is_seen_again_when_a_sync_takes_its_tombstone_away(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("restored on the other machine", created_at="2020-01-01T00:00:00")
    _age(folder, record["uuid"])
    grave = Path(records.trash_path(folder, record["uuid"]))
    grave.write_bytes(records.dump(record | {"deleted_at": "2026-01-01T00:00:00"}))
    assert mirror.update(folder).total == 0
    grave.unlink()
    result = mirror.update(folder)
    assert (result.total, result.skipped) == (1, [])


def test_an_edit_newer_than_the_tombstone_is_kept_and_reported(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("edited after", updated_at="2026-06-01T00:00:00")
    grave = record | {"deleted_at": "2026-01-01T00:00:00"}
    (Path(folder.trash) / f"{record['uuid']}.json").write_bytes(records.dump(grave))
    result = mirror.update(folder)
    assert (result.total, result.revived) == (1, [record["uuid"]])


def test_apply_records_makes_a_store_searchable_at_once(folder: DataFolder, make_record: MakeRecord) -> None:
    mirror.update(folder)
    record = make_record("immediately there")
    mirror.apply_records(folder, [record["uuid"]])
    assert _found(folder, "immediately") == 1
    assert mirror.update(folder).total == 1


def test_odd_text_is_indexed_without_harm(folder: DataFolder) -> None:
    record = records.new_record(type="note", content="zero\0byte and more")
    records.save(folder, record)
    raw = Path(records.record_path(folder, record["uuid"]))
    raw.write_bytes(raw.read_bytes().replace(b"and more", b"and \\ud800 more"))
    assert mirror.update(folder).total == 1
    assert _found(folder, "more") == 1


@pytest.mark.parametrize("field", ["archived_in", "origin", "tags", "session_id", "imported_from", "updated_at"])
def test_half_a_surrogate_pair_in_any_field_stops_no_update(
    folder: DataFolder, make_record: MakeRecord, field: str
) -> None:
    record = make_record("the odd one")
    make_record("the other one")
    raw = Path(records.record_path(folder, record["uuid"]))
    raw.write_bytes(json.dumps(record | {field: "half \ud800"}).encode())
    assert mirror.update(folder).total == 2
    assert _found(folder, "odd") == 1
    assert _found(folder, "other") == 1


def test_progress_counts_to_the_end(folder: DataFolder, make_record: MakeRecord) -> None:
    for number in range(5):
        make_record(f"number {number}")
    seen: list[tuple[int, int]] = []
    mirror.update(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)


def test_exact_duplicates_share_a_hash_whatever_their_spacing_and_case() -> None:
    from memories.core.mirror_rows import content_hash

    assert content_hash(" Deploys  go out\non Tuesdays ") == content_hash("deploys go out on tuesdays")
    assert content_hash("one") != content_hash("two")


def _settle(folder: DataFolder) -> None:
    """Make everything in the folder old enough to be trusted."""
    past = time.time() - 60
    for name in os.listdir(folder.records):
        os.utime(os.path.join(folder.records, name), (past, past))
    for path in (folder.records, folder.trash):
        os.utime(path, (past, past))


def _replace_in_place(path: str, old: bytes, new: bytes) -> None:
    data = Path(path).read_bytes()
    with open(path, "r+b") as file:
        file.write(data.replace(old, new))


def test_unchanged_folders_spare_a_look_at_each_file(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("cats")
    _settle(folder)
    mirror.update(folder)
    _replace_in_place(records.record_path(folder, record["uuid"]), b"cats", b"dogs")
    mirror.update(folder, trust_above=0)
    assert _contents(folder) == {"cats"}
    mirror.update(folder, trust_above=1)
    assert _contents(folder) == {"dogs"}


def test_trusting_the_folders_misses_no_new_renamed_removed_or_deleted_file(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    changed, gone, deleted = make_record("old text"), make_record("vanishes"), make_record("deleted elsewhere")
    _settle(folder)
    mirror.update(folder)
    make_record("new")
    records.save(folder, changed | {"content": "new text"})
    os.unlink(records.record_path(folder, gone["uuid"]))
    grave = deleted | {"deleted_at": "2999-01-01T00:00:00"}
    (Path(folder.trash) / f"{deleted['uuid']}.json").write_bytes(records.dump(grave))
    mirror.update(folder, trust_above=0)
    assert _contents(folder) == {"new", "new text"}


def test_trusting_the_folders_still_looks_again_at_files_that_were_too_young(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    record = make_record("cats")
    past = time.time() - 60
    for path in (folder.records, folder.trash):
        os.utime(path, (past, past))
    mirror.update(folder)
    _replace_in_place(records.record_path(folder, record["uuid"]), b"cats", b"dogs")
    mirror.update(folder, trust_above=0)
    assert _contents(folder) == {"dogs"}


@pytest.mark.parametrize("through", ["scan", "apply"])
def test_a_file_put_back_to_an_earlier_state_is_read_again(
    folder: DataFolder, make_record: MakeRecord, through: str
) -> None:
    record = make_record("before the edit")
    path = Path(records.record_path(folder, record["uuid"]))
    _age(folder, record["uuid"])
    mirror.update(folder)
    mirror.update(folder)  # notes that nothing changed
    kept, found = path.read_bytes(), path.stat()
    path.write_bytes(kept.replace(b"before the edit", b"after the edit"))
    if through == "scan":
        mirror.update(folder)
    else:
        mirror.apply_records(folder, [record["uuid"]])
    assert _contents(folder) == {"after the edit"}
    path.write_bytes(kept)
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    mirror.update(folder)
    assert _contents(folder) == {"before the edit"}


def test_an_unchanged_large_folder_is_known_by_its_fingerprint(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_scan, "FINGERPRINT_ABOVE", 1)
    for text in ("one", "two"):
        _age(folder, make_record(text)["uuid"])
    mirror.update(folder)
    mirror.update(folder)

    def compare_each(connection: sqlite3.Connection) -> set[tuple[str, int, int]]:
        raise AssertionError("the fingerprint was the same")

    monkeypatch.setattr(mirror_scan, "_known_files", compare_each)
    assert mirror.update(folder).total == 2


def test_a_scan_removes_the_temp_files_of_dead_processes(folder: DataFolder) -> None:
    dead = Path(folder.records) / ".x.json.tmp-4194305"
    dead.touch()
    mirror.update(folder)
    assert not dead.exists()


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"turns": 12, "entrypoint": "cli"}, (12, 0)),
        ({"turns": 2, "entrypoint": "sdk-cli"}, (2, 1)),
        ({"turns": 0, "entrypoint": "mixed"}, (0, 0)),
        ({}, (None, 0)),
        ({"turns": True, "entrypoint": ["sdk-cli"]}, (None, 0)),
        ({"turns": -1, "entrypoint": None}, (None, 0)),
        ({"turns": 10**30}, (None, 0)),
        ({"turns": "12", "entrypoint": "SDK-CLI"}, (None, 0)),
    ],
)
def test_a_session_logs_turns_and_whether_it_was_a_one_shot_run_are_columns(
    folder: DataFolder, make_record: MakeRecord, fields: dict[str, Any], row: tuple[int | None, int]
) -> None:
    make_record("a log", type="session_log", session_id="s1", **fields)
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    found = connection.execute("SELECT turns, one_shot FROM memory").fetchone()
    connection.close()
    assert found == row


@pytest.mark.parametrize(
    ("value", "column"),
    [("ab" * 16, "ab" * 16), (None, None), ("", None), ("AB" * 16, None), (7, None), (["ab" * 16], None)],
)
def test_what_a_kept_content_lost_to_is_a_column(
    folder: DataFolder, make_record: MakeRecord, value: Any, column: str | None
) -> None:
    make_record("kept", conflict_of=value)
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    found = connection.execute("SELECT conflict_of FROM memory").fetchone()
    connection.close()
    assert found == (column,)


def test_a_copy_is_said_to_wait_or_why_it_cannot_be_merged(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("the record")
    base, uuid = Path(folder.records), record["uuid"]
    (base / f"{uuid} (conflicted copy 2026-03-14 091244).json").write_bytes(records.dump(record))
    (base / f"{uuid}.sync-conflict-20260314-091244-ABCDEFG.json").write_bytes(b"{ half")
    (base / f"{uuid} (1).json").mkdir()
    (base / "0123.sync-conflict-20260314-091244-ABCDEFG.json").write_bytes(b"{}")
    reasons = dict(mirror.update(folder).skipped)
    assert reasons == {
        f"{uuid} (conflicted copy 2026-03-14 091244).json": mirror.WAITING_COPY,
        f"{uuid}.sync-conflict-20260314-091244-ABCDEFG.json": reasons[
            f"{uuid}.sync-conflict-20260314-091244-ABCDEFG.json"
        ],
        f"{uuid} (1).json": "a copy that cannot be merged: a folder or special file, not a record",
        "0123.sync-conflict-20260314-091244-ABCDEFG.json": "its name is not <32 hex digits>.json",
    }
    assert "not JSON" in reasons[f"{uuid}.sync-conflict-20260314-091244-ABCDEFG.json"]
    assert mirror.update(folder).total == 1
