"""Names of the copies that a file sync leaves beside a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import copies

COPIES = [
    ("x.sync-conflict-20260314-091244-ABCDEFG.json", "x.json"),
    ("x.sync-conflict-20260314-091244.json", "x.json"),
    ("x.sync-conflict-20260314-091244-ABCDEFG", "x"),
    ("x (conflicted copy 2026-03-14 091244).json", "x.json"),
    ("x (ann's conflicted copy 2026-03-14).json", "x.json"),
    ("x (Ann (work)'s conflicted copy 2026-03-14).json", "x.json"),
    ("x (ann's conflicted copy 2026-03-14 (1)).json", "x.json"),
    ("x (draft) (conflicted copy 2026-03-14 091244).md", "x (draft).md"),
    ("x_conflict-20260314-091244.json", "x.json"),
    ("x (1).json", "x.json"),
    ("x~", "x"),
    ("x.json~", "x.json"),
    ("x.sync-conflict-20260314-091244-ABCDEFG.sync-conflict-20260315-101112-HIJKLMN.json", "x.json"),
    ("x.sync-conflict-20260314-091244-ABCDEFG (1).json~", "x.json"),
]

NO_COPIES = [
    "x.json",
    "x",
    "conflict.json",
    "x.sync-conflict.json",
    "x(1).json",
    "x 2.json",
    "x (one).json",
    "x (conflicted copy).json",
    "~",
    ".syncthing.x.tmp",
    ".syncthing.x.sync-conflict-20260314-091244-ABCDEFG.json.tmp",
    "~syncthing~x.tmp",
    "x.part",
    "x (1).part",
    "x.tmp~",
    "x.sync-conflict-20260314-091244-ABCDEFG.json.part",
    ".x.json.AbC123",
    ".x.json.tmp-123",
    ".x.json~",
]


@pytest.mark.parametrize(("name", "original"), COPIES)
def test_a_copys_name_says_of_which_file_it_is(name: str, original: str) -> None:
    assert copies.original_name(name) == original


@pytest.mark.parametrize("name", NO_COPIES)
def test_other_names_and_partial_files_are_no_copies(name: str) -> None:
    assert copies.original_name(name) is None


@pytest.mark.parametrize(
    ("name", "original"),
    [(name, of) for name, of in COPIES if "~" not in name and "(1)." not in name]
    + [
        ("x (1).sync-conflict-20260314-091244-ABCDEFG.txt", "x (1).txt"),
        ("x (1).txt", None),
        ("notes.txt~", None),
        ("x.sync-conflict-20260314-091244-ABCDEFG.txt~", "x.txt~"),
    ],
)  # fmt: skip
def test_where_other_programs_name_files_only_a_dated_mark_makes_a_copy(name: str, original: str | None) -> None:
    assert copies.original_name(name, dated=True) == original


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1), st.sampled_from([name for name, _ in COPIES]))
def test_a_copy_of_any_file_leads_to_a_name_that_is_no_copy_itself(stem: str, copy: str) -> None:
    original = copies.original_name(stem + copy)
    assert original is None or copies.original_name(original) is None
    assert original is not None or stem.startswith((".", "~"))


def test_a_long_name_made_to_be_slow_is_answered() -> None:
    assert copies.original_name("x (" + "(a) (" * 50 + "conflicted copy 2026-03-14") is None


def test_an_outcome_begins_with_nothing_done() -> None:
    outcome = copies.Outcome()
    assert (outcome.changed, outcome.kept, outcome.deleted, outcome.left) == (False, [], False, [])
