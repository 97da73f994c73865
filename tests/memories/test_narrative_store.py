"""A narrative that lost something is refused until what was lost is put back, marked as closed, or accepted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from memories import services
from memories.core import mirror, records
from memories.core.errors import NarrativeRefusedError
from memories.core.paths import DataFolder
from memories.services import Session
from tests.memories.stores import in_mirror

SESSION = "7b1e2f04-0000-4000-8000-00000000c0de"
FIRST = "# Shop\n## Decisions\n- Use Postgres for orders, because of transactions.\n- Retry the importer 3 times."
WITHOUT = "# Shop\n## Decisions\n- Retry the importer 3 times."


def tell(folder: DataFolder, content: str, **more: Any) -> dict[str, Any]:
    return services.memory_store(folder, Session(), content=content, type="narrative", project="shop", **more)


def refused(folder: DataFolder, content: str, **more: Any) -> str:
    """The text with which a narrative is refused; nothing is written."""
    before = in_mirror(folder)
    with pytest.raises(NarrativeRefusedError) as error:
        tell(folder, content, **more)
    assert in_mirror(folder) == before
    return str(error.value)


def test_a_dropped_decision_is_refused_with_its_name_and_the_old_narratives_uuid(memory_home: DataFolder) -> None:
    first = tell(memory_home, FIRST)["uuid"]
    text = refused(memory_home, WITHOUT)
    assert "[gone] Decisions: Use Postgres for orders, because of transactions." in text
    assert first in text
    assert records.load(memory_home, first)["status"] == "active"


def test_put_back_in_other_words_or_marked_dropped_it_is_stored(memory_home: DataFolder) -> None:
    tell(memory_home, FIRST)
    assert tell(memory_home, WITHOUT + "\n- Orders: Postgres, for its transactions.")["status"] == "stored"
    closed = "\n- ~~Orders: Postgres, for its transactions.~~ (dropped: too slow)"
    answer = tell(memory_home, WITHOUT + closed)
    assert "accepted_losses" not in records.load(memory_home, answer["uuid"])
    assert tell(memory_home, WITHOUT)["status"] == "stored"


def test_an_item_too_short_for_a_beginning_is_accepted_by_its_whole_text(memory_home: DataFolder) -> None:
    tell(memory_home, FIRST + "\n- Fix docs")
    assert "Fix docs" in refused(memory_home, FIRST, accept_losses=["Fix"])
    assert tell(memory_home, FIRST, accept_losses=["Fix docs"])["status"] == "stored"


def test_accepted_losses_are_kept_with_the_record(memory_home: DataFolder) -> None:
    first = tell(memory_home, FIRST)["uuid"]
    (handle,) = re.findall(r"^- ([0-9a-f]{6}): \[gone\]", refused(memory_home, WITHOUT), re.MULTILINE)
    answer = tell(memory_home, WITHOUT, accept_losses=[handle, "no such thing at all"])
    assert any("names nothing" in warning for warning in answer["warnings"])
    record = records.load(memory_home, answer["uuid"])
    assert record["accepted_losses"] == ["gone: Use Postgres for orders, because of transactions."]
    assert records.load(memory_home, first)["archived_in"] == answer["uuid"]


def test_everything_at_once_is_not_accepted(memory_home: DataFolder) -> None:
    tell(memory_home, FIRST)
    assert "name each loss" in refused(memory_home, WITHOUT, accept_losses=["all"])


def test_each_active_narrative_that_would_be_replaced_is_checked(memory_home: DataFolder) -> None:
    tell(memory_home, FIRST)
    other = "## Gotchas\n- The staging clock runs late."
    records.save(memory_home, records.new_record(type="narrative", content=other, project="shop"))
    mirror.update(memory_home)
    assert "The staging clock runs late." in refused(memory_home, FIRST + "\n- More.")


def test_a_first_narrative_has_no_losses_but_its_citations_and_claims_are_checked(memory_home: DataFolder) -> None:
    Path(memory_home.transcripts, f"{SESSION}.jsonl").write_text("{}\n", encoding="utf-8")
    text = refused(memory_home, FIRST + " [7b1e2f04:2] [00000000:1]", transcript_ref=[SESSION, "other"])
    assert "- [7b1e2f04:2]: " in text
    assert "- [00000000:1]: " in text
    assert "- other: " in text
    answer = tell(memory_home, FIRST + " [7b1e2f04:1]", transcript_ref=["7b1e2f04"])
    record = records.load(memory_home, answer["uuid"])
    assert records.session_refs(record["transcript_ref"]) == [SESSION]
    assert record["processed_bytes"] == {SESSION: 3}


def test_sessions_claimed_before_may_have_been_removed_since(memory_home: DataFolder) -> None:
    archived = Path(memory_home.transcripts, f"{SESSION}.jsonl")
    archived.touch()
    tell(memory_home, FIRST, transcript_ref=[SESSION])
    archived.unlink()
    answer = tell(memory_home, FIRST + "\n- More.", transcript_ref=[SESSION])
    assert records.session_refs(records.load(memory_home, answer["uuid"])["transcript_ref"]) == [SESSION]


def test_missing_sections_are_warnings_beside_stored_and_a_duplicate_stays_one(memory_home: DataFolder) -> None:
    answer = tell(memory_home, FIRST)
    assert any("Current state" in warning for warning in answer["warnings"])
    assert tell(memory_home, FIRST)["status"] == "duplicate_skipped"


def test_a_note_is_not_checked(memory_home: DataFolder) -> None:
    answer = services.memory_store(memory_home, Session(), content="See [00000000:1].", type="note")
    assert (answer["status"], answer["warnings"]) == ("stored", [])
