"""A narrative's versions: their order, how they follow one another, and what changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memories import narratives, services
from memories.core import mirror, records, scope
from memories.core.errors import RecordNotFoundError
from memories.core.paths import DataFolder
from tests.memories.narrative_versions import write_version
from tests.memories.stores import NOWHERE

SHOP = scope.Scope("shop", frozenset({"path:/srv/shop"}), frozenset({"shop"}))


Write = Callable[..., dict[str, Any]]


@pytest.fixture
def write(memory_home: DataFolder) -> Write:
    """write(day, "text", after=(older records,), **fields): a version of that day of March, in the mirror."""

    def make(
        day: int, content: str = "# Shop", after: tuple[dict[str, Any], ...] = (), **fields: Any
    ) -> dict[str, Any]:
        uuids = tuple(old["uuid"] for old in after)
        record = write_version(memory_home, f"{content} {day}", day, after=uuids, **fields)
        mirror.update(memory_home)
        return record

    return make


def _archived(folder: DataFolder, record: dict[str, Any], into: str | None = None) -> dict[str, Any]:
    changed = {**record, "status": "archived"} | ({"archived_in": into} if into else {})
    records.save(folder, changed)
    mirror.update(folder)
    return changed


def _states(folder: DataFolder) -> list[tuple[str, str]]:
    return [(one.content[-1], one.state) for one in narratives.history(folder, SHOP)]


def test_versions_are_listed_newest_first_with_what_is_known_of_each(memory_home: DataFolder) -> None:
    first = services.memory_store(memory_home, NOWHERE, content="# Shop\n\nOne.", type="narrative", project="shop")
    second = services.memory_store(memory_home, NOWHERE, content="# Shop\n\nTwo.", type="narrative", project="shop")
    new, old = sorted(narratives.history(memory_home, SHOP), key=lambda one: one.state)
    assert (new.uuid, new.state, new.before) == (second["uuid"], "current", (first["uuid"],))
    assert (old.uuid, old.state, old.before) == (first["uuid"], "earlier", ())
    assert (new.machine, new.sessions, new.accepted) == (records.machine_name(), 0, ())
    assert new.tokens == 3


def test_a_project_without_a_narrative_has_no_versions(memory_home: DataFolder) -> None:
    assert narratives.history(memory_home, SHOP) == []


def test_versions_that_only_archived_in_links_are_a_chain(memory_home: DataFolder, write: Write) -> None:
    old, new = write(1), write(2)
    _archived(memory_home, old, new["uuid"])
    (shown, before) = narratives.history(memory_home, SHOP)
    assert (shown.before, before.state) == ((old["uuid"],), "earlier")


def test_archived_versions_without_any_link_follow_by_time(memory_home: DataFolder, write: Write) -> None:
    first, second, third = write(1), write(2), write(3)
    _archived(memory_home, first, into="0" * 32)  # its successor was deleted
    _archived(memory_home, second)
    found = narratives.history(memory_home, SHOP)
    assert [one.before for one in found] == [(second["uuid"],), (first["uuid"],), ()]
    assert found[0].uuid == third["uuid"]


def test_a_fork_is_shown_as_one_until_it_is_merged(memory_home: DataFolder, write: Write) -> None:
    base = write(1)
    laptop = write(2, after=(base,), origin="laptop")
    desktop = write(3, after=(base,), origin="desktop")
    assert _states(memory_home) == [("3", "current"), ("2", "fork"), ("1", "earlier")]
    write(4, after=(laptop, desktop))
    assert _states(memory_home) == [("4", "current"), ("3", "earlier"), ("2", "merged fork"), ("1", "earlier")]
    merged = narratives.history(memory_home, SHOP)[0]
    assert merged.before == (desktop["uuid"], laptop["uuid"])


def test_a_version_under_the_projects_earlier_name_belongs_to_the_chain(memory_home: DataFolder, write: Write) -> None:
    old = write(1, project="the-shop")
    write(2, after=(old,))
    assert _states(memory_home) == [("2", "current"), ("1", "earlier")]


def test_links_in_a_circle_and_records_that_cannot_be_read_do_no_harm(memory_home: DataFolder, write: Write) -> None:
    first, second = write(1), write(2)
    for one, other in ((first, second), (second, first)):
        link = {"to_uuid": other["uuid"], "relationship": "supersedes"}
        records.save(memory_home, {**one, "status": "archived", "archived_in": other["uuid"], "connections": [link]})
    gone = write(3, after=(second,))
    records.delete(memory_home, gone["uuid"])
    assert {state for _, state in _states(memory_home)} <= {"earlier", "merged fork"}
    with pytest.raises(RecordNotFoundError, match="no current narrative"):
        narratives.difference(narratives.history(memory_home, SHOP))


def test_odd_values_in_a_version_are_passed_over(memory_home: DataFolder, write: Write) -> None:
    write(1, accepted_losses=["the port", 5, None], transcript_ref='["s1", "s2"]', origin=None)
    write(2, accepted_losses="all of it", status="archived")
    versions = {one.content[-1]: one for one in narratives.history(memory_home, SHOP)}
    assert (versions["1"].accepted, versions["1"].sessions, versions["1"].machine) == (("the port",), 2, "")
    assert versions["2"].accepted == ()


def test_the_difference_is_to_the_version_before_or_to_the_one_that_is_named(
    memory_home: DataFolder, write: Write
) -> None:
    first = write(1, "# Shop\n\n## Gotchas\n- The clock is UTC\n\nday")
    second = write(2, "# Shop\n\n## Gotchas\n- The clock is UTC\n- Ports above 9000\n\nday", after=(first,))
    third = write(
        3, "# Shop\n\n## Gotchas\n- Ports above 9000\n\nday", after=(second,), accepted_losses=["The clock is UTC"]
    )
    versions = narratives.history(memory_home, SHOP)
    found = narratives.difference(versions)
    assert found is not None
    assert (found.old.uuid, found.new.uuid) == (second["uuid"], third["uuid"])
    assert (found.changes.lost, found.accepted) == (["The clock is UTC"], ("The clock is UTC",))
    assert [line for line in found.lines if line[:1] == "-"][1:] == ["-- The clock is UTC", "-day 2"]
    assert found.lines[0].startswith(f"--- {second['uuid'][:8]} 2026-03-02")
    older = narratives.difference(versions, first["uuid"][:8].upper())
    assert older is not None
    assert (older.old.uuid, older.changes.added) == (first["uuid"], ["Ports above 9000"])
    assert older.as_data()["changes"]["accepted_losses"] == ["The clock is UTC"]


def test_the_first_version_has_nothing_to_be_compared_with(memory_home: DataFolder, write: Write) -> None:
    write(1)
    assert narratives.difference(narratives.history(memory_home, SHOP)) is None


@pytest.mark.parametrize("named", ["shop", "abc", "f" * 32, "zz"])
def test_a_name_that_is_no_version_is_refused_with_what_to_give(
    memory_home: DataFolder, write: Write, named: str
) -> None:
    write(1)
    with pytest.raises(RecordNotFoundError, match="--versions lists"):
        narratives.difference(narratives.history(memory_home, SHOP), named)
