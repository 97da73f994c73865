"""`llm-memory store`."""

from __future__ import annotations

import io
import json
import sys

import pytest

from memories.core import records
from memories.core.errors import InvalidRecordError, ProjectError, RecordNotFoundError
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.terminal.running import call, said

TEXT = "We chose Postgres over MySQL: we need partial indexes."


def stored(answer: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer)
    return found


class Piped(io.TextIOWrapper):
    """Standard input that is no terminal."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="ascii")


def test_what_is_said_is_kept_as_a_note_of_the_project(project: DataFolder) -> None:
    line = said("store", TEXT)
    uuid = line.removeprefix("Stored ").strip()
    record = records.load(project, uuid)
    assert (record["content"], record["type"], record["project"]) == (TEXT, "note", "orders-api")
    assert record["importance"] == records.DEFAULT_IMPORTANCE
    assert uuid in said("search", "postgres")


def test_words_need_no_quotes_and_every_option_lands_in_the_record(project: DataFolder, keep: MakeRecord) -> None:
    old, other = keep("We use MySQL.")["uuid"], keep("Indexes were slow.")["uuid"]
    answer = stored(
        said(
            "store", "We", "chose", "Postgres.", "--tags", "db, choice,db", "--importance", "8", "--type", "note",
            "--project", "billing", "--supersedes", old[:8], "--related", other, "--json",
        )
    )  # fmt: skip
    assert list(answer) == ["uuid", "status", "near_duplicates", "warnings", "message"]
    record = records.load(project, str(answer["uuid"]))
    assert (record["content"], record["project"], record["tags"]) == ("We chose Postgres.", "billing", "db, choice")
    assert record["importance"] == 8
    assert {(link["to_uuid"], link["relationship"]) for link in record["connections"]} == {
        (old, "supersedes"), (other, "related_to"),
    }  # fmt: skip


@pytest.mark.parametrize("words", [(), ("-",)])
def test_text_comes_from_a_pipe_too(
    project: DataFolder, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdin", Piped("Über die Brücke\n\nzweite Zeile\n".encode()))
    answer = stored(said("store", *words, "--json"))
    assert records.load(project, str(answer["uuid"]))["content"] == "Über die Brücke\n\nzweite Zeile"


def test_a_pipe_without_text_stores_nothing(project: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"", b"  \n", b"\xff\xfe"):
        monkeypatch.setattr(sys, "stdin", Piped(data))
        with pytest.raises(InvalidRecordError):
            call("store")


def test_the_same_twice_is_kept_once_and_something_like_it_is_named(project: DataFolder, keep: MakeRecord) -> None:
    uuid = said("store", TEXT).split()[1]
    assert said("store", TEXT) == f"The same note is already stored as {uuid}; nothing was written.\n"
    assert stored(said("store", TEXT, "--json"))["status"] == "duplicate_skipped"
    near = said("store", TEXT.replace("partial indexes", "partial indexes now"))
    assert f"much like {uuid}: `llm-memory show {uuid[:8]}`" in near


def test_a_secret_is_replaced_and_said(project: DataFolder) -> None:
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    line = said("store", f"The token is {key} for now.")
    assert "1 secret was replaced before storing" in line
    assert key not in records.load(project, line.split()[1])["content"]


def test_where_memory_is_off_nothing_is_stored(project: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    with pytest.raises(ProjectError, match="LLM_MEMORY_DISABLE"):
        call("store", TEXT)


def test_a_link_to_nothing_stores_nothing(project: DataFolder) -> None:
    with pytest.raises(RecordNotFoundError, match="No memory's id begins with abcdef"):
        call("store", TEXT, "--related", "abcdef")
    assert "No such memories yet" in said("recent")
