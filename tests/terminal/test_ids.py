"""A memory's id as people give it."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import records
from memories.core.errors import LLMMemoryError, RecordNotFoundError
from memories.core.paths import DataFolder
from memories.terminal import ids
from tests.conftest import MakeRecord


def uuid(beginning: str, number: int = 0) -> str:
    return f"{beginning}{number:0{32 - len(beginning)}x}"


def test_a_beginning_that_is_one_memorys_alone_is_enough(keep: MakeRecord, project: DataFolder) -> None:
    keep("one", uuid=uuid("3f2a91"))
    keep("two", uuid=uuid("3f2a92"))
    assert ids.of_record(project, "3f2a91") == uuid("3f2a91")
    assert ids.of_record(project, " 3F2A92 ") == uuid("3f2a92")
    assert ids.of_record(project, uuid("abcabc")) == uuid("abcabc")


def test_several_are_listed_and_none_is_chosen(keep: MakeRecord, project: DataFolder) -> None:
    for number in range(12):
        keep(f"note {number}", uuid=uuid("3f2a91", number))
    with pytest.raises(RecordNotFoundError) as found:
        ids.of_record(project, "3f2a91")
    said = str(found.value)
    assert said.startswith(f"12 memories begin with 3f2a91: {uuid('3f2a91', 0)}, ")
    assert said.endswith(" and 2 more. Give more of the id.")


def test_without_an_index_the_files_are_asked(make_record: MakeRecord, project: DataFolder) -> None:
    record = make_record("not indexed yet")
    assert ids.of_record(project, record["uuid"][:8]) == record["uuid"]
    os.unlink(project.mirror)
    assert ids.of_record(project, record["uuid"][:8]) == record["uuid"]


def test_a_deleted_one_is_found_in_the_trash_alone(keep: MakeRecord, project: DataFolder) -> None:
    keep("here", uuid=uuid("3f2a91"))
    keep("gone", uuid=uuid("3f2a92"))
    records.delete(project, uuid("3f2a92"))
    assert ids.of_deleted(project, "3f2a92") == uuid("3f2a92")
    with pytest.raises(RecordNotFoundError, match="No deleted memory's id begins with 3f2a91"):
        ids.of_deleted(project, "3f2a91")
    assert ids.deleted(project) == [uuid("3f2a92")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_other_word_is_one_line_of_error(project: DataFolder, word: str) -> None:
    for find in (ids.of_record, ids.of_deleted):
        try:
            assert records.is_uuid(find(project, word))
        except LLMMemoryError as error:
            assert len(str(error).splitlines()) == 1
            assert str(error).isprintable()
