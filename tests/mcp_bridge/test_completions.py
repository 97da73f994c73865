"""Completions: projects by their folded beginning, tags by how often they are used, ids by their first digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.client.client import Client
from mcp_types import Completion, PromptReference, ResourceTemplateReference

from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.mcp_bridge.in_memory import ask

TOPIC = (PromptReference(name="recall"), "topic")
PROJECT = (PromptReference(name="narrative"), "project")
OF_TEMPLATE = (ResourceTemplateReference(uri="narrative://{project}"), "project")
UUID = (ResourceTemplateReference(uri="memory://{uuid}"), "uuid")
Place = tuple[PromptReference | ResourceTemplateReference, str]


def complete(folder: DataFolder, place: Place, beginning: str) -> Completion:
    reference, name = place
    return ask(folder, lambda client: client.complete(reference, {"name": name, "value": beginning})).completion


@pytest.fixture
def stocked(memory_home: DataFolder, make_record: MakeRecord) -> DataFolder:
    """Memories of several projects, with tags."""
    for number in range(3):
        make_record(f"Bill {number}", project="Billing_App", project_id="path:/x/billing", tags="deploy, money")
    make_record("Order", project="orders", tags="Decision, deploy")
    make_record("Old", project="bikes", tags="dead", status="archived")
    make_record("None's", tags="design")
    mirror.update(memory_home)
    return memory_home


def test_projects_are_completed_by_their_folded_beginning_those_of_most_memories_first(stocked: DataFolder) -> None:
    for place in (PROJECT, OF_TEMPLATE):
        assert complete(stocked, place, "").values == ["Billing_App", "bikes", "orders"]
        assert complete(stocked, place, "BI").values == ["Billing_App", "bikes"]
        found = complete(stocked, place, "billing-a")
        assert (found.values, found.total, found.has_more) == (["Billing_App"], 1, False)


def test_the_sessions_own_project_comes_first(
    stocked: DataFolder, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(project))
    assert complete(stocked, PROJECT, "").values == ["orders", "Billing_App", "bikes"]


def test_tags_are_completed_the_most_used_first_without_those_of_archived_memories(stocked: DataFolder) -> None:
    assert complete(stocked, TOPIC, "DE").values == ["deploy", "Decision", "design"]
    assert complete(stocked, TOPIC, "dep").values == ["deploy"]


def test_ids_are_completed_by_their_first_digits_the_newest_first(stocked: DataFolder, make_record: MakeRecord) -> None:
    for day in (1, 2):
        record = records.new_record(type="note", content=f"Day {day}", created_at=f"2026-03-0{day}T09:00:00")
        records.save(stocked, record | {"uuid": f"abcdef{day:026}"})
    mirror.update(stocked)
    assert complete(stocked, UUID, " ABCDEF").values == [f"abcdef{2:026}", f"abcdef{1:026}"]
    assert complete(stocked, UUID, f"abcdef{1:026}").values == [f"abcdef{1:026}"]
    assert len(complete(stocked, UUID, "").values) == 8
    assert complete(stocked, UUID, "xyz").values == complete(stocked, UUID, "a" * 33).values == []


def test_of_more_than_a_hundred_the_first_hundred_are_given_and_all_are_counted(
    memory_home: DataFolder, make_record: MakeRecord
) -> None:
    make_record("Tagged", tags=", ".join(f"tag{number:03}" for number in range(130)))
    mirror.update(memory_home)
    found = complete(memory_home, TOPIC, "tag")
    assert (len(found.values), found.total, found.has_more) == (100, 130, True)
    assert found.values[0] == "tag000"


def test_what_is_not_known_completes_to_nothing(stocked: DataFolder) -> None:
    for reference in (PromptReference(name="x"), ResourceTemplateReference(uri="file:///{path}"), PROJECT[0], UUID[0]):
        found = complete(stocked, (reference, "unheard_of"), "")
        assert (found.values, found.total, found.has_more) == ([], 0, False)
    assert complete(stocked, (PromptReference(name="remember"), "what"), "").values == []


def test_without_an_index_nothing_is_completed(folder: DataFolder) -> None:
    for place in (PROJECT, OF_TEMPLATE, TOPIC, UUID):
        assert complete(folder, place, "").values == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([PROJECT, OF_TEMPLATE, TOPIC, UUID]), st.text()), min_size=1, max_size=9))
def test_any_beginning_completes_to_values_that_begin_so(stocked: DataFolder, asked: list[tuple[Place, str]]) -> None:
    async def answers(client: Client) -> list[Completion]:
        return [
            (await client.complete(reference, {"name": name, "value": _sendable(beginning)})).completion
            for (reference, name), beginning in asked
        ]

    for (_, beginning), found in zip(asked, ask(stocked, answers), strict=True):
        assert len(found.values) <= 100
        assert found.total == len(found.values)
        assert all(_folded(one).startswith(_folded(_sendable(beginning))) for one in found.values)


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _folded(text: str) -> str:
    return text.strip().casefold().replace("_", "-")
