from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from memories.core.errors import ImportSourceError
from memories.core.paths import DataFolder
from tests.core.bundles import bundle_of
from tests.importers.sources import GRAPH, NOTES, claude_mem, entity, graph, tree
from tests.terminal.running import said


@pytest.fixture(autouse=True)
def _project(project: DataFolder) -> None:
    """Each in a project's folder, on a throwaway memory."""


def test_the_report_says_what_became_of_each_kind(tmp_path: Path) -> None:
    path = str(claude_mem(tmp_path))
    told = (
        f"from claude-mem: {path}\n"
        "  Observations: 3 read: 3 new\n"
        "  Session summaries: 1 read: 1 new\n"
        "  1 secret replaced\n"
        "  2 prompts stay there: the transcripts have them\n"
    )
    assert said("import", path, "--dry-run") == f"Would import {told}"
    assert said("import", path) == f"Imported {told}"
    assert "  Observations: 3 read: 3 already here\n" in said("import", path, "--from", "claude-mem")


def test_the_report_as_json_has_the_same(tmp_path: Path) -> None:
    path = graph(tmp_path, entity("a", "one"), "{broken")
    told = json.loads(said("import", str(path), "--from", "server-memory", "--json"))
    assert told["from"] == "server-memory"
    assert told["dry_run"] is False
    assert told["kinds"]["Entities"] == {
        "read": 2, "new": 1, "updated": 0, "already_here": 0, "deleted_here": 0, "edited_here": 0, "linked": 0,
        "skipped": 1,
    }  # fmt: skip
    assert told["skipped"][0]["where"] == "line 2"
    assert told["problem"] is None


def test_only_the_first_of_many_that_were_skipped_are_named(tmp_path: Path) -> None:
    told = said("import", str(graph(tmp_path, entity("a"), *["{"] * 25)))
    assert told.count("  skipped: line ") == 20
    assert told.endswith("  ... and 5 more: --json names them\n")


def test_a_products_usual_place_is_taken_where_no_path_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_FILE_PATH", str(GRAPH))
    assert f"from server-memory: {GRAPH}\n" in said("import", "--from", "server-memory")


def test_what_is_imported_is_found_and_says_where_it_is_from() -> None:
    said("import", str(NOTES), "--project", "shop")
    told = json.loads(said("search", "who agreed with Marta on ids", "--project", "shop", "--json"))
    assert [one["imported_from"] for one in told["results"]][:1] == ["basic-memory"]


def test_hostile_names_do_not_act_on_the_terminal(tmp_path: Path) -> None:
    root = tree(tmp_path / "v\x1b[2J", {"a\x1b]0;x.md": b"x" * 4_000_001, "b.md": "two"})
    told = said("import", str(root))
    assert "skipped: a" in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "Name a file or folder, or say --from: bundle, llm-memory"),
        (["-", "--from", "claude-mem"], "Only a bundle can be read from stdin"),
        ([str(GRAPH), "--forget"], "--forget is for bundles"),
        (["x.tar", "--from", "bundle", "--project", "shop"], "leave --project out"),
        (["."], "is of no format that can be imported"),
        (["--from", "basic-memory"], "Nothing of basic-memory is in"),
    ],
)
def test_what_cannot_be_meant_is_one_error(words: list[str], why: str) -> None:
    with pytest.raises(ImportSourceError, match=why):
        said("import", *words)


def test_a_bundle_is_merged_as_before_also_from_stdin_and_as_json(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {
        "schema_version": 1,
        "uuid": "a" * 32,
        "type": "note",
        "content": "x",
        "created_at": "2026-01-01T00:00:00",
    }
    data = bundle_of({f"records/{'a' * 32}.json": json.dumps(record).encode()})
    (tmp_path / "b.tar").write_bytes(data)
    assert "  Memories: 1 new\n" in said("import", str(tmp_path / "b.tar"), "--dry-run")
    with open(tmp_path / "b.tar", encoding="latin-1") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        told = json.loads(said("import", "-", "--json"))
    assert told["kinds"]["record"]["new"] == 1
    assert os.listdir(folder.records) == [f"{'a' * 32}.json"]
    assert "  Memories: 1 same\n" in said("import", str(tmp_path / "b.tar"))
