from __future__ import annotations

import os
from pathlib import Path

from memories.core import records
from memories.core.paths import DataFolder
from memories.importers import server_memory
from tests.importers.sources import GRAPH, entity, graph, imported, outcomes, relation, stored


def test_what_the_real_server_wrote_comes_as_a_note_per_entity_with_its_relations(folder: DataFolder) -> None:
    result = imported(folder, "server-memory", GRAPH)
    assert outcomes(result, "Entities") == {"read": 3, "new": 3}
    assert outcomes(result, "Relations") == {"read": 3, "linked": 3}
    found = stored(folder)
    orders = found["# orders-api"]
    assert orders["content"] == "# orders-api\n\n- Takes orders over HTTP\n- Deploys on Tuesdays only\n\n- uses → ULID"
    assert orders["tags"] == "service"
    assert orders["importance"] == 5
    assert orders["imported_from"] == "server-memory"
    assert orders["connections"] == [{"to_uuid": found["# ULID"]["uuid"], "relationship": "related_to"}]
    assert orders["uuid"] == records.uuid5("6f1c1f0e-4d0b-5b0e-9a5e-1c4b6a0f7d21", "server-memory:entity:orders-api")


def test_a_secret_in_an_observation_is_replaced_and_counted(folder: DataFolder) -> None:
    assert imported(folder, "server-memory", GRAPH).secrets == 1
    content = stored(folder)["# ULID"]["content"]
    assert "[redacted: github-token]" in content
    assert "ghp_" not in content


def test_entities_that_name_each_other_in_a_circle_all_come(folder: DataFolder, tmp_path: Path) -> None:
    path = graph(tmp_path, entity("a"), entity("b"), relation("a", "b"), relation("b", "a"), relation("a", "a"))
    assert outcomes(imported(folder, "server-memory", path), "Entities") == {"read": 2, "new": 2}
    found = stored(folder)
    assert found["# a"]["connections"] == [{"to_uuid": found["# b"]["uuid"], "relationship": "related_to"}]


def test_lines_that_say_nothing_are_named_and_the_rest_comes(tmp_path: Path) -> None:
    path = graph(
        tmp_path, entity("a", "one"), "{broken", [], {"type": "entity"}, {"type": "relation", "from": "a"},
        relation("a", "nobody"), relation("nobody", "a"), "", {"type": "other"}, entity("a", "one", "two"),
    )  # fmt: skip
    reading = server_memory.read(str(path))
    assert [(where, reason.split(":")[0]) for where, reason in reading.skipped] == [
        ("line 2", "not JSON"),
        ("line 3", "neither an entity nor a relation"),
        ("line 4", "an entity without a name"),
        ("line 5", "a relation without from or to"),
        ("line 9", "neither an entity nor a relation"),
        ("line 6", "no entity is called 'nobody'"),
        ("line 7", "no entity is called 'nobody'"),
    ]
    (item,) = reading.items
    assert item.fields["content"] == "# a\n\n- one\n- two\n\n- uses → nobody"


def test_relations_that_are_good_are_counted_beside_those_that_are_not(folder: DataFolder, tmp_path: Path) -> None:
    path = graph(tmp_path, entity("a"), entity("b"), relation("a", "b"), relation("a", "nobody"))
    assert outcomes(imported(folder, "server-memory", path), "Relations") == {"read": 2, "linked": 1, "skipped": 1}


def test_a_line_without_end_is_passed_over_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    path.write_bytes(b'{"type": "entity", "name": "' + b"x" * 9_000_000 + b'"}\n{"type":"entity","name":"b"}')
    reading = server_memory.read(str(path))
    assert reading.skipped == [("line 1", "longer than 8,000,000 bytes")]
    assert [item.where for item in reading.items] == ["line 2"]


def test_two_files_with_the_same_names_stay_apart_by_their_projects(folder: DataFolder, tmp_path: Path) -> None:
    path = graph(tmp_path, entity("database", "Postgres"))
    imported(folder, "server-memory", path, project="shop")
    graph(tmp_path, entity("database", "SQLite"))
    result = imported(folder, "server-memory", path, project="blog")
    assert outcomes(result, "Entities") == {"read": 1, "new": 1}
    assert len(os.listdir(folder.records)) == 2


def test_a_file_that_was_written_again_with_the_same_words_is_already_here(folder: DataFolder, tmp_path: Path) -> None:
    path = graph(tmp_path, entity("a", "one"))
    imported(folder, "server-memory", path)
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert outcomes(imported(folder, "server-memory", path), "Entities") == {"read": 1, "already here": 1}
