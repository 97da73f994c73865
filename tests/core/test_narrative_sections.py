"""A narrative's sections: what they are called, what of them is missing, what they may hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import narrative_sections

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("just text", [("", "just text")]),
        ("# Title\n## A\na\n## B\nb", [("A", "a"), ("B", "b")]),
        ("# Title\nlead\n## A\na", [("Title", "lead"), ("A", "a")]),
        ("# A\na\n# B\n## sub\nb", [("A", "a"), ("B", "## sub\nb")]),
        ("## A\n### sub\nx\n### sub2\ny", [("A", "### sub\nx\n### sub2\ny")]),
        ("## A\n```\n# code\n```\n## B\nb", [("A", "```\n# code\n```"), ("B", "b")]),
        ("## History\nh\n## 1. Current state ##\nc\n## Sources\ns",
         [("History", "h"), ("1. Current state", "c"), ("Sources", "s")]),
        ("## Empty\n\n## A\na", [("A", "a")]), ("#\n\nno heading", [("", "#\n\nno heading")]), ("", []),
    ],
)  # fmt: skip
def test_a_narrative_falls_into_its_sections_in_its_own_order(content: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.heading, one.body) for one in narrative_sections.sections(content)] == expected


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("What this is", "what this is"), ("**Next steps**", "next steps"), ("2. CURRENT STATE", "current state"),
        ("Key decisions", "decisions"), ("Decisions with reasons", "decisions"), ("Known gotchas", "gotchas"),
        ("Outstanding work", "outstanding"), ("Next step", "next steps"), ("Immediate next steps", "next steps"),
        ("Session history", "session history"), ("History", "session history"), ("Sources", "sources"),
        ("Open questions", "outstanding"), ("Source code", None), ("Architecture", None), ("", None), ("12.", None),
        ("Indecision", None), ("Decision history", "decisions"),
    ],
)  # fmt: skip
def test_a_heading_says_its_kind(heading: str, kind: str | None) -> None:
    assert narrative_sections.kind_of(heading) == kind


def test_the_headings_asked_for_are_those_of_the_rules_and_each_has_a_kind() -> None:
    rules = (ROOT / "hooks" / "rules" / "CLAUDE.md").read_text(encoding="utf-8")
    places = [rules.index(f"- `## {heading}`") for heading in narrative_sections.REQUIRED]
    assert places == sorted(places)
    assert all(narrative_sections.kind_of(heading) for heading in narrative_sections.REQUIRED)


def test_missing_headings_are_named_in_their_order() -> None:
    found = narrative_sections.sections("## Key decisions\n- a\n## Next steps\n\n## Gotchas\n- g\n## History\n- h")
    assert narrative_sections.missing(found) == ["What this is", "Current state", "Next steps", "Sources"]
    assert narrative_sections.missing([]) == list(narrative_sections.REQUIRED)


def test_every_kind_has_a_budget_and_together_they_are_one_answer_of_memory_get() -> None:
    assert set(narrative_sections.STORED_TOKENS) == set(narrative_sections.KINDS)
    assert sum(narrative_sections.STORED_TOKENS.values()) * 4 < 50_000
    assert narrative_sections.stored_budget("decisions") == 3000
    assert narrative_sections.stored_budget(None) == narrative_sections.STORED_OTHER_TOKENS


@given(st.lists(st.sampled_from(["# a", "## b", "### c", "text", "- item", "```", "~~~", "", "## Next steps"])))
def test_no_line_that_says_something_is_lost(lines: list[str]) -> None:
    found = narrative_sections.sections("\n".join(lines))
    kept = [line for section in found for line in section.body.splitlines()]
    assert [line for line in kept if line[:1] not in {"", "#"}] == [line for line in lines if line[:1] not in {"", "#"}]
