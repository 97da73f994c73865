"""Merging versions of a record: a join, whatever the records hold, and the cases that people meet."""

from __future__ import annotations

import itertools
import json
import uuid as uuids
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memories.core import record_merge, records, session_logs

Record = dict[str, Any]
AS_USUAL = settings().max_examples
"""Examples of a test that names no number, in this run (tests/conftest.py)."""

UUID = "a" * 32
SESSION = "22c27cac-b859-4875-a798-6d086e9ce27f"
LOG = session_logs.log_uuid(SESSION)

_TEXT = st.text(max_size=4) | st.sampled_from(["x", "é", "\ud800", "a, b", " ", "[1]"])
_SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), float("-inf"), 10**400, -(10**400)])
    | _TEXT
)
_JSON = st.recursive(
    _SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=6
)
_CONTENTS = ["first", "second", "third", "half \ud800"]
_LINKS = st.builds(
    lambda to, kind, more: {"to_uuid": to, "relationship": kind, **more},
    st.sampled_from(["b" * 32, "c" * 32, *(record_merge.kept_uuid(UUID, content) for content in _CONTENTS)]),
    st.sampled_from(records.RELATIONSHIPS),
    st.sampled_from([{}, {}, {"note": "why"}]),
)
_TIMES = st.sampled_from(
    ["2026-01-01T00:00:00", "2026-01-02T00:00:00", "2026-01-01T02:00:00+02:00", "1970-01-01T00:00:00"]
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "schema_version": st.just(1),
    "type": st.sampled_from(["note", "note", "narrative"]),
    "project": st.sampled_from(["orders-api", "billing"]),
    "importance": st.none() | st.integers(1, 10),
    "transcript_ref": st.none() | st.sampled_from(["a", "b, a", '["b", "c"]', '["c", "b"]', "", "x\ny", "[broken"]),
    "tags": st.none() | st.sampled_from(["deploy", " deploy , billing", "", " , ", "billing,deploy", "b, a, b"]),
    "connections": st.none() | st.lists(_LINKS | _JSON, max_size=3),
    "status": st.none() | st.sampled_from(records.STATUSES),
    "archived_in": st.none() | st.just("d" * 32),
    "updated_at": st.none() | _TIMES,
    "origin": st.none() | st.sampled_from(["laptop", "workstation"]),
    "processed_bytes": st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)) | _JSON,
    "mood": _JSON,
    "colour": _JSON,
    "deleted_at": _TIMES | st.just("never"),
}


@st.composite
def versions(draw: st.DrawFn) -> Record:
    """A version as it may stand in a file: absent and null fields, any order of fields, unknown ones."""
    fields = {"uuid": UUID, "content": draw(st.sampled_from(_CONTENTS)), "created_at": draw(_TIMES)}
    fields |= draw(st.fixed_dictionaries({"type": _FIELDS["type"], "project": _FIELDS["project"]}))
    for name in draw(st.lists(st.sampled_from(sorted(_FIELDS)), unique=True)):
        fields[name] = draw(_FIELDS[name])
    names = draw(st.permutations(sorted(fields)))
    data = json.dumps({name: fields[name] for name in names}).encode("ascii")
    return records.parse(data, UUID)


def join(states: list[dict[str, Record]]) -> dict[str, Record]:
    """What folders come to that hold these records by uuid: kept contents joined under their own uuids."""
    result: dict[str, Record] = {}
    waiting = [record for state in states for record in state.values()]
    while waiting:
        uuid = waiting[0]["uuid"]
        same = [record for record in waiting if record["uuid"] == uuid]
        merged = record_merge.merge([*same, *([result[uuid]] if uuid in result else [])])
        result[uuid] = merged.record
        waiting = [record for record in waiting if record["uuid"] != uuid] + merged.kept
    return result


def to_bytes(state: dict[str, Record]) -> dict[str, bytes]:
    """A joined state as files. The kept record of the content that won in the end is no part of what merging says."""
    own = record_merge.kept_uuid(UUID, state[UUID]["content"])
    return {uuid: records.dump(record) for uuid, record in state.items() if uuid != own}


