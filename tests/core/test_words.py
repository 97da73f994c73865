"""Words, identifiers and their parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memories.core import words


@given(st.text(), st.text())
def test_similarity_is_symmetric_and_between_zero_and_one(left: str, right: str) -> None:
    assert 0 <= words.similarity(left, right) == words.similarity(right, left) <= 1
    assert words.similarity(left, left) == 1


def test_similarity_sees_through_case_and_order() -> None:
    assert words.similarity("Deploys on Tuesdays", "on tuesdays DEPLOYS") == 1
    assert words.similarity("deploys", "herons") == 0


def test_a_day_is_found_as_a_person_types_it() -> None:
    assert words.date_words("2023-05-08T10:00:00") == "8 May 2023 2023-05-08"


@given(st.text())
def test_extras_of_any_text_are_text(text: str) -> None:
    assert isinstance(words.extras(text), str)
