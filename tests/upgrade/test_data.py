"""Data that one version writes are read whole by another, forth and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.upgrade import trees

WRITE = """
import json, os, sys
from memories.core import records
from memories.core.paths import DataFolder
folder = DataFolder(sys.argv[1])
folder.create()
made = {}
def store(name, **fields):
    record = records.new_record(created_at="2026-03-14T09:12:44", **fields)
    records.save(folder, record)
    made[name] = record["uuid"]
    return record["uuid"]
note = store("note", type="note", content="Grüße: deploys go out on Tuesdays 漢字", tags="ops, deploy", importance=9)
refs = '["s1"]'
old = store("old", type="narrative", content="# shop\\n\\nfirst", project="shop", session_id="s1", transcript_ref=refs)
links = [{"to_uuid": old, "relationship": "supersedes"}, {"to_uuid": note, "relationship": "related_to"}]
store("new", type="narrative", content="# shop\\n\\nsecond", project="shop", connections=links)
store("log", type="session_log", content="Project: shop", session_id="7b1e2f04-0000-4000-8000-00000000c0de")
gone = store("gone", type="note", content="to be deleted")
records.delete(folder, gone)
os.makedirs(folder.transcripts, exist_ok=True)
with open(os.path.join(folder.transcripts, "7b1e2f04-0000-4000-8000-00000000c0de.jsonl"), "wb") as file:
    file.write(b'{"type": "user", "message": {"role": "user", "content": "hello"}}\\n')
print(json.dumps(made))
"""

READ = """
import json, os, sys
from memories.core import mirror, records
from memories.core.paths import DataFolder
folder = DataFolder(sys.argv[1])
mirror.update(folder)
connection = mirror.connect(folder.mirror)
found = {uuid: records.load(folder, uuid) for (uuid,) in connection.execute("SELECT uuid FROM memory")}
links = sorted(connection.execute("SELECT from_uuid, to_uuid, relationship FROM link").fetchall())
deleted = sorted(name[:32] for name in os.listdir(folder.trash) if name.endswith(".json"))
print(json.dumps({"records": found, "links": links, "deleted": deleted}))
"""

CHANGE = """
import sys
from memories.core import records
from memories.core.paths import DataFolder
folder = DataFolder(sys.argv[1])
def change(record):
    record["tags"] = "changed by the older"
    return True
for name in sorted(__import__("os").listdir(folder.records)):
    with records.lock(folder):
        records.update(folder, name[:32], change)
"""


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trees.unpack(trees.oldest(), tmp_path_factory.mktemp("oldest") / "tree")


def test_what_the_oldest_writes_the_newest_reads_and_back(oldest: Path, tmp_path: Path) -> None:
    _forth_and_back(oldest, tmp_path / "memory")


@pytest.mark.long
@pytest.mark.parametrize("place", range(8))
def test_what_each_version_writes_the_newest_reads_and_back(tmp_path: Path, place: int) -> None:
    commits = trees.one_of_each()
    if place >= len(commits):
        pytest.skip("no more versions of the mirror")
    _forth_and_back(trees.unpack(commits[place], tmp_path / "tree"), tmp_path / "memory")


def _forth_and_back(old: Path, place: Path) -> None:
    folder = DataFolder(str(place))
    made = json.loads(trees.run(old, WRITE, folder.root))
    assert json.loads(trees.run(trees.ROOT, READ, folder.root)) == json.loads(trees.run(old, READ, folder.root))
    newest = _newest(folder, made)
    back = json.loads(trees.run(old, READ, folder.root))
    assert back["records"].keys() == {uuid for name, uuid in made.items() if name != "gone"} | {newest["uuid"]}
    assert [newest["uuid"], made["note"], "related_to"] in back["links"]
    assert back["deleted"] == [made["gone"]]
    trees.run(old, CHANGE, folder.root)
    again = records.load(folder, newest["uuid"])
    assert again.pop("tags") == "changed by the older"
    assert again.keys() >= newest.keys() - {"tags"}
    assert (again["imported_from"], again["future"]) == ("laptop", {"nested": [1, "two"]})
    result = mirror.update(folder)
    assert (result.total, result.skipped) == (5, [])
    assert records.restore(folder, made["gone"])["content"] == "to be deleted"


def _newest(folder: DataFolder, made: dict[str, str]) -> dict[str, Any]:
    """Write with this version what earlier ones do not know, and check that all is there."""
    result = mirror.update(folder)
    assert (result.total, result.skipped) == (4, [])
    assert records.load(folder, made["note"])["content"] == "Grüße: deploys go out on Tuesdays 漢字"
    record = records.new_record(
        type="note", content="of the newest", project="shop", project_id="git:example.org/o/shop",
        connections=[{"to_uuid": made["note"], "relationship": "related_to"}],
    )  # fmt: skip
    record.update(imported_from="laptop", future={"nested": [1, "two"]})
    records.save(folder, record)
    return record