@settings(max_examples=4 * AS_USUAL, deadline=None)
@given(st.lists(versions(), min_size=1, max_size=4), st.data())
def test_the_order_of_versions_makes_no_difference_to_any_byte(
    given_versions: list[Record], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(given_versions))
    one, other = record_merge.merge(given_versions), record_merge.merge(shuffled)
    assert records.dump(one.record) == records.dump(other.record)
    assert [records.dump(kept) for kept in one.kept] == [records.dump(kept) for kept in other.kept]


@settings(max_examples=4 * AS_USUAL, deadline=None)
@given(st.lists(versions(), min_size=2, max_size=4), st.data())
def test_merging_in_steps_comes_to_what_merging_at_once_does(given_versions: list[Record], data: st.DataObject) -> None:
    at_once = to_bytes(join([{UUID: version} for version in given_versions]))
    states = [{UUID: version} for version in given_versions]
    while len(states) > 1:
        states = data.draw(st.permutations(states))
        states = [join(states[:2]), *states[2:]]
    assert to_bytes(states[0]) == at_once


@settings(max_examples=3 * AS_USUAL, deadline=None)
@given(st.lists(versions(), min_size=1, max_size=3))
def test_merging_again_what_was_merged_changes_no_byte(given_versions: list[Record]) -> None:
    merged = join([{UUID: version} for version in given_versions])
    for again in ([merged], [merged, merged], [merged, *({UUID: version} for version in given_versions)]):
        assert {uuid: records.dump(record) for uuid, record in join(again).items()} == {
            uuid: records.dump(record) for uuid, record in merged.items()
        }


@settings(max_examples=3 * AS_USUAL, deadline=None)
@given(st.lists(versions(), min_size=1, max_size=3))
def test_a_merge_is_valid_readable_loses_no_content_and_leaves_its_input_alone(given_versions: list[Record]) -> None:
    before = [records.dump(version) for version in given_versions]
    merged = record_merge.merge(given_versions)
    assert [records.dump(version) for version in given_versions] == before
    for record in (merged.record, *merged.kept):
        assert records.dump(records.parse(records.dump(record), record["uuid"])) == records.dump(record)
    assert {record["content"] for record in (merged.record, *merged.kept)} == {
        version["content"] for version in given_versions
    }
    assert set(merged.record) - {"connections"} <= {name for version in given_versions for name in version}


@given(st.lists(_JSON, min_size=3, max_size=3))
def test_unknown_fields_of_any_value_are_joined_alike_in_any_grouping(values: list[Any]) -> None:
    results = set()
    for one, two, three in itertools.permutations([note(mood=value) for value in values]):
        first = record_merge.merge([one, two]).record
        results.add(records.dump(record_merge.merge([first, three]).record))
    assert len(results) == 1


def note(content: str = "text", **fields: Any) -> Record:
    """A version of one note."""
    fields = {"created_at": "2026-03-14T09:00:00", "origin": "laptop", "connections": [], **fields}
    return {"schema_version": 1, "uuid": UUID, "type": "note", "content": content, "project": "orders-api", **fields}


def link(to: str, relationship: str = "related_to") -> Record:
    return {"to_uuid": to * 32, "relationship": relationship}


def test_the_later_edit_wins_and_the_other_content_is_kept_archived_and_superseded() -> None:
    early = note("Deploys on Tuesdays", updated_at="2026-03-14T10:00:00", importance=9)
    late = note("Deploys on Thursdays", updated_at="2026-03-14T11:00:00", origin="workstation", importance=3)
    merged = record_merge.merge([early, late])
    (kept,) = merged.kept
    assert merged.record == late | {"connections": [{"to_uuid": kept["uuid"], "relationship": "supersedes"}]}
    assert kept == early | {
        "uuid": uuids.uuid5(uuids.UUID(UUID), "Deploys on Tuesdays").hex,
        "status": "archived",
        "archived_in": UUID,
        "conflict_of": UUID,
    }


def test_of_edits_in_the_same_second_the_greater_origin_wins() -> None:
    laptop, workstation = note("one"), note("two", origin="workstation")
    assert record_merge.merge([laptop, workstation]).record["content"] == "two"


