"""A narrative's items: what a rewrite must keep, and what is done or dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core.narrative_closed import closes, is_closing_title
from memories.core.narrative_items import Entry, entries, items


def texts(content: str) -> list[str]:
    return [item.text for item in items(content)]


def only(content: str) -> Entry:
    (item,) = items(content)
    return item


@pytest.mark.parametrize(
    "heading",
    ["## Decisions", "# Key decisions", "## Decisions with reasons", "### 3. Known gotchas", "## Outstanding work",
     "## Next step", "## **Open items**"],
)  # fmt: skip
def test_entries_under_a_heading_that_says_so_are_items(heading: str) -> None:
    assert texts(f"{heading}\n- one\n- two") == ["one", "two"]


@pytest.mark.parametrize("heading", ["## What this is", "## Current state", "## Session history", "## Sources", ""])
def test_entries_elsewhere_are_no_items(heading: str) -> None:
    assert texts(f"{heading}\n- one") == []


def test_a_title_that_names_decisions_makes_not_all_below_it_items() -> None:
    assert texts("# Decisions of the shop\n## Architecture\n- one\n## Gotchas\n- two") == ["two"]


def test_sub_headings_inherit_their_section_unless_they_name_another() -> None:
    content = (
        "## Decisions\n### Storage\n- one\n### Sources of truth\n- two\n### Next steps\n- three\n## Sources\n- four"
    )
    assert [(item.text, item.section) for item in items(content)] == [
        ("one", "Decisions"), ("two", "Decisions"), ("three", "Next steps"),
    ]  # fmt: skip


def test_nested_entries_are_items_of_their_own_with_their_own_text() -> None:
    content = "## Decisions\n- parent\n  goes on\n  - child\n\n    goes on too\n1. numbered\n   * deep\n+ plus"
    assert texts(content) == ["parent goes on", "child goes on too", "numbered", "deep", "plus"]


def test_fenced_code_belongs_to_its_entry_and_nothing_in_it_is_an_entry() -> None:
    content = "## Gotchas\n- run it so:\n  ```sh\n  - not an entry\n  # no heading\n  ```\n- next"
    assert texts(content) == ["run it so: - not an entry # no heading", "next"]


def test_a_table_row_is_an_item_its_header_ruler_and_number_are_not() -> None:
    content = "## Outstanding\n| # | What | Who |\n|---|:--|--|\n| 1 | Login | Ann |\n| 2 | Logout | Bob |\n\nText."
    assert texts(content) == ["Login | Ann", "Logout | Bob"]
    assert texts("## Gotchas\nWhat | Why\n---|---\na | b") == ["a | b"]


def test_a_sub_heading_with_only_paragraphs_is_one_item_with_them() -> None:
    content = (
        "## Decisions\n### Use Postgres\nIt has transactions.\n\nAnd we know it.\n### Caching\nAs follows:\n- redis"
    )
    assert texts(content) == ["Use Postgres: It has transactions. And we know it.", "redis"]


def test_a_sub_heading_with_paragraphs_and_then_a_list_is_an_item_and_so_are_the_entries() -> None:
    assert texts("## Decisions\n### Postgres\nFor its locks.\n\n- not Mongo\n\nMore.") == [
        "Postgres: For its locks.",
        "not Mongo",
    ]


def test_a_sub_heading_whose_paragraph_only_introduces_a_list_is_no_item() -> None:
    assert texts("## Decisions\n### Storage\nThese hold:\n\n- Postgres\n- not Mongo") == ["Postgres", "not Mongo"]


def test_paragraphs_of_a_section_itself_are_no_items_but_entries() -> None:
    content = "## Decisions\nThese hold.\n- one"
    assert texts(content) == ["one"]
    assert [(entry.form, entry.text) for entry in entries(content)] == [
        ("heading", "Decisions"), ("paragraph", "These hold."), ("list", "one"),
    ]  # fmt: skip


def test_lines_count_from_one_and_comments_are_not_read() -> None:
    item = only("# Title\n<!-- hidden\n- no -->\n\n## Decisions\n\n- one")
    assert (item.text, item.line) == ("one", 7)


def test_quoted_and_tab_indented_entries_are_read() -> None:
    assert texts("## Decisions\n> - quoted\n> - two\n\n- a\n\t- b") == ["quoted", "two", "a", "b"]


@pytest.mark.parametrize("text", [
    "DONE: x", "Done — x", "done: x", "(done 2026-03-01) x", "x (done 2026-03-01)", "x [dropped]", "✅ x", "x ✅",
    "x — done", "x - resolved.", "x (replaced by Redis)", "**Done** x", "**Superseded by ADR 9**: x", "~~x~~",
    "~~x~~ (too slow)", "x (done, see PR 12)", "x (dropped: too slow)", "x DONE", "x (done) [7b1e2f04:12]",
    "x — done in 2.3", "x - superseded by y", "[cancelled] x", "x (completed in v2.1)", "x (no longer needed)",
    "x (resolved 14 March 2026)", "x (fixed in #12)", "x (obsolete)", "Abandoned: x", "x (won't fix)",
])  # fmt: skip
def test_a_mark_at_the_beginning_or_end_closes(text: str) -> None:
    assert closes(text, is_row=False)


@pytest.mark.parametrize("text", [
    "We are done with x", "The export runs nightly (done by the worker)", "Completed-by is a required field",
    "Done is a status: x", "x (closed source)", "x (completed in 3 steps)", "Fix x, then it is done.", "",
    "Resolved host names are cached: yes", "x (done) and then y", "~~30~~ 45 seconds is the timeout of the gateway",
    "Rejected: MongoDB", "x (see the obsolete module)",
])  # fmt: skip
def test_a_mere_word_within_a_sentence_does_not(text: str) -> None:
    assert not closes(text, is_row=False)


def test_boxes_close_and_what_is_below_a_closed_entry_is_closed_with_it() -> None:
    content = "## Next steps\n- [x] boxed\n  - child\n  - [ ] open\n- [ ] other\n- [X] big\n- [-] left"
    closed = {item.text: item.is_closed for item in items(content)}
    assert closed == {"boxed": True, "child": True, "open": False, "other": False, "big": True, "left": True}


def test_a_table_cell_and_a_sub_heading_close_too() -> None:
    assert only("## Outstanding\n| a | b |\n|--|--|\n| Login | done |").is_closed
    assert not only("## Outstanding\n| a | b |\n|--|--|\n| Login | to be done |").is_closed
    assert only("## Outstanding\n### Done\n- one").is_closed
    assert is_closing_title("**Resolved items**")
    assert not is_closing_title("Done differently")


@given(st.text(alphabet=st.sampled_from(list("#-*|>`~[]() x\n\t1.:<!é漢✅")), max_size=300))
def test_any_text_is_read(content: str) -> None:
    found = entries(f"## Decisions\n{content}")
    assert all(entry.line >= 1 for entry in found)
    assert [item.text for item in items(content)] == [entry.text for entry in entries(content) if entry.is_item]
