"""Words, identifiers and their parts."""

from __future__ import annotations

import pytest
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


@given(st.text() | st.text(st.sampled_from("aZ9_ .\t\x1c\x1f\x85\u3000²ÀßΩ漢ี\ud800-")))
def test_splitting_gives_the_words_as_they_are_written(text: str) -> None:
    assert words.split(text) == words.WORD.findall(text)


@given(st.lists(st.text(st.sampled_from("aBc12_ .漢字ท\ud800"), max_size=80), max_size=8))
def test_extras_are_the_same_each_time_whatever_was_asked_between(texts: list[str]) -> None:
    first = [words.extras(text) for text in texts]
    words._extras.clear()
    assert [words.extras(text) for text in reversed(texts)] == first[::-1]
    assert [words.extras(text, words.split(text)) for text in texts] == first


def test_what_is_remembered_of_words_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words._Extras, "MOST", 10)
    words._extras.clear()
    for number in range(100):
        words.extras(f"word{number} " + f"{number}x" * 100)
        assert len(words._extras) <= 10
    words._extras.clear()


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("plain words only", ""), ("she bought children", "buy child"), ("retryCount", "retry count"),
        ("HTTPServer", "http server"), ("parseXMLFile2", "parse xml file 2"), ("E0308", "e 0308"),
        ("ECONNREFUSED", ""), ("v2.14.3", "v 2 2 14 3"), ("iPhone15Pro", "i phone 15 pro"),
        ("3f3343d", ""), ("0f3c9a7d21b84e55a6c07e19d2f4b888", ""), ("7b1e2f04-0000-4d0b-9a5e-1c4b6a0f7d21", ""),
        ("天气", "天气 气"), ("使用Django框架", "Django 使用 用 框架 架"),
        ("用了retryCount吗", "retryCount retry count 用了 了 吗"),
    ],
)  # fmt: skip
def test_what_is_indexed_beside_a_text(text: str, extra: str) -> None:
    assert words.extras(text) == extra


@given(st.text())
def test_pairs_hold_every_character(run: str) -> None:
    assert "".join(pair[0] for pair in words.pairs(run)) == run