def test_an_edit_and_a_connection_made_apart_are_both_in_the_merged_record() -> None:
    edited = note("new text", updated_at="2026-03-14T11:00:00", connections=[link("b")])
    connected = note("text", updated_at="2026-03-14T10:00:00", connections=[link("c")])
    merged = record_merge.merge([edited, connected])
    assert merged.record["content"] == "new text"
    assert link("b") in merged.record["connections"]
    assert link("c") in merged.record["connections"]
    assert merged.kept[0]["connections"] == []


def test_versions_with_the_same_content_keep_nothing_beside() -> None:
    merged = record_merge.merge([note(tags="b, a"), note(tags="c", updated_at="2026-03-14T10:00:00")])
    assert merged.kept == []
    assert merged.record["tags"] == "a, b, c"


def test_session_references_in_different_forms_are_united() -> None:
    merged = record_merge.merge([note(transcript_ref="one, two"), note(transcript_ref='["three", "two"]')])
    assert records.ref_items(merged.record["transcript_ref"]) == ["one", "three", "two"]


def test_what_a_narrative_covers_is_united_and_grows() -> None:
    merged = record_merge.merge([note(processed_bytes={"s": 5, "t": 1}), note(processed_bytes={"s": 7, "u": 2})])
    assert merged.record["processed_bytes"] == {"s": 7, "t": 1, "u": 2}


def test_status_comes_with_the_version_that_wins_and_so_does_its_absence() -> None:
    archived = note(status="archived", archived_in="b" * 32)
    active = note(updated_at="2026-03-15T00:00:00", status="active")
    merged = record_merge.merge([archived, active]).record
    assert merged["status"] == "active"
    assert "archived_in" not in merged


def test_a_content_that_lost_and_wins_later_is_not_its_own_predecessor() -> None:
    one, two = note("one"), note("two", updated_at="2026-03-14T10:00:00")
    first = record_merge.merge([one, two]).record
    again = record_merge.merge([first, note("one", updated_at="2026-03-14T11:00:00")])
    assert [kept["content"] for kept in again.kept] == ["two"]
    assert again.record["connections"] == [{"to_uuid": again.kept[0]["uuid"], "relationship": "supersedes"}]


def test_entries_that_are_there_twice_beside_a_dropped_link_do_not_come_and_go() -> None:
    own = {"to_uuid": record_merge.kept_uuid(UUID, "text"), "relationship": "supersedes"}
    version = note(connections=[None, None, own])
    merged = record_merge.merge([version]).record
    assert record_merge.merge([merged, version]).record == merged


def test_a_users_own_link_to_a_kept_content_outlives_that_contents_return() -> None:
    own = {"to_uuid": record_merge.kept_uuid(UUID, "one"), "relationship": "related_to"}
    merged = record_merge.merge([note("one", updated_at="2026-03-14T10:00:00"), note("two", connections=[own])])
    assert own in merged.record["connections"]


def log(content: str, ended: str, **fields: Any) -> Record:
    """A version of one session's log."""
    fields = {"uuid": session_logs.log_uuid(SESSION), "session_id": SESSION, "type": "session_log", **fields}
    return note(content, **fields, created_at=ended)


def test_of_a_session_s_logs_the_longer_stays_and_nothing_is_kept_beside() -> None:
    short, whole = log("asked", "2026-03-14T10:00:00", tags="mine"), log("asked, answered", "2026-03-14T11:00:00")
    merged = record_merge.merge([whole, short])
    assert merged.kept == []
    assert merged.record["content"] == "asked, answered"
    assert merged.record["tags"] == "mine"


def test_a_restored_log_gives_way_to_a_longer_one_which_is_then_restored_too() -> None:
    restored = log("asked", "2026-03-14T10:00:00", updated_at="2026-03-20T00:00:00", origin="laptop")
    longer = log("asked, answered", "2026-03-14T11:00:00", origin="workstation")
    merged = record_merge.merge([restored, longer])
    assert (merged.record["content"], merged.kept) == ("asked, answered", [])
    assert (merged.record["updated_at"], merged.record["origin"]) == ("2026-03-20T00:00:00", "laptop")


