"""A handoff waits for the next session of its project, is found by its tag alone, and is used up once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from memories.core import handoff, mirror, records, scope
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord

SHOP = scope.Scope("shop", frozenset({"path:/srv/shop"}), frozenset({"shop"}))


@pytest.fixture
def leave(make_record: MakeRecord) -> MakeRecord:
    """Stores a note of the shop, tagged handoff unless told otherwise."""

    def make(content: str, **fields: Any) -> dict[str, Any]:
        return make_record(content, **{"project": "shop", "project_id": "path:/srv/shop", "tags": "handoff", **fields})

    return make


def _waiting(folder: DataFolder, session_id: str = "") -> list[str]:
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    try:
        return [record["content"] for record in handoff.waiting(connection, folder, SHOP, session_id)]
    finally:
        connection.close()


def test_handoffs_of_the_project_wait_newest_first(folder: DataFolder, leave: MakeRecord) -> None:
    leave("older", created_at="2026-03-01T10:00:00")
    leave("newer", created_at="2026-03-02T10:00:00", tags="ops, Handoff")
    leave("by name", project_id=None, created_at="2026-03-03T10:00:00")
    leave("another project", project_id="path:/elsewhere")
    leave("handoff is only mentioned here", tags="deploy")
    leave("a longer tag", tags="handoff-notes")
    leave("put away", status="archived")
    leave("a log", type="session_log")
    assert _waiting(folder) == ["by name", "newer", "older"]


def test_the_session_that_stored_it_is_not_shown_it(folder: DataFolder, leave: MakeRecord) -> None:
    leave("mine", session_id="s1")
    leave("nobody's")
    assert _waiting(folder, "s1") == ["nobody's"]
    assert set(_waiting(folder, "s2")) == {"mine", "nobody's"}


def test_once_taken_it_waits_no_more_and_stays_a_note(folder: DataFolder, leave: MakeRecord) -> None:
    note = leave("go on here", tags="ops, handoff, urgent")
    other = leave("left out for lack of room")
    mirror.update(folder)
    handoff.take(folder, [note["uuid"]])
    taken = records.load(folder, note["uuid"])
    assert taken["tags"] == "ops, handed-over, urgent"
    assert (taken["content"], taken["type"], taken.get("status")) == ("go on here", "note", "active")
    assert taken["updated_at"]
    assert _waiting(folder) == [other["content"]]
    handoff.take(folder, [note["uuid"]])
    assert records.load(folder, note["uuid"]) == taken


def test_the_file_decides_before_the_mirror_has_seen_the_change(folder: DataFolder, leave: MakeRecord) -> None:
    note = leave("go on here")
    mirror.update(folder)
    handoff.take(folder, [note["uuid"]])
    connection = mirror.connect(folder.mirror)
    assert handoff.waiting(connection, folder, SHOP, "") == []
    connection.close()


def test_what_cannot_be_written_is_shown_again_and_no_error(folder: DataFolder, leave: MakeRecord) -> None:
    note = leave("go on here")
    with FileLock(os.path.join(folder.state, "records.lock")):
        handoff.take(folder, [note["uuid"]])
    handoff.take(folder, ["f" * 32, note["uuid"] + "x"])
    assert _waiting(folder) == ["go on here"]
    broken = leave("broken")
    Path(records.record_path(folder, broken["uuid"])).write_text("{", encoding="utf-8")
    handoff.take(folder, [broken["uuid"], note["uuid"]])
    assert _waiting(folder) == []


def test_it_is_found_by_an_index_among_many_notes(folder: DataFolder, leave: MakeRecord) -> None:
    for number in range(50):
        leave(f"handoff is spoken of in {number}", tags="deploy")
    leave("go on here")
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert len(handoff.waiting(connection, folder, SHOP, "")) == 1
    connection.set_trace_callback(None)
    found = [one for one in statements if one.startswith("SELECT memory.uuid")]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {found[0]}")]
    connection.close()
    assert len(found) == 1
    assert not any(step.startswith("SCAN memory ") or step == "SCAN memory" for step in plan), plan


def test_notes_whose_tags_only_contain_the_word_take_no_handoffs_place(folder: DataFolder, leave: MakeRecord) -> None:
    leave("the one", created_at="2026-03-01T10:00:00", tags="ops , Handoff")
    for number in range(handoff.MOST + 2):
        leave(f"about it {number}", created_at=f"2026-03-02T10:00:{number:02}", tags="handoff-protocol")
    assert _waiting(folder) == ["the one"]
