from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.exporters.file_names import MAX_BYTES, Names, candidates, key, name_of

DIGITS = "0f3c9a7d21b84e55a6c07e19d2f4b888"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Deploys go out on Tuesdays.", "Deploys go out on Tuesdays"),
        ('a/b\\c: d*e?"f"<g>|#h^[i]', "a b c d e f g h i"),
        ("..hidden. . ", "hidden"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console", "console"),
        ("", "untitled"),
        ("\u202e\u0000\ud800", "untitled"),
        ("e\u0301", "\u00e9"),
        ("Grüße, 漢字", "Grüße, 漢字"),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert name_of(title) == name.replace("\ud800", "?")


def test_a_long_title_is_cut_between_words() -> None:
    assert name_of("word " * 60) == "word " * 23 + "word"
    assert len(name_of("漢" * 100).encode()) == 120
    assert name_of("a" * 200, 20) == "a" * 20


@given(st.text())
def test_every_system_takes_every_name(title: str) -> None:
    for name in candidates(title, ".md", DIGITS):
        assert 3 < len(name.encode("utf-8")) <= MAX_BYTES
        assert not set(name) & set('\\/:*?"<>|#^[]\n\r\t\0')
        assert name == unicodedata.normalize("NFC", name)
        assert not name.startswith((".", " "))
        assert not name.removesuffix(".md").endswith((".", " "))
        assert name_of(name.removesuffix(".md")) == name.removesuffix(".md")


@given(st.lists(st.text(max_size=8), max_size=30))
def test_no_two_names_are_one_on_any_system(titles: list[str]) -> None:
    names = Names([])
    taken = [names.choose(title, ".md", f"{number:032x}") for number, title in enumerate(titles)]
    assert len({key(name) for name in taken}) == len(taken)


def test_another_of_the_same_title_gets_digits_of_its_own_id() -> None:
    names = Names(["Mine.md"])
    assert names.choose("Title", ".md", DIGITS) == "Title.md"
    assert names.choose("TITLE", ".md", DIGITS) == "TITLE 0f3c9a7d.md"
    assert names.choose("title", ".md", DIGITS) == "title 0f3c9a7d21b84e55.md"
    assert names.choose("mine", ".md", DIGITS) == "mine 0f3c9a7d.md"


def test_a_name_that_was_given_is_kept_while_it_fits() -> None:
    assert Names([]).choose("Title", ".md", DIGITS, "Title 0f3c9a7d.md") == "Title 0f3c9a7d.md"
    assert Names([]).choose("New title", ".md", DIGITS, "Title 0f3c9a7d.md") == "New title.md"
    assert Names(["title 0f3c9a7d.md"]).choose("Title", ".md", DIGITS, "Title 0f3c9a7d.md") == "Title.md"
