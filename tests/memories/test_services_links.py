"""Linking, deleting and restoring, without MCP."""

from __future__ import annotations

import pytest

from memories import services
from memories.core import records
from memories.core.errors import InvalidRecordError, LLMMemoryError, LockTimeoutError, RecordNotFoundError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.memories.stores import NOWHERE, in_mirror, remove_mirror, store


def test_connecting_twice_changes_nothing_the_second_time(memory_home: DataFolder) -> None:
    one, two = (store(memory_home, NOWHERE, text)["uuid"] for text in ("one", "two"))
    services.memory_connect(memory_home, one, two, "related_to")
    first = records.load(memory_home, one)
    services.memory_connect(memory_home, one, two, "related_to")
    services.memory_connect(memory_home, one, two, "supersedes")
    assert [link["relationship"] for link in records.load(memory_home, one)["connections"]] == [
        "related_to",
        "supersedes",
    ]
    assert first["connections"] == [{"to_uuid": two, "relationship": "related_to"}]
    assert records.load(memory_home, two)["connections"] == []


def test_both_ends_of_a_link_must_be_there(memory_home: DataFolder) -> None:
    one = store(memory_home, NOWHERE, "one")["uuid"]
    for source, target in ((one, "f" * 32), ("f" * 32, one)):
        with pytest.raises(RecordNotFoundError, match="f" * 32):
            services.memory_connect(memory_home, source, target, "related_to")
    for source, target in ((one, "../x"), ("../x", one)):
        with pytest.raises(InvalidRecordError, match="32 lowercase hex"):
            services.memory_connect(memory_home, source, target, "related_to")
    with pytest.raises(InvalidRecordError, match="itself"):
        services.memory_connect(memory_home, one, one, "related_to")
    with pytest.raises(InvalidRecordError, match="related_to"):
        services.memory_connect(memory_home, one, one, "likes")


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_circle_of_supersedes_is_refused_with_or_without_a_mirror(memory_home: DataFolder, mirrored: bool) -> None:
    a, b, c = (store(memory_home, NOWHERE, text)["uuid"] for text in ("a", "b", "c"))
    services.memory_connect(memory_home, a, b, "supersedes")
    services.memory_connect(memory_home, b, c, "supersedes")
    if not mirrored:
        remove_mirror(memory_home)
    for newer, older in ((b, a), (c, a)):
        with pytest.raises(InvalidRecordError, match="circle"):
            services.memory_connect(memory_home, newer, older, "supersedes")
    answer = services.memory_connect(memory_home, c, a, "related_to")
    assert bool(answer["warnings"]) is not mirrored


def test_a_link_survives_beside_fields_and_links_that_this_version_does_not_know(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    target = make_record("target")
    odd = make_record("odd", colour="blue", connections=[{"to_uuid": "f" * 32, "relationship": "cites", "why": 1}])
    services.memory_connect(memory_home, odd["uuid"], target["uuid"], "related_to")
    record = records.load(memory_home, odd["uuid"])
    assert record["colour"] == "blue"
    assert record["connections"][0] == {"to_uuid": "f" * 32, "relationship": "cites", "why": 1}
    assert len(record["connections"]) == 2


def test_a_deleted_record_is_hidden_and_comes_back_whole(memory_home: DataFolder) -> None:
    before = store(memory_home, NOWHERE, "Deleted by mistake.", tags="a")
    assert services.memory_delete(memory_home, before["uuid"]) == {
        "uuid": before["uuid"], "status": "deleted", "warnings": [],
    }  # fmt: skip
    assert in_mirror(memory_home) == set()
    with pytest.raises(RecordNotFoundError):
        services.memory_delete(memory_home, before["uuid"])
    assert services.memory_restore(memory_home, before["uuid"])["status"] == "restored"
    after = records.load(memory_home, before["uuid"])
    assert {name: after[name] for name in before} == before
    assert in_mirror(memory_home) == {before["uuid"]}
    with pytest.raises(RecordNotFoundError, match="trash"):
        services.memory_restore(memory_home, before["uuid"])


def test_deleting_a_narrative_shows_the_one_before_it_again(memory_home: DataFolder) -> None:
    first = store(memory_home, NOWHERE, "# One", type="narrative", project="shop")["uuid"]
    second = store(memory_home, NOWHERE, "# Two", type="narrative", project="shop")["uuid"]
    answer = services.memory_delete(memory_home, second)
    assert first in answer["warnings"][0]
    revived = records.load(memory_home, first)
    assert (revived["status"], "archived_in" in revived) == ("active", False)
    third = store(memory_home, NOWHERE, "# Three", type="narrative", project="shop")["uuid"]
    assert records.load(memory_home, first)["archived_in"] == third


def test_deleting_and_restoring_without_a_mirror_warn_and_work(memory_home: DataFolder) -> None:
    uuid = store(memory_home, NOWHERE, "x")["uuid"]
    remove_mirror(memory_home)
    assert services.memory_delete(memory_home, uuid)["warnings"]
    assert services.memory_restore(memory_home, uuid)["warnings"]
    assert records.load(memory_home, uuid)["content"] == "x"


def test_deleting_waits_a_bounded_time_for_another_writer(
    memory_home: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = store(memory_home, NOWHERE, "x")["uuid"]
    monkeypatch.setattr(records, "LOCK_SECONDS", 0.05)
    with records.lock(memory_home), pytest.raises(LockTimeoutError, match="try again") as caught:
        services.memory_delete(memory_home, uuid)
    assert isinstance(caught.value, LLMMemoryError)
    assert records.load(memory_home, uuid)
