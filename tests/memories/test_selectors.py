"""Reads over the real mirror."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from memories import search, selectors
from memories.core import mirror, records, scope
from memories.core.errors import MirrorUnavailableError, RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord

ORDERS = scope.Scope("orders", frozenset({"git:h/o/orders"}), frozenset({"orders"}))


def _search(folder: DataFolder, text: str, **options: object) -> list[str]:
    answer = search.memory_search(folder, text, **options)  # type: ignore[arg-type]
    return [hit["content"] for hit in answer["results"]]


def _link(to: str, relationship: str = "related_to") -> list[dict[str, str]]:
    return [{"to_uuid": to, "relationship": relationship}]


def test_archived_and_superseded_records_are_hidden_and_return_when_the_link_is_undone(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    old = make_record("limit is ten")
    make_record("limit is shelved", status="archived")
    new = make_record("limit is twenty", connections=_link(old["uuid"], "supersedes"))
    mirror.update(memory_home)
    assert _search(memory_home, "limit") == ["limit is twenty"]
    assert [hit["content"] for hit in selectors.memory_recent(memory_home)["results"]] == ["limit is twenty"]
    records.save(memory_home, new | {"connections": []})
    mirror.update(memory_home)
    assert set(_search(memory_home, "limit")) == {"limit is ten", "limit is twenty"}


def test_a_record_superseded_by_an_archived_one_stays_visible(memory_home: DataFolder, make_record: MakeRecord) -> None:
    old = make_record("stays")
    make_record("withdrawn", status="archived", connections=_link(old["uuid"], "supersedes"))
    mirror.update(memory_home)
    assert _search(memory_home, "stays") == ["stays"]


def test_recent_is_newest_first_and_keeps_places_for_the_sessions_project(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("own old", created_at="2020-01-01T00:00:00", project="orders", project_id="git:h/o/orders")
    for day in range(1, 6):
        make_record(f"other {day}", created_at=f"2026-01-0{day}T00:00:00")
    mirror.update(memory_home)
    found = [hit["content"] for hit in selectors.memory_recent(memory_home, boosted=ORDERS, limit=3)["results"]]
    assert found == ["other 5", "other 4", "own old"]
    only = selectors.memory_recent(memory_home, project=ORDERS)["results"]
    assert [hit["content"] for hit in only] == ["own old"]


def test_get_gives_links_both_ways_and_null_for_an_absent_target(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    target = make_record("target", colour="blue")
    source = make_record("source", connections=[*_link(target["uuid"]), *_link("f" * 32, "supersedes")])
    mirror.update(memory_home)
    answer = selectors.memory_get(memory_home, source["uuid"])
    first, second = answer["connections"]["outgoing"]
    assert first["memory"]["content"] == "target"
    assert second == {"to_uuid": "f" * 32, "relationship": "supersedes", "memory": None}
    answer = selectors.memory_get(memory_home, target["uuid"])
    assert answer["colour"] == "blue"
    assert answer["connections"]["incoming"][0]["memory"]["content"] == "source"


def test_explore_walks_both_directions_breadth_first_to_its_depth(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    far = make_record("far")
    near = make_record("near", connections=_link(far["uuid"]))
    start = make_record("start")
    back = make_record("back", connections=[*_link(start["uuid"]), *_link(near["uuid"])])
    records.save(memory_home, start | {"connections": [*_link(near["uuid"]), *_link("e" * 32)]})
    mirror.update(memory_home)
    one = selectors.memory_explore(memory_home, start["uuid"])
    assert [node["content"] for node in one["nodes"]] == ["start", "back", "near"] or [
        node["content"] for node in one["nodes"]
    ] == ["start", "near", "back"]
    assert len(one["edges"]) == 3
    two = selectors.memory_explore(memory_home, start["uuid"], depth=2)
    assert {node["uuid"] for node in two["nodes"]} == {one["uuid"] for one in (far, near, start, back)}
    assert len(two["edges"]) == 4


def test_exploring_what_is_not_there_is_an_error(memory_home: DataFolder) -> None:
    with pytest.raises(RecordNotFoundError):
        selectors.memory_explore(memory_home, "a" * 32)


def test_a_name_of_one_project_gives_its_records_and_those_without_an_id(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("with id", project="shop", project_id="git:h/a/shop")
    make_record("by name", project="Shop")
    mirror.update(memory_home)
    found = selectors.named_scope(memory_home, "SHOP", None, dict(DEFAULTS))
    assert found.several == ()
    assert len(selectors.memory_recent(memory_home, project=found)["results"]) == 2


def _reads(folder: DataFolder, call: Callable[[], object]) -> list[str]:
    """The statements of a call that read the tables of memories and links; the text index is asked for each hit."""
    raw = selectors.mirror_connection(folder)
    statements: list[str] = []
    raw.set_trace_callback(statements.append)
    try:
        call()
    finally:
        raw.set_trace_callback(None)
    return [statement for statement in statements if re.search(r"\bFROM (memory|link)\b", statement)]


@pytest.mark.parametrize("count", [2, 20])
def test_queries_do_not_grow_with_the_number_of_memories(
    memory_home: DataFolder, make_record: MakeRecord, count: int
) -> None:
    first = make_record("needle start")
    for number in range(count):
        make_record(f"needle {number}", connections=_link(first["uuid"]))
    mirror.update(memory_home)
    calls: list[tuple[Callable[[], object], int]] = [
        (lambda: search.memory_search(memory_home, "needle", limit=50), 3),
        (lambda: selectors.memory_recent(memory_home, limit=50), 1),
        (lambda: selectors.memory_get(memory_home, first["uuid"]), 2),
        (lambda: selectors.memory_explore(memory_home, first["uuid"]), 5),
    ]
    for call, allowed in calls:
        assert len(_reads(memory_home, call)) <= allowed


def test_a_missing_mirror_is_an_error_that_names_sync_and_creates_nothing(memory_home: DataFolder) -> None:
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(memory_home.mirror + suffix):
            os.unlink(memory_home.mirror + suffix)
    with pytest.raises(MirrorUnavailableError, match="sync"):
        search.memory_search(memory_home, "anything")
    assert not os.path.exists(memory_home.mirror)


def test_a_mirror_that_was_replaced_under_an_open_connection_is_reopened(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("old world")
    mirror.update(memory_home)
    assert _search(memory_home, "world") == ["old world"]
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(memory_home.mirror + suffix):
            os.unlink(memory_home.mirror + suffix)
    make_record("new world")
    mirror.update(memory_home)
    assert set(_search(memory_home, "world")) == {"old world", "new world"}


@pytest.mark.django_db
def test_the_migration_makes_the_same_tables_as_the_mirror(folder: DataFolder) -> None:
    listing = (
        "SELECT type, name, sql FROM sqlite_master "
        "WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'django_%' ORDER BY name"
    )
    with connection.cursor() as cursor:
        cursor.execute(listing)
        migrated = cursor.fetchall()
    mirror.update(folder)
    real = mirror.connect(folder.mirror)
    assert migrated == real.execute(listing).fetchall()
    real.close()


def test_coverage_names_the_session_that_asks_as_running(memory_home: DataFolder, make_record: MakeRecord) -> None:
    for session in ("s1", "s2"):
        Path(memory_home.transcripts, f"{session}.jsonl").write_bytes(b"{}\n")
        make_record("a log", type="session_log", session_id=session, project="orders", turns=3)
    mirror.update(memory_home)
    found = selectors.narrative_coverage(memory_home, ORDERS, "s2")
    assert (found["sessions_since"], found["turns_since"]) == (1, 3)
    assert {one["session_id"]: one.get("running", False) for one in found["unprocessed"]} == {"s1": False, "s2": True}