def test_what_stands_under_a_logs_uuid_and_is_none_is_kept_beside_the_log() -> None:
    edited = log("by hand", "2026-03-14T10:00:00", type="note", updated_at="2026-04-01T00:00:00")
    merged = record_merge.merge([log("told", "2026-03-14T10:00:00"), edited])
    assert merged.record["content"] == "told"
    assert [kept["content"] for kept in merged.kept] == ["by hand"]


@settings(max_examples=3 * AS_USUAL, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda content, ended, more: log(content, ended, **more),
            st.sampled_from(["a", "b", "c"]),
            _TIMES,
            st.fixed_dictionaries(
                {"type": st.sampled_from(["session_log", "session_log", "note"])},
                optional={
                    "updated_at": st.none() | _TIMES | st.just("never"),
                    "origin": st.none() | st.sampled_from(["laptop", "workstation"]),
                    "status": st.sampled_from(records.STATUSES),
                    "turns": st.integers(0, 2),
                },
            ),
        ),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_logs_of_a_session_are_joined_alike_in_any_order_and_grouping(logs: list[Record], data: st.DataObject) -> None:
    """But for what is kept of a version that is no log, with a log's text: the log's own text is not."""
    at_once = join([{LOG: one} for one in logs])
    states = [{LOG: one} for one in data.draw(st.permutations(logs))]
    while len(states) > 1:
        states = data.draw(st.permutations(states))
        states = [join(states[:2]), *states[2:]]
    again = join([at_once, at_once, *({LOG: one} for one in logs)])
    if all(map(record_merge.is_derived, logs)):
        assert states[0] == at_once == again
    ours = [{name: one[LOG].get(name) for name in record_merge.LATEST} for one in (at_once, states[0], again)]
    assert ours[0] == ours[1] == ours[2]
    edits = map(records.last_edit, filter(record_merge.is_derived, logs))
    assert records.last_edit(at_once[LOG]) >= max(edits, default=0)


def test_a_session_log_that_no_machine_derived_is_kept_like_a_note() -> None:
    stored = note("by hand", type="session_log", session_id=SESSION)
    other = note("by another hand", type="session_log", session_id=SESSION, updated_at="2026-03-15T00:00:00")
    assert [kept["content"] for kept in record_merge.merge([stored, other]).kept] == ["by hand"]


def test_a_tombstone_of_two_carries_the_later_deletion() -> None:
    early, late = note(deleted_at="2026-03-14T10:00:00"), note(deleted_at="2026-03-14T10:00:00-05:00")
    assert record_merge.merge([late, early]).record["deleted_at"] == "2026-03-14T10:00:00-05:00"


def test_a_record_that_prevails_over_a_tombstone_takes_only_its_content_beside() -> None:
    winner, grave = note("kept on", tags="a"), note("deleted", tags="b", deleted_at="2026-01-01T00:00:00")
    merged = record_merge.prevail(winner, [winner, grave])
    assert [kept["content"] for kept in merged.kept] == ["deleted"]
    assert "deleted_at" not in merged.kept[0]
    assert merged.record["tags"] == "a"


@pytest.mark.parametrize(
    "value", [float("nan"), {"b": 1, "a": [{"d": 1, "c": 2}]}, [[[]]], "\ud800", 10**400, True, -0.0]
)
def test_any_value_of_a_field_that_nobody_knows_survives(value: Any) -> None:
    merged = record_merge.merge([note("one", mood=value), note("two")]).record
    assert record_merge.canonical(merged["mood"]) == record_merge.canonical(value)


def test_values_that_python_calls_equal_are_still_told_apart() -> None:
    merged = {
        records.dump(record_merge.merge([note(mood=[one]), note(mood=[two])]).record)
        for one, two in itertools.permutations([True, 1, 1.0], 2)
        if {type(one), type(two)} == {bool, int}
    }
    assert len(merged) == 1


def test_objects_nested_beyond_the_bound_are_compared_as_text() -> None:
    deep: list[Any] = [{"a": 1}, {"b": 2}]
    for _ in range(record_merge.MAX_DEPTH + 5):
        deep = [{"in": one} for one in deep]
    pair = [note(mood=one) for one in deep]
    one, other = (record_merge.merge(given_versions).record for given_versions in (pair, pair[::-1]))
    assert records.dump(one) == records.dump(other)
