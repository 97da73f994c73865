"""The plain indexes that our search is compared with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.baselines import PlainIndex

TURNS = [(("s1", 2), "the parser drops commas"), (("s1", 5), "the cache is stale"), (("s2", 1), "commas and caches")]


@pytest.fixture
def index() -> Iterator[PlainIndex]:
    found = PlainIndex(TURNS, 10)
    yield found
    found.close()


def test_every_word_must_be_there_for_the_and_baseline(index: PlainIndex) -> None:
    assert index.every_word(
        "the commas",
    ) == [("s1", 2)]
    assert index.every_word("why does the parser drop commas") == []


def test_any_word_will_do_for_the_or_baseline(index: PlainIndex) -> None:
    assert set(index.any_word("why does the parser drop commas?")) == {("s1", 2), ("s1", 5), ("s2", 1)}
    assert index.any_word("parser")[0] == ("s1", 2)


def test_no_more_rows_are_given_than_asked_for() -> None:
    index = PlainIndex(TURNS, 1)
    assert len(index.any_word("the commas")) == 1
    index.close()


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_question(index: PlainIndex, text: str) -> None:
    for search in (index.any_word, index.every_word):
        assert isinstance(search(text), list)
