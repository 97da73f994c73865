from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from memories.core import forgotten, records
from memories.core.paths import DataFolder
from memories.importers import first_memory
from tests.importers.sources import SESSION, imported, outcomes, stored, tree

UUID = "aa11bb22cc33dd44ee55ff6677889900"
OTHER = "0f3c9a7d21b84e55a6c07e19d2f4b888"


def old(uuid: str = UUID, **fields: object) -> dict[str, object]:
    """A record as the first LLM Memory wrote it."""
    return {
        "schema_version": 1, "uuid": uuid, "type": "note", "content": "Deploys on Tuesdays", "project": "orders-api",
        "session_id": SESSION, "importance": 8, "transcript_ref": None, "tags": "decision, deploy",
        "created_at": "2026-03-14T09:12:44", "connections": [], "status": "active", **fields,
    }  # fmt: skip


def test_a_record_comes_whole_with_its_id_and_its_links(folder: DataFolder, tmp_path: Path) -> None:
    link = {"to_uuid": OTHER, "relationship": "supersedes"}
    there = old(connections=[link], mood="calm")
    result = imported(folder, "llm-memory", tree(tmp_path / "old", {f"records/{UUID}.json": there}))
    assert outcomes(result, "Memories") == {"read": 1, "new": 1}
    here = records.load(folder, UUID)
    assert {name: here[name] for name in there} == there
    assert here["imported_from"] == "first LLM Memory"


@pytest.mark.parametrize(
    "ref",
    [
        f"~/.claude/projects/x/{SESSION}.jsonl",
        json.dumps([f"/x/{SESSION}.jsonl"]),
        f"/x/{SESSION}.jsonl, /y/{SESSION}.jsonl",
        f"/x/{SESSION}.jsonl\n/y/{SESSION}.jsonl",
        [f"/x/{SESSION}.jsonl"],
    ],
)
def test_every_form_of_transcript_ref_names_its_sessions(folder: DataFolder, tmp_path: Path, ref: object) -> None:
    imported(folder, "llm-memory", tree(tmp_path / "old", {f"records/{UUID}.json": old(transcript_ref=ref)}))
    assert records.session_refs(records.load(folder, UUID)["transcript_ref"]) == [SESSION]


def test_what_is_clear_is_mended(folder: DataFolder, tmp_path: Path) -> None:
    there = {
        "uuid": "AA11BB22-CC33-DD44-EE55-FF6677889900", "type": "chunk", "text": "Older words", "importance": "12",
        "tags": ["a", "b"], "created_at": "2026-03-14T11:12:44+02:00", "origin": 7, "updated_at": "never",
        "connections": [{"to_uuid": OTHER, "relationship": "mentions"}, {"to_uuid": "x"}, 3],
    }  # fmt: skip
    imported(folder, "llm-memory", tree(tmp_path / "old", {"records/x.json": there}))
    here = records.load(folder, UUID)
    assert here["content"] == "Older words"
    assert here["type"] == "note"
    assert here["tags"] == "a, b, chunk"
    assert here["importance"] == 10
    assert here["created_at"] == "2026-03-14T09:12:44"
    assert here["connections"] == [{"to_uuid": OTHER, "relationship": "related_to"}]
    assert not {"origin", "updated_at"} & here.keys()


def test_what_cannot_come_is_named_with_its_file(folder: DataFolder, tmp_path: Path) -> None:
    root = tree(
        tmp_path / "old",
        {
            "records/a.json": "{",
            "records/b.json": [1],
            "records/c.json": {"uuid": UUID, "content": " "},
            "records/d.json": old(schema_version=2),
            "records/e.json": old(deleted_at="2026-03-15T00:00:00"),
            "records/f.json": "[" * 100_000,
            f"records/{OTHER}.json": old(OTHER, type="narrative", project=None),
            "records/g.json": old(deep=json.loads("[" * 900 + "]" * 900)),
            "transcripts/notes.jsonl": "{}",
        },
    )
    (root / "records" / "h.json").symlink_to(root / "records" / "d.json")
    result = imported(folder, "llm-memory", root)
    assert [where for where, _ in result.skipped] == [
        "records/a.json", "records/b.json", "records/c.json", "records/d.json", "records/e.json", "records/f.json",
        "transcripts/notes.jsonl", f"records/{OTHER}.json", "records/g.json",
    ]  # fmt: skip
    assert os.listdir(folder.records) == []


