"""Findings, how accept_losses names them, and what a refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from memories.core import forgotten, narrative_check, narrative_sections
from memories.core.errors import NarrativeRefusedError
from memories.core.narrative_check import Findings, accept, check
from memories.core.paths import DataFolder

SESSION = "7b1e2f04-0000-4000-8000-00000000c0de"
OLD = "## Decisions\n- Use Postgres for orders, because of transactions.\n- Retry the importer 3 times."


@pytest.fixture
def archive(folder: DataFolder) -> DataFolder:
    Path(folder.transcripts, f"{SESSION}.jsonl").write_text("{}\n", encoding="utf-8")
    return folder


def found(archive: DataFolder, content: str, refs: list[str] | None = None, known: tuple[str, ...] = ()) -> Findings:
    return check(archive, [OLD], content, refs or [], known)


def test_losses_against_several_predecessors_are_each_named_once(archive: DataFolder) -> None:
    findings = check(archive, [OLD, OLD, "## Gotchas\n- the clock is late"], "## Decisions", [], ())
    assert len(findings.losses) == 3
    assert len({loss.handle for loss in findings.losses}) == 3


def test_claims_of_this_call_must_be_archived_those_made_before_may_be_gone(archive: DataFolder) -> None:
    gone = "11111111-0000-4000-8000-00000000c0de"
    assert [one.handle for one in found(archive, OLD, [SESSION, gone]).absent] == [gone]
    assert found(archive, OLD, [SESSION, gone], known=(gone,)).absent == []
    assert [one.handle for one in found(archive, OLD, ["../records/x", "a\0b"]).absent] == ["../records/x", "a\0b"]


def test_a_claim_of_a_session_that_was_forgotten_is_no_fault(archive: DataFolder) -> None:
    gone = "11111111-0000-4000-8000-00000000c0de"
    forgotten.mark(archive, gone, forgotten.FORGOTTEN)
    assert found(archive, OLD, [SESSION, gone]).absent == []


def test_the_beginning_of_a_session_id_stands_for_the_whole(archive: DataFolder) -> None:
    assert narrative_check.whole_refs(archive, ["7b1e2f04", SESSION, "00000000", "s1"]) == [SESSION, "00000000", "s1"]


def test_all_findings_named_in_any_way_are_accepted_and_kept(archive: DataFolder) -> None:
    content = "## Decisions\n- See [00000000:1]."
    findings = found(archive, content, ["gone-session"])
    first, second = findings.losses
    named = [first.handle.upper(), "- retry the importer", "[00000000:1]", "gone-session"]
    kept = accept(findings, named, ["a" * 32])
    assert kept == [
        "gone: Use Postgres for orders, because of transactions.",
        "gone: Retry the importer 3 times.",
        "citation [00000000:1]",
        "transcript gone-session",
    ]
    assert second.handle != first.handle


def test_what_is_not_named_refuses_and_is_listed_with_handle_section_and_text(archive: DataFolder) -> None:
    findings = found(archive, "## Decisions\n- Retry the importer 4 times [7b1e2f04:9].", ["gone-session"])
    with pytest.raises(NarrativeRefusedError) as refused:
        accept(findings, None, ["a" * 32])
    text = str(refused.value)
    gone, changed = findings.losses
    assert f"- {gone.handle}: [gone] Decisions: Use Postgres for orders, because of transactions." in text
    assert f"- {changed.handle}: [lost 3] Decisions: Retry the importer 3 times." in text
    assert "- [7b1e2f04:9]: That session has no line 9: its lines are 1 to 1." in text
    assert "- gone-session: claimed" in text
    assert "a" * 32 in text
    assert "accept_losses" in text


def test_too_short_a_text_names_nothing_and_what_names_nothing_is_a_warning(archive: DataFolder) -> None:
    findings = found(archive, OLD)
    assert accept(findings, ["retry", "ffffff"], []) == []
    assert [warning for warning in findings.warnings if "names nothing" in warning] == [
        "accept_losses names nothing that was found: 'retry'.",
        "accept_losses names nothing that was found: 'ffffff'.",
    ]
    with pytest.raises(NarrativeRefusedError):
        accept(found(archive, "## Decisions"), ["Use Post"], [])


@pytest.mark.parametrize("text", ["all", "*", "ALL"])
def test_everything_at_once_is_not_accepted(archive: DataFolder, text: str) -> None:
    findings = found(archive, "## Decisions")
    with pytest.raises(NarrativeRefusedError, match="name each loss"):
        accept(findings, [text, *(loss.handle for loss in findings.losses)], [])


def test_a_refusal_is_no_longer_than_its_limit_and_says_how_many_more(archive: DataFolder) -> None:
    old = "## Decisions\n" + "\n".join(f"- decision {number} about {'x' * 150}" for number in range(300))
    with pytest.raises(NarrativeRefusedError) as refused:
        accept(check(archive, [old], "## Decisions", [], ()), None, [])
    text = str(refused.value)
    assert len(text) <= narrative_check.MAX_CHARS
    assert "300 findings" in text
    listed = text.count("[gone]")
    assert f"and {300 - listed} more" in text


def test_a_narrative_with_all_sections_within_budget_gets_no_warning() -> None:
    content = "\n\n".join(f"## {heading}\nText." for heading in narrative_sections.REQUIRED)
    assert narrative_check.warnings(content) == []


def test_missing_repeated_and_too_long_sections_are_warnings() -> None:
    content = "\n\n".join(f"## {heading}\nText." for heading in narrative_sections.REQUIRED[:-1])
    content += "\n\n## Gotchas\n" + "long words here " * 9000
    missing, twice, section, whole = narrative_check.warnings(content)
    assert "Sources" in missing
    assert "gotchas" in twice
    assert "'Gotchas'" in section
    assert f"at most {narrative_check.TOTAL_TOKENS:,}" in whole
