"""What changed between two texts: exact, and bounded whatever they are."""

from __future__ import annotations

import random
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from memories import version_diff
from memories.version_diff import Comparison, Piece, Row, compare

few_lines = st.lists(st.sampled_from(["", "a", "b", "c d e", "c d f", "x"]), max_size=40).map("\n".join)


def side(rows: list[Row], name: str) -> list[str]:
    absent = {"old": "added", "new": "removed"}[name]
    shown = [row.old if name == "old" else row.new for row in rows if row.kind not in {absent, "folded"}]
    return ["".join(piece.text for piece in pieces) for pieces in shown]


def whole(found: Comparison) -> bool:
    return not found.cut and all(row.kind != "folded" for row in found.rows)


@given(few_lines, few_lines)
@settings(deadline=None)
def test_both_texts_can_be_read_from_the_rows(old: str, new: str) -> None:
    found = compare(old, new)
    folded = sum(row.count for row in found.rows)
    assert len(side(found.rows, "old")) + folded == len(old.splitlines())
    assert len(side(found.rows, "new")) + folded == len(new.splitlines())
    if whole(found):
        assert side(found.rows, "old") == old.splitlines()
        assert side(found.rows, "new") == new.splitlines()
    same = sum(row.kind == "same" for row in found.rows) + folded
    assert found.removed == len(old.splitlines()) - same
    assert found.added == len(new.splitlines()) - same


@given(few_lines, few_lines)
@settings(deadline=None)
def test_the_inline_view_has_every_line_of_the_rows_once(old: str, new: str) -> None:
    found = compare(old, new)
    lines = found.inline
    shown = ["".join(piece.text for piece in line.pieces) for line in lines if line.kind in {"same", "removed"}]
    assert shown == side(found.rows, "old")
    shown = ["".join(piece.text for piece in line.pieces) for line in lines if line.kind in {"same", "added"}]
    assert shown == side(found.rows, "new")


def test_the_words_that_changed_within_a_line_are_marked() -> None:
    row = compare("the quick brown fox", "the slow brown fox").rows[0]
    assert row.kind == "changed"
    assert row.partly
    assert row.old == (Piece("the "), Piece("quick", changed=True), Piece(" brown fox"))
    assert row.new == (Piece("the "), Piece("slow", changed=True), Piece(" brown fox"))


def test_lines_that_have_little_in_common_are_marked_whole() -> None:
    row = compare("deploys go out on Tuesdays", "nothing like it at all").rows[0]
    assert not row.partly
    assert row.old == (Piece("deploys go out on Tuesdays", changed=True),)


def test_an_inserted_line_moves_none_of_the_others() -> None:
    found = compare("a\nb\nc", "a\nnew\nb\nc")
    assert [row.kind for row in found.rows] == ["same", "added", "same", "same"]
    assert (found.rows[2].old_number, found.rows[2].new_number) == (2, 3)


def test_long_unchanged_stretches_are_folded_with_their_length() -> None:
    lines = [str(number) for number in range(30)]
    found = compare("\n".join(lines), "\n".join([*lines[:15], "new", *lines[15:]]))
    assert [row.kind for row in found.rows] == ["folded", *["same"] * 3, "added", *["same"] * 3, "folded"]
    assert [row.count for row in found.rows if row.kind == "folded"] == [12, 12]


def test_equal_texts_have_no_change() -> None:
    found = compare("a\nb", "a\nb")
    assert (found.added, found.removed) == (0, 0)


def test_a_long_text_is_compared_by_lines_alone() -> None:
    text = "\n".join(f"line {number} of many" for number in range(version_diff.MAX_WORD_LINES))
    found = compare(text, text.replace("line 7 of many", "line 7 of more"))
    assert not found.by_words
    assert (found.added, found.removed) == (1, 1)
    assert not any(row.partly for row in found.rows)


def test_what_a_page_shows_is_bounded() -> None:
    found = compare("\n".join("a" * 50 + str(one) for one in range(2000)), "\n".join(str(one) for one in range(2000)))
    assert found.cut
    assert len(found.rows) <= version_diff.SHOWN_ROWS
    shown = chain.from_iterable((*row.old, *row.new) for row in found.rows)
    assert sum(len(piece.text) for piece in shown) <= version_diff.SHOWN_CHARS


def test_texts_that_difflib_likes_least_are_replaced_rather_than_compared() -> None:
    rng = random.Random(5)  # noqa: S311 - made-up text
    old, new = ("\n".join(str(rng.randrange(2)) for _ in range(1000)) for _ in range(2))
    found = compare(f"start\n{old}\nend", f"start\n{new}\nend")
    assert found.added == found.removed >= 900
    assert found.rows[0].kind == "same"


def test_a_line_of_many_words_is_marked_whole() -> None:
    words = [str(number) for number in range(version_diff.LINE_WORD_PAIRS)]
    row = compare(" ".join(words), " ".join([*words, "more"])).rows[0]
    assert row.kind == "changed"
    assert not row.partly
