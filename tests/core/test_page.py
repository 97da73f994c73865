"""Dividing a page's room: everyone's first, then everyone's least, then in proportion; never more than there is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memories.core import budget
from memories.core.page import Offer, Page, list_offer, shares, text_offer

_text = st.text(st.sampled_from("ab 😀漢\n\n#-*1.`~>|<\0\u2028\x85\r\x0b/")) | st.text()
_sizes = st.integers(0, 400)
_wants = st.lists(st.tuples(_sizes, _sizes, _sizes), max_size=8)


@given(st.lists(st.tuples(st.integers(0, 3), _text, st.sampled_from(["", "## head"]))), st.integers(0, 300))
def test_a_page_never_exceeds_its_limit(blocks: list[tuple[int, str, str]], limit: int) -> None:
    page = Page(limit)
    for place, block, heading in blocks:
        page.add(place, block, heading)
    assert budget.units(page.text()) <= limit
    assert page.room >= 0


def test_a_page_shows_blocks_by_place_and_a_heading_only_with_its_first_block() -> None:
    page = Page(100)
    assert page.add(2, "last")
    assert not page.add(1, "x" * 200, "## too long")
    assert page.add(1, "first", "## head")
    assert page.add(1, "second", "## head")
    assert page.text() == "## head\nfirst\nsecond\nlast"
    assert (page.has(1), page.has(0, 3), page.has(0, 2)) == (True, False, True)


@given(_wants, st.integers(0, 2000))
def test_shares_are_within_the_needs_and_the_room(wants: list[tuple[int, int, int]], room: int) -> None:
    given = shares(wants, room)
    assert sum(given) <= room
    assert all(0 <= got <= need for got, (need, _, _) in zip(given, wants, strict=True))
    if sum(need for need, _, _ in wants) <= room:
        assert given == [need for need, _, _ in wants]


@given(_wants)
def test_who_has_a_first_gets_it_before_anyone_gets_more(wants: list[tuple[int, int, int]]) -> None:
    room = sum(min(need, first) for need, first, _ in wants)
    assert all(got >= min(need, first) for got, (need, first, _) in zip(shares(wants, room), wants, strict=True))


def test_what_remains_is_divided_in_proportion_to_the_least() -> None:
    assert shares([(1000, 0, 100), (1000, 0, 200)], 600) == [200, 400]
    assert shares([(150, 0, 100), (1000, 0, 100)], 600) == [150, 450]
    assert shares([(1000, 0, 100), (1000, 50, 100)], 120) == [70, 50]
    assert shares([], 10) == []


def test_offers_get_what_those_before_them_leave_over_and_those_without_room_are_told() -> None:
    page = Page(60)
    bulky = Offer(1, lambda room: "x" * 40 if room >= 40 else "", 40)
    lines = list_offer(2, ["line one", "a line that is much too long for what is left", "line two"], 10, "## lines")
    missing = text_offer(0, "y" * 30)
    assert page.fill([missing, bulky, lines]) == [bulky]
    assert page.text() == "y" * 30 + "\n## lines\nline one\nline two"


def test_room_can_be_kept_free() -> None:
    page = Page(20)
    page.reserve(15)
    assert not page.add(0, "more than five")
    page.reserve(-15)
    assert page.add(0, "more than five")


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(_text, max_size=4), st.integers(0, 200), st.integers(0, 60))),
       st.integers(0, 500))  # fmt: skip
def test_whatever_is_offered_fits(offered: list[tuple[int, list[str], int, int]], limit: int) -> None:
    offers = [list_offer(place, blocks, least, "## head") for place, blocks, least, _ in offered]
    for offer, (_, _, _, first) in zip(offers, offered, strict=True):
        offer.first = first
    page = Page(limit)
    page.fill(offers)
    assert budget.units(page.text()) <= limit
