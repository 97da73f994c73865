from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memories.core import records
from memories.core.paths import DataFolder
from memories.exporters import jsonl
from tests.conftest import MakeRecord
from tests.exporters.exporting import SECRET, SHOP, export, narrative


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of an export."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_record_is_a_line_as_its_file_has_it_oldest_first(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    later = make_record(
        "Second\nline", created_at="2026-03-02T00:00:00", of_another_version={"kept": [1, None]}, **SHOP
    )
    first = make_record("First \u2028", created_at="2026-03-01T00:00:00")
    target = tmp_path / "all.jsonl"
    assert export(folder, "jsonl", target).counts == {"memories": 2}
    assert lines(target) == [first, later]
    assert list(lines(target)[1]) == list(later)
    assert target.stat().st_mode & 0o777 == 0o600


def test_archived_superseded_and_deleted_ones_stay_out(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    old = narrative(folder, "# Old", "2026-03-01T00:00:00", status="archived")
    past = make_record("Was so.")["uuid"]
    make_record("Is so.", connections=[{"to_uuid": past, "relationship": "supersedes"}])
    records.delete(folder, make_record("Gone.")["uuid"])
    target = tmp_path / "all.jsonl"
    report = export(folder, "jsonl", target)
    assert [one["content"] for one in lines(target)] == ["Is so."]
    assert report.left_out == 2
    export(folder, "jsonl", target, archived=True, force=True)
    assert {one["uuid"] for one in lines(target)} >= {old, past}
    assert len(lines(target)) == 3


def test_only_a_projects_or_a_sessions(folder: DataFolder, make_record: MakeRecord, tmp_path: Path) -> None:
    make_record("Of the shop.", **SHOP)
    make_record("Of another.", project="other")
    target = tmp_path / "all.jsonl"
    export(folder, "jsonl", target, project="shop")
    assert [one["content"] for one in lines(target)] == ["Of the shop."]


def test_no_secret_comes_out(folder: DataFolder, make_record: MakeRecord, tmp_path: Path) -> None:
    make_record(f"The key is {SECRET}.", project=SECRET, extra={"deep": [SECRET]})
    export(folder, "jsonl", tmp_path / "all.jsonl")
    assert SECRET not in (tmp_path / "all.jsonl").read_text("utf-8")


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text(), max_size=3)))
def test_any_record_is_one_line_that_is_read_back(record: dict[str, Any]) -> None:
    line = jsonl.line(record)
    assert len(line.decode("utf-8").splitlines()) == 1
    assert json.loads(line) == record


def test_half_a_surrogate_pair_is_kept_as_an_escape() -> None:
    assert json.loads(jsonl.line({"a": "\ud83d"})) == {"a": "\ud83d"}
