"""What `llm-memory export FILE.jsonl` wrote comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memories.core import records, trash
from memories.core.errors import ImportSourceError
from memories.core.paths import DataFolder
from memories.exporters import jsonl
from memories.importers import formats
from tests.conftest import MakeRecord
from tests.importers.sources import imported, outcomes, stored


def lines(place: Path, *found: dict[str, Any] | bytes) -> Path:
    """An export of records; bytes stand there as they are."""
    path = place / "memories.jsonl"
    path.write_bytes(b"".join(one if isinstance(one, bytes) else jsonl.line(one) for one in found))
    return path


@pytest.fixture
def other(tmp_path: Path) -> DataFolder:
    """Another machine's data folder."""
    found = DataFolder(str(tmp_path / "other"))
    found.create()
    return found


def test_an_export_comes_back_whole_with_ids_and_fields_of_other_versions(
    other: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    there = make_record("Deploys on Tuesdays", project="shop", mood={"calm": True}, updated_at="2026-04-01T00:00:00")
    long = make_record("x " * 50_000, connections=[{"to_uuid": there["uuid"], "relationship": "supersedes"}])
    path = lines(tmp_path, long, there)
    assert formats.recognise(str(path)) == "llm-memory"
    assert outcomes(imported(other, "llm-memory", path), "Memories") == {"read": 2, "new": 2}
    here = records.load(other, there["uuid"])
    assert {name: here.get(name) for name in there} == there
    assert here["imported_from"] == "JSON lines of LLM Memory"
    assert records.load(other, long["uuid"])["connections"] == long["connections"]
    assert outcomes(imported(other, "llm-memory", path), "Memories") == {"read": 2, "already here": 2}


def test_where_it_was_exported_nothing_changes_and_what_was_deleted_since_stays_so(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    kept, gone, edited = make_record("kept"), make_record("gone"), make_record("before")
    path = lines(tmp_path, kept, gone, edited)
    trash.bury(folder, gone["uuid"])
    records.save(folder, {**edited, "content": "after"})
    assert outcomes(imported(folder, "llm-memory", path), "Memories") == {
        "read": 3, "already here": 1, "deleted here": 1, "edited here": 1,
    }  # fmt: skip
    assert records.load(folder, kept["uuid"]) == kept
    assert stored(folder).keys() == {"kept", "after"}


def test_lines_that_are_no_record_are_named_and_the_rest_comes(other: DataFolder, tmp_path: Path) -> None:
    good = records.new_record(type="note", content="good")
    newer = {**records.new_record(type="note", content="newer"), "schema_version": 2}
    no_id = {name: value for name, value in good.items() if name != "uuid"}
    result = imported(other, "llm-memory", lines(tmp_path, good, b"{broken\n", b"\n", no_id, newer))
    assert outcomes(result, "Memories") == {"read": 4, "new": 1, "skipped": 3}
    assert [(where, reason.split(":")[0]) for where, reason in result.skipped] == [
        ("line 2", "not JSON"), ("line 4", "no record"),
        ("line 5", "schema_version 2 was written by a newer LLM Memory"),
    ]  # fmt: skip


def test_lines_of_anything_else_are_refused(other: DataFolder, tmp_path: Path) -> None:
    path = lines(tmp_path, json.dumps({"type": "user", "uuid": "x"}).encode(), b"\n[1]\n")
    with pytest.raises(ImportSourceError, match=r"no line of it is a record.*--from"):
        imported(other, "llm-memory", path)
