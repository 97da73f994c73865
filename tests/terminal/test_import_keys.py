"""The pages name every key of `llm-memory import --json`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from memories.core.paths import DataFolder
from memories.importers import take
from tests.core.bundles import bundle_of
from tests.importers.sources import entity, graph
from tests.terminal.running import said

DOCS = Path(__file__).parents[2] / "docs"
UUID = "a" * 32


def table(page: str, begin: str, end: str) -> dict[str, set[str]]:
    """Key -> the names in its row, of the table between two texts of a page."""
    text = (DOCS / page).read_text("utf-8").partition(begin)[2].partition(end)[0]
    rows = re.findall(r"^\| (`[^|]+) \| (.+) \|$", text, re.MULTILINE)
    names = re.compile(r"`([a-z_]+)`")
    return {key: set(names.findall(told)) for keys, told in rows for key in names.findall(keys)}


def report(*words: str) -> dict[str, Any]:
    """What the command gives."""
    told = json.loads(said("import", *words, "--json"))
    assert isinstance(told, dict)
    return told


@pytest.mark.usefixtures("project")
def test_the_page_about_importing_names_the_keys_of_the_report(tmp_path: Path) -> None:
    told = report(str(graph(tmp_path, entity("a", "one"), "{broken")))
    keys = table("importing.md", "## The report", "## What becomes")
    assert keys.keys() == told.keys()
    outcomes = {name.replace(" ", "_") for name in (take.READ, *take.OUTCOMES)}
    assert keys["kinds"] == outcomes == told["kinds"]["Entities"].keys()
    assert keys["skipped"] == told["skipped"][0].keys()


@pytest.mark.usefixtures("project")
def test_the_page_about_bundles_names_the_keys_of_theirs(folder: DataFolder, tmp_path: Path) -> None:
    record = {
        "schema_version": 1, "uuid": UUID, "type": "note", "content": "x", "created_at": "2026-01-01T00:00:00",
    }  # fmt: skip
    (tmp_path / "b.tar").write_bytes(bundle_of({f"records/{UUID}.json": json.dumps(record).encode()}))
    told = report(str(tmp_path / "b.tar"))
    keys = table("bundles.md", "gives the report as JSON:", "`--dry-run` says the same")
    assert keys.keys() == told.keys()
    assert keys["kinds"] == told["kinds"].keys() | told["kinds"]["record"].keys()