def test_a_folder_that_is_a_link_is_named_and_not_followed(tmp_path: Path) -> None:
    tree(tmp_path / "elsewhere", {f"{UUID}.json": old()})
    root = tree(tmp_path / "old", {"items/a/b/c.json": {"text": "x"}})
    (root / "records").symlink_to(tmp_path / "elsewhere")
    reading = first_memory.read(str(root))
    assert [where for where, _ in reading.skipped] == ["records"]
    assert [item.where for item in reading.items] == ["items/a/b/c.json"]


def test_transcripts_come_byte_for_byte_but_not_those_that_were_forgotten(folder: DataFolder, tmp_path: Path) -> None:
    gone = SESSION.replace("22c2", "33d3")
    line = json.dumps({"type": "user", "sessionId": SESSION, "message": {"role": "user", "content": "hello"}}) + "\n"
    root = tree(
        tmp_path / "old",
        {
            f"transcripts/{SESSION}.jsonl": line,
            f"transcripts/{SESSION}/subagents/a.jsonl": "{}",
            f"transcripts/{gone}.jsonl": line,
        },
    )
    tree(root, {"records/.keep": "", "conversations/x.md": "derived"})
    forgotten.mark(folder, gone, forgotten.FORGOTTEN)
    assert outcomes(imported(folder, "llm-memory", root, dry_run=True), "Transcripts") == {
        "read": 2, "new": 1, "deleted here": 1,
    }  # fmt: skip
    result = imported(folder, "llm-memory", root)
    assert outcomes(result, "Transcripts") == {"read": 2, "new": 1, "deleted here": 1}
    assert result.notes == ["1 files in conversations/ stay there: they are derived from the transcripts"]
    assert Path(folder.transcripts, f"{SESSION}.jsonl").read_text(encoding="utf-8") == line
    assert Path(folder.transcripts, SESSION, "subagents", "a.jsonl").exists()
    assert outcomes(imported(folder, "llm-memory", root), "Transcripts") == {
        "read": 2, "already here": 1, "deleted here": 1,
    }  # fmt: skip


def test_a_narrative_that_comes_does_not_take_the_place_of_the_one_here(folder: DataFolder, tmp_path: Path) -> None:
    records.save(folder, records.new_record(type="narrative", content="Ours", project="orders_api"))
    there = [
        old(type="narrative", content="Theirs"),
        old(OTHER, type="narrative", content="Older", project="blog"),
        old("e" * 32, type="narrative", content="Newer", project="Blog", created_at="2026-04-01T00:00:00"),
    ]
    root = tree(tmp_path / "old", {f"records/{one['uuid']}.json": one for one in there})
    imported(folder, "llm-memory", root)
    statuses = {content: record["status"] for content, record in stored(folder).items()}
    assert statuses == {"Ours": "active", "Theirs": "archived", "Older": "archived", "Newer": "active"}
    assert outcomes(imported(folder, "llm-memory", root), "Memories") == {"read": 3, "already here": 3}


def test_in_the_data_folder_itself_only_what_the_later_versions_left_is_read(folder: DataFolder) -> None:
    tree(Path(folder.root), {"items/shop/decisions/dec-1.json": {"id": "dec-1", "text": "ULIDs"}})
    records.save(folder, records.new_record(type="note", content="ours"))
    reading = first_memory.read(folder.root, is_here=True)
    assert [item.where for item in reading.items] == ["items/shop/decisions/dec-1.json"]
