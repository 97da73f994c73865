"""Records: format, atomic writes, tombstones."""

from __future__ import annotations

import json
import os
import stat
import uuid as uuids
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import clock, records, session_logs
from memories.core.errors import InvalidRecordError, RecordNotFoundError, StorageError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord


def test_a_saved_record_loads_again_with_every_field(folder: DataFolder) -> None:
    record = records.new_record(
        type="note", content="  Deploys go out on Tuesdays.  ", project="orders-api", importance=8
    )
    records.save(folder, record)
    assert record["content"] == "Deploys go out on Tuesdays."
    assert records.load(folder, record["uuid"]) == record


def test_a_file_is_private_indented_utf8_with_a_newline_at_its_end(folder: DataFolder, make_record: MakeRecord) -> None:
    path = records.record_path(folder, make_record("Grüße 🎉")["uuid"])
    text = Path(path).read_text(encoding="utf-8")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(folder.records).st_mode) == 0o700
    assert text.endswith("}\n")
    assert '\n  "content": "Grüße 🎉"' in text


def test_unknown_fields_survive_a_rewrite(folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record("text", mood={"of": ["the", "day"]})["uuid"]
    records.update(folder, uuid, lambda record: record.update(tags="new") is None)
    assert records.load(folder, uuid)["mood"] == {"of": ["the", "day"]}


def test_an_update_stamps_time_and_machine_but_not_on_logs_derived_from_a_transcript(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    derived = make_record("a log", type="session_log", uuid=session_logs.log_uuid("s"), session_id="s", origin=None)
    for record in (make_record("a note"), make_record("by hand", type="session_log", session_id="s"), derived):
        records.update(folder, record["uuid"], lambda record: record.update(tags="x") is None)
        stamped = records.load(folder, record["uuid"])
        assert ("updated_at" in stamped) == (record is not derived)
        assert stamped["origin"] == (None if record is derived else records.machine_name())


def _arrives(monkeypatch: pytest.MonkeyPatch, path: str, *versions: dict[str, Any]) -> None:
    """Let a file sync put these versions in place, one at each fsync: between our reading and our rename."""
    arriving, fsync = [*versions], os.fsync

    def sync_writes(fd: int) -> None:
        fsync(fd)
        if arriving:
            Path(path + ".arrives").write_bytes(records.dump(arriving.pop(0)))
            os.replace(path + ".arrives", path)

    monkeypatch.setattr(os, "fsync", sync_writes)


def test_an_update_goes_on_from_the_version_that_a_file_sync_brings_meanwhile(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record("old", created_at="2026-01-01T00:00:00")
    _arrives(monkeypatch, records.record_path(folder, record["uuid"]), record | {"content": "brought"})
    records.update(folder, record["uuid"], lambda found: found.update(tags="x") is None)
    found = records.load(folder, record["uuid"])
    assert (found["content"], found["tags"]) == ("brought", "x")
    assert os.listdir(folder.records) == [f"{record['uuid']}.json"]


def test_a_record_that_is_written_all_the_time_is_an_error_and_stays_as_it_is(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record("old")
    brought = [record | {"content": f"brought {number}"} for number in range(9)]
    _arrives(monkeypatch, records.record_path(folder, record["uuid"]), *brought)
    with pytest.raises(StorageError, match="try again"):
        records.update(folder, record["uuid"], lambda found: found.update(tags="x") is None)
    assert records.load(folder, record["uuid"])["tags"] is None


@pytest.mark.parametrize("field", ["updated_at", "deleted_at"])
@pytest.mark.parametrize("value", ["10000-01-01T00:00:00", "yesterday", ""])
def test_a_time_that_nobody_can_read_is_not_written(folder: DataFolder, field: str, value: str) -> None:
    with pytest.raises(InvalidRecordError, match=field):
        records.save(folder, records.new_record(type="note", content="text") | {field: value})
    assert os.listdir(folder.records) == []


@pytest.mark.parametrize("when", ["9999-12-31T23:59:58", "9999-12-31T23:59:59", "9999-12-31T23:59:59-12:00"])
def test_at_the_end_of_time_a_record_can_still_be_changed_deleted_and_restored(
    folder: DataFolder, make_record: MakeRecord, when: str
) -> None:
    uuid = make_record("text", updated_at=when)["uuid"]
    records.update(folder, uuid, lambda record: record.update(tags="x") is None)
    assert records.load(folder, uuid)["updated_at"] == "9999-12-31T23:59:59"
    edited = make_record("text", updated_at=when)
    grave = records.delete(folder, edited["uuid"])
    assert grave["deleted_at"] == "9999-12-31T23:59:59"
    assert records.stays_deleted(edited, grave)
    records.restore(folder, edited["uuid"])
    assert records.load(folder, edited["uuid"])["updated_at"] == "9999-12-31T23:59:59"


def test_a_change_that_changes_nothing_leaves_the_file_as_it_is(folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record("text")["uuid"]
    before = Path(records.record_path(folder, uuid)).read_bytes()
    records.update(folder, uuid, lambda record: False)
    assert Path(records.record_path(folder, uuid)).read_bytes() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema_version", 2), ("schema_version", True), ("uuid", "ABC"), ("type", "thought"), ("content", "  "),
        ("content", 5), ("project", 3), ("tags", ["a"]), ("importance", 0), ("importance", 11), ("importance", True),
        ("importance", "5"),
        ("created_at", "yesterday"), ("created_at", None), ("connections", {}), ("status", "gone"),
    ],
)  # fmt: skip
def test_a_field_that_breaks_the_format_is_refused_and_named(folder: DataFolder, field: str, value: Any) -> None:
    record = records.new_record(type="note", content="text") | {field: value}
    with pytest.raises(InvalidRecordError, match=field):
        records.save(folder, record)
    assert os.listdir(folder.records) == []


def test_a_narrative_needs_a_project() -> None:
    with pytest.raises(InvalidRecordError, match="project"):
        records.new_record(type="narrative", content="text")


@pytest.mark.parametrize("uuid", ["../../etc/passwd", "", "0" * 31, "0" * 33, "G" * 32, "0" * 31 + "\n"])
def test_no_id_leads_out_of_the_folder(folder: DataFolder, uuid: str) -> None:
    with pytest.raises(InvalidRecordError, match="not a record id"):
        records.load(folder, uuid)


def test_a_missing_record_is_an_error_that_says_how_to_find_ids(folder: DataFolder) -> None:
    with pytest.raises(RecordNotFoundError, match="memory_search"):
        records.load(folder, "0" * 32)


def _write(folder: DataFolder, data: bytes, uuid: str = "a" * 32) -> str:
    Path(records.record_path(folder, uuid)).write_bytes(data)
    return uuid


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"\0" * 10,
        b'"\xed\xa0\x80"',
    ],
    ids=["empty", "cut", "list", "not utf-8", "null", "deep", "huge number", "NUL bytes", "a surrogate as utf-8"],
)  # fmt: skip
def test_a_file_that_is_no_record_is_an_error_with_its_path_and_stays(folder: DataFolder, data: bytes) -> None:
    uuid = _write(folder, data)
    with pytest.raises(InvalidRecordError, match=uuid):
        records.load(folder, uuid)
    assert Path(records.record_path(folder, uuid)).read_bytes() == data


def test_a_symbolic_link_and_a_folder_are_not_records(folder: DataFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(
        json.dumps(records.new_record(type="note", content="secret") | {"uuid": "b" * 32}), encoding="utf-8"
    )
    os.symlink(secret, records.record_path(folder, "b" * 32))
    os.mkdir(records.record_path(folder, "c" * 32))
    for uuid in ("b" * 32, "c" * 32):
        with pytest.raises(InvalidRecordError, match="not a readable record"):
            records.load(folder, uuid)


def test_a_record_under_another_records_name_is_refused(folder: DataFolder) -> None:
    record = records.new_record(type="note", content="text")
    _write(folder, records.dump(record), "d" * 32)
    with pytest.raises(InvalidRecordError, match=record["uuid"]):
        records.load(folder, "d" * 32)


def test_half_a_surrogate_pair_is_refused_before_anything_is_written(folder: DataFolder) -> None:
    with pytest.raises(InvalidRecordError, match="Unicode"):
        records.save(folder, records.new_record(type="note", content="broken \ud800"))
    assert os.listdir(folder.records) == []


def test_a_file_that_came_with_half_a_surrogate_pair_can_still_be_changed_and_deleted(folder: DataFolder) -> None:
    record = records.new_record(type="note", content="text")
    uuid = _write(folder, records.dump(record).replace(b'"text"', b'"half \\ud800"'), record["uuid"])
    records.update(folder, uuid, lambda found: found.update(tags="x") is None)
    assert records.load(folder, uuid)["content"] == "half \ud800"
    records.delete(folder, uuid)
    assert records.tombstone(folder, uuid) is not None


def test_a_write_that_fails_keeps_the_old_file_and_no_temp_file(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("old")
    blocked = os.path.join(folder.records, f".{record['uuid']}.json.tmp-{os.getpid()}")
    os.mkdir(blocked)
    with pytest.raises(StorageError, match="free space"):
        records.save(folder, record | {"content": "new"})
    os.rmdir(blocked)
    assert records.load(folder, record["uuid"])["content"] == "old"


def test_deleting_keeps_the_whole_record_in_trash_with_its_time(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("to go")
    records.delete(folder, record["uuid"])
    grave = records.tombstone(folder, record["uuid"])
    assert grave is not None
    assert clock.parse_time(grave.pop("deleted_at")) is not None
    assert grave == record
    with pytest.raises(RecordNotFoundError):
        records.load(folder, record["uuid"])


def test_a_file_that_a_sync_brings_back_stays_deleted(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("to go")
    records.delete(folder, record["uuid"])
    records.save(folder, record)
    with pytest.raises(RecordNotFoundError, match="restore"):
        records.load(folder, record["uuid"])


def test_an_edit_newer_than_the_tombstone_wins(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("to go")
    records.delete(folder, record["uuid"])
    records.save(folder, record | {"updated_at": "2999-01-01T00:00:00"})
    assert records.load(folder, record["uuid"])["content"] == "to go"


def test_a_restored_record_wins_over_copies_of_its_tombstone(folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record("back again")["uuid"]
    records.delete(folder, uuid)
    grave = records.tombstone(folder, uuid)
    records.restore(folder, uuid)
    assert grave is not None
    assert os.listdir(folder.trash) == []
    assert not records.stays_deleted(records.load(folder, uuid), grave)


def test_restoring_what_is_not_in_trash_is_an_error(folder: DataFolder) -> None:
    with pytest.raises(RecordNotFoundError, match="trash"):
        records.restore(folder, "e" * 32)


def _at(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def test_an_edit_made_in_sight_of_a_later_time_is_later_still(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = make_record("text", created_at="2026-03-01T12:00:00", updated_at="2026-03-15T12:00:00")["uuid"]
    _at(monkeypatch, "2026-03-14T12:00:00")
    records.update(folder, uuid, lambda record: record.update(tags="x") is None)
    assert records.load(folder, uuid)["updated_at"] == "2026-03-15T12:00:01"


def test_an_edit_with_a_clock_that_is_right_carries_that_time(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = make_record("text", created_at="2026-03-01T12:00:00", updated_at="2026-03-14T12:00:00")["uuid"]
    for now in ("2026-03-14T12:00:00", "2026-03-14T13:00:00"):
        _at(monkeypatch, now)
        records.update(folder, uuid, lambda record, now=now: record.update(tags=now) is None)  # type: ignore[misc]
        assert records.load(folder, uuid)["updated_at"] == now


def test_deleting_and_restoring_with_a_clock_a_day_behind_hold(
    folder: DataFolder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record("text", updated_at="2026-03-15T12:00:00")
    _at(monkeypatch, "2026-03-14T12:00:00")
    grave = records.delete(folder, record["uuid"])
    assert records.stays_deleted(record, grave)
    records.restore(folder, record["uuid"])
    assert not records.stays_deleted(records.load(folder, record["uuid"]), grave)


@given(st.uuids(), st.text())
def test_uuid5_is_that_of_the_standard_library(namespace: uuids.UUID, name: str) -> None:
    expected = uuids.uuid5(namespace, name.encode("utf-8", "replace").decode()).hex
    assert records.uuid5(str(namespace), name.encode("utf-8", "replace").decode()) == expected
    assert records.uuid5(namespace.hex, name.encode("utf-8", "replace").decode()) == expected


def test_half_a_surrogate_pair_has_a_uuid5_of_its_own() -> None:
    assert records.is_uuid(records.uuid5("a" * 32, "\ud800"))
    assert records.uuid5("a" * 32, "\ud800") != records.uuid5("a" * 32, "\ud801")


@pytest.mark.parametrize(
    ("stored", "tags"),
    [
        (None, []), ("", []), (" , ,", []), ("deploy", ["deploy"]), (" b ,a,b, a b ", ["b", "a", "a b"]), (["a"], []),
    ],
)  # fmt: skip
def test_tags_are_read_in_order_each_once(stored: object, tags: list[str]) -> None:
    assert records.tag_list(stored) == tags


@pytest.mark.parametrize(
    ("stored", "items"),
    [
        (None, []), ("~/x/a.jsonl, b", ["~/x/a.jsonl", "b"]), ('["a", " b ", 5, ""]', ["a", "b"]), ("a\na", ["a", "a"]),
        ('"a"', ['"a"']), (["a", None], ["a"]), ("[" * 9, ["[" * 9]), (5, []),
    ],
)  # fmt: skip
def test_references_are_read_as_they_are_written(stored: object, items: list[str]) -> None:
    assert records.ref_items(stored) == items


@pytest.mark.parametrize("deleted_at", [None, "never", 5])
def test_a_file_in_trash_without_a_time_is_no_tombstone(folder: DataFolder, deleted_at: object) -> None:
    record = records.new_record(type="note", content="text") | {"deleted_at": deleted_at}
    with pytest.raises(InvalidRecordError, match="deleted_at"):
        records.parse_tombstone(records.dump(record), record["uuid"])
    Path(records.trash_path(folder, record["uuid"])).write_bytes(records.dump(record))
    assert records.tombstone(folder, record["uuid"]) is None


@pytest.mark.parametrize(
    ("stored", "refs"),
    [
        (None, []), ("", []), ("abc", ["abc"]), ("/home/u/.claude/projects/-x/abc.jsonl", ["abc"]),
        ('["a", "b.jsonl"]', ["a", "b"]),
        ("a, b,a", ["a", "b"]), ("a\nb\n", ["a", "b"]), (["a", 5, "~/x/b.jsonl"], ["a", "b"]),
        ("[broken", ["[broken"]), ("{}", ["{}"]), ('["half \\udc00"]', ["half ?"]),
    ],
)  # fmt: skip
def test_every_form_of_transcript_ref_is_read(stored: object, refs: list[str]) -> None:
    assert records.session_refs(stored) == refs


_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_json = st.recursive(_scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(
    st.dictionaries(
        st.sampled_from(["uuid", "type", "content", "connections", "importance", "tags"]) | st.text(), _json
    )
)
def test_any_json_object_is_a_record_or_a_clear_error(value: dict[str, Any]) -> None:
    data = json.dumps({"uuid": "a" * 32, "type": "note", "created_at": "2026-01-01T00:00:00"} | value).encode()
    try:
        record = records.parse(data, "a" * 32)
    except InvalidRecordError as error:
        assert str(error)
    else:
        assert all(records.is_uuid(uuid) for uuid, _ in records.valid_connections(record))


@given(st.binary())
def test_any_bytes_are_a_record_or_a_clear_error(data: bytes) -> None:
    with pytest.raises(InvalidRecordError):
        records.parse(data, "a" * 32)
