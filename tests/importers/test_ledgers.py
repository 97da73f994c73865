from __future__ import annotations

from pathlib import Path

from memories.core.paths import DataFolder
from tests.importers.sources import SESSION, imported, outcomes, stored, tree

LEDGER = {
    "schema_version": "0.1",
    "project": "orders-api",
    "last_updated": "2026-04-17T00:29:57Z",
    "summary": {"what": "Takes orders", "why": "To sell"},
    "operations": [{"item": "Host", "detail": "orders.example"}],
    "decisions": [
        {
            "id": "dec-2", "text": "Ids are ULIDs", "rationale": "No counter", "quote": "use ULIDs", "status": "active",
            "importance": "load_bearing", "introduced_in": SESSION, "last_touched_at": "2026-04-01T00:00:00Z",
            "archived_in": None, "supersedes": ["dec-1"],
        },
        {"id": "dec-1", "text": "A counter", "status": "archived", "archived_reason": "superseded by dec-2"},
    ],
    "goals": [{"id": "goal-1", "text": "Migrate", "status": "active", "blocked_by": ["dec-2"], "cycles_pending": 3}],
    "suggestions": [], "learnings": [{"id": "lrn-1", "text": "Lock it", "evidence": ["seen", "twice"]}], "done": [],
    "sessions": [
        {
            "session_id": SESSION, "started": "2026-03-08T00:37:22Z", "ended": "2026-03-08T01:46:00Z",
            "topic": "Numbering", "journal": "We looked at the counter.", "status": "active",
        }
    ],
    "narrative": {"rendered_at": None, "record_uuid": None},
}  # fmt: skip
"""As docs/project_state_schema.md of the first LLM Memory describes projects/<project>.json."""


def test_every_item_of_a_projects_ledger_becomes_a_note_of_its_kind(folder: DataFolder, tmp_path: Path) -> None:
    result = imported(folder, "llm-memory", tree(tmp_path / "old", {"projects/orders-api.json": LEDGER}))
    assert outcomes(result, "Ledger items") == {"read": 7, "new": 7}
    assert result.skipped == []
    found = stored(folder)
    decision, before = found["Ids are ULIDs"], found["A counter"]
    assert decision["content"] == "Ids are ULIDs\n\nWhy: No counter\n\nSaid: use ULIDs"
    assert decision["tags"] == "decision"
    assert decision["session_id"] == SESSION
    assert decision["created_at"] == "2026-03-08T01:46:00"
    assert decision["importance"] == 5
    assert decision["imported_fields"]["importance"] == "load_bearing"
    assert decision["connections"] == [{"to_uuid": before["uuid"], "relationship": "supersedes"}]
    assert before["status"] == "archived"
    assert found["Migrate"]["connections"] == [{"to_uuid": decision["uuid"], "relationship": "related_to"}]
    assert found["Lock it"]["content"] == "Lock it\n\nEvidence: seen; twice"
    assert found["# orders-api"]["content"] == "# orders-api\n\n**What.** Takes orders\n\n**Why.** To sell"
    assert found["# orders-api: operations"]["content"].endswith("- **Host**: orders.example")
    assert found["# Numbering"]["session_id"] == SESSION
    assert {record["project"] for record in found.values()} == {"orders-api"}


def test_an_items_own_file_is_the_same_item_and_the_later_version_counts(folder: DataFolder, tmp_path: Path) -> None:
    item = {"id": "dec-2", "text": "Ids are ULIDs, sorted", "last_touched_at": "2026-05-01T00:00:00Z"}
    older = {"id": "goal-1", "project": "orders-api", "kind": "goals", "text": "Old words"}
    files = {
        "projects/orders-api.json": LEDGER,
        "items/orders-api/decisions/dec-2.json": item,
        "items/orders-api/goals/goal-1.json": {**older, "last_touched_at": ""},
        "items/orders-api/decisions/dec-1.json": {"id": "dec-1", "text": "A counter", "status": "active"},
    }
    result = imported(folder, "llm-memory", tree(tmp_path / "old", files))
    assert outcomes(result, "Ledger items") == {"read": 7, "new": 7}
    assert {"Ids are ULIDs, sorted", "Migrate", "A counter"} < stored(folder).keys()
    assert stored(folder)["A counter"]["status"] == "archived"


def test_a_rendered_narrative_is_the_projects_narrative(folder: DataFolder, tmp_path: Path) -> None:
    root = tree(tmp_path / "old", {"projects/orders-api.narrative.md": "# Orders\n\nNow."})
    assert outcomes(imported(folder, "llm-memory", root), "Narratives") == {"read": 1, "new": 1}
    narrative = stored(folder)["# Orders"]
    assert (narrative["type"], narrative["project"], narrative["status"]) == ("narrative", "orders-api", "active")


def test_other_shapes_are_read_where_they_hold_text_and_named_where_not(folder: DataFolder, tmp_path: Path) -> None:
    files = {
        "projects/a.json": {**LEDGER, "decisions": [3, {"id": "x"}], "mood": "calm", "risks": [{"text": "A risk"}]},
        "projects/b.json": [{"body": "In a list", "type": "idea", "tags": "x, y"}],
        "projects/c.contested.json": {"cut": []},
        "projects/d.md": "what is this",
        "items/shop/notes.jsonl": '{"summary": "One a line"}\n{broken\n\n"text"\n',
    }
    result = imported(folder, "llm-memory", tree(tmp_path / "old", files))
    found = stored(folder)
    assert found["A risk"]["tags"] == "risks"
    assert (found["In a list"]["project"], found["In a list"]["tags"]) == ("b", "idea, x, y")
    assert found["One a line"]["project"] == "shop"
    assert [where for where, _ in result.skipped] == [
        "projects/a.json: decisions[1]", "projects/a.json: decisions[2]", "projects/a.json: mood", "projects/d.md",
        "items/shop/notes.jsonl:2", "items/shop/notes.jsonl:4",
    ]  # fmt: skip
    assert "projects/c.contested.json stays there: it is derived from the ledger" in result.notes


def test_an_item_without_an_id_is_known_again_by_its_words(folder: DataFolder, tmp_path: Path) -> None:
    root = tree(tmp_path / "old", {"projects/b.json": {"learnings": [{"text": "Lock it"}]}})
    imported(folder, "llm-memory", root)
    assert outcomes(imported(folder, "llm-memory", root), "Ledger items") == {"read": 1, "already here": 1}
