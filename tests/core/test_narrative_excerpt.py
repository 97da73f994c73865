"""What is shown of a section: the newest decisions, the history condensed by age, what is left out counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import budget, narrative_excerpt
from memories.core.narrative_sections import Section

KINDS = ("Current state", "Next steps", "Decisions with reasons", "Gotchas", "Session history", "Other", "")
_body = st.lists(
    st.sampled_from([
        "- item", "- 2026-03-01 dated", "- 2026-04-01 " + "long " * 60, "  more", "### sub", "| a | b |", "|---|---|",
        "| 2026-03-02 | x |", "paragraph", "", "```", "😀" * 80, "漢" * 90,
    ])
).map("\n".join) | st.text()  # fmt: skip


def _decisions(*days: int) -> str:
    return "\n".join(f"- Decision {day} [abc123:4] (2026-03-{day:02})" for day in days)


def test_decisions_come_newest_first_where_they_are_dated() -> None:
    shown = narrative_excerpt.excerpt(Section("Decisions", _decisions(3, 9, 5)), 1000)
    assert [line.split()[3] for line in shown.splitlines()[1:]] == ["9", "5", "3"]
    cut = narrative_excerpt.excerpt(Section("Decisions", _decisions(*range(1, 29))), 200)
    assert cut.splitlines()[1].startswith("> - Decision 28")
    assert cut.endswith("more entries in the whole text)")


def test_decisions_without_dates_stay_as_they_were_written() -> None:
    body = "- most important\n- second (2026-03-01)\n- third"
    assert "most important\n> - second" in narrative_excerpt.excerpt(Section("Decisions", body), 1000)


def test_a_decision_below_its_own_heading_moves_with_its_text() -> None:
    body = "### Old (2026-01-01)\nBecause.\n\n- why\n\n### New (2026-02-01)\nTherefore."
    assert narrative_excerpt.excerpt(Section("Decisions", body), 1000) == (
        "> ## Decisions\n> ### New (2026-02-01)\n> Therefore.\n> ### Old (2026-01-01)\n> Because.\n> - why"
    )


def test_a_tables_head_stays_above_its_rows() -> None:
    body = "| what | when |\n|---|---|\n| a | 2026-01-01 |\n| b | 2026-02-01 |"
    shown = narrative_excerpt.excerpt(Section("Decisions", body), 1000)
    assert shown.splitlines()[1:] == [f"> {row}" for row in (
        "| what | when |", "|---|---|", "| b | 2026-02-01 |", "| a | 2026-01-01 |"
    )]  # fmt: skip


def test_the_history_is_condensed_by_age() -> None:
    body = "\n".join(f"- 2026-03-{day:02}: " + f"what was done on day {day}, " * 10 for day in range(1, 21))
    lines = narrative_excerpt.excerpt(Section("Session history", body), 1500).splitlines()
    assert [int(line[12:14]) for line in lines[1:-1]] == list(range(20, 20 - len(lines[1:-1]), -1))
    assert [len(line) > narrative_excerpt.OLD_ENTRY_CHARS + 2 for line in lines[1:-1]][:4] == [True, True, True, False]
    assert lines[-1] == f"({20 - len(lines[1:-1])} more entries in the whole text)"


def test_a_long_heading_is_shortened_and_one_entry_is_said_as_one() -> None:
    shown = narrative_excerpt.excerpt(Section("Current state " + "of it " * 50, "- one\n- " + "two " * 100), 160)
    assert len(shown.splitlines()[0]) <= narrative_excerpt.HEADING_CHARS + 5
    assert shown.endswith("\n> - one\n(1 more entry in the whole text)")


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_entry_is_shortened_rather_than_dropped(kind: str) -> None:
    shown = narrative_excerpt.excerpt(Section(kind, "- begin " + "word " * 500 + "\n- next"), 120)
    assert "> - begin word" in shown
    assert "(1 more entry" in shown


@given(st.sampled_from(KINDS), _body, st.integers(0, 600))
def test_an_excerpt_fits_and_is_quoted_but_for_the_remark(kind: str, body: str, room: int) -> None:
    shown = narrative_excerpt.excerpt(Section(kind, body), room)
    assert budget.units(shown) <= room
    for line in shown.splitlines():
        assert line.startswith((">", "("))


def test_sections_are_ordered_by_worth_and_sources_are_not_shown() -> None:
    names = ("Session history", "Sources", "Other", "Gotchas", "Next steps", "Current state")
    found = narrative_excerpt.best_first([Section(name, "x") for name in names])
    assert [one.heading for one in found] == ["Current state", "Next steps", "Gotchas", "Other", "Session history"]
