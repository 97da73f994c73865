"""Links whose target has not come yet."""

from __future__ import annotations

from typing import Any

from memories.core import mirror, records
from memories.core.paths import DataFolder
from memories.selectors import mirror_connection
from memories.waiting_links import WaitingLinks, waiting_links
from tests.conftest import MakeRecord
from tests.memories import disagreements


def _links(*uuids: str) -> list[dict[str, Any]]:
    return [{"to_uuid": uuid, "relationship": "related_to"} for uuid in uuids]


def _found(folder: DataFolder) -> WaitingLinks:
    mirror.update(folder)
    return waiting_links(folder, mirror_connection(folder))


def test_a_link_waits_until_its_target_is_here(memory_home: DataFolder, make_record: MakeRecord) -> None:
    target = records.new_record(type="note", content="the target")
    source = make_record("the source", connections=_links(target["uuid"]))
    found = _found(memory_home)
    (one,) = found.first
    assert (found.count, one.uuid, one.title, one.to_uuid) == (1, source["uuid"], "the source", target["uuid"])
    records.save(memory_home, target)
    assert _found(memory_home).count == 0


def test_a_target_that_was_deleted_is_not_awaited(memory_home: DataFolder, make_record: MakeRecord) -> None:
    target = make_record("the target")["uuid"]
    make_record("the source", connections=_links(target))
    records.delete(memory_home, target)
    assert _found(memory_home).count == 0


def test_many_are_counted_in_as_many_queries(memory_home: DataFolder, make_record: MakeRecord) -> None:
    make_record("one", connections=_links("0" * 32))
    _found(memory_home)
    with disagreements.statements(memory_home) as few:
        waiting_links(memory_home, mirror_connection(memory_home))
    for number in range(3):
        make_record(f"source {number}", connections=_links(*(f"{number}{one}" * 16 for one in "abcd")))
    mirror.update(memory_home)
    with disagreements.statements(memory_home) as many:
        found = waiting_links(memory_home, mirror_connection(memory_home))
    assert (found.count, len(found.first)) == (13, 5)
    assert len(many) == len(few) == 3, "the first asks for the version of the index"


def test_a_target_that_several_link_to_is_awaited_once(memory_home: DataFolder, make_record: MakeRecord) -> None:
    for number in range(3):
        make_record(f"source {number}", connections=_links("ab" * 16))
    found = _found(memory_home)
    assert (found.count, len(found.first)) == (1, 1)
