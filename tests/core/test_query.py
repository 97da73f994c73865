"""From a person's words to an FTS5 expression."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import query, words

_connection = sqlite3.connect(":memory:")
_connection.execute("CREATE VIRTUAL TABLE t USING fts5 (content, tokenize = 'porter unicode61')")


def _matches(text: str, content: str) -> bool:
    expression = query.match_expression(text)
    _connection.execute("DELETE FROM t")
    _connection.execute("INSERT INTO t (content) VALUES (?)", (f"{content} {words.extras(content)}",))
    return bool(_connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()[0])


@given(st.text() | st.text(alphabet="\"'()*:^-+ANDORNT ab.\0_漢é😀"))
def test_any_text_is_a_valid_expression_or_none(text: str) -> None:
    expression = query.match_expression(text)
    if expression is not None:
        _connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()


@pytest.mark.parametrize("text", ["", "  ", "?!", "_", "😀", "--"])
def test_without_a_word_there_is_nothing_to_search(text: str) -> None:
    assert query.match_expression(text) is None


def test_stop_words_are_dropped_unless_nothing_else_is_left() -> None:
    assert query.match_expression("when do we deploy?") == '"deploy"'
    assert query.match_expression("who are we") == '"who" OR "are" OR "we"'


def test_a_pasted_page_is_searched_by_its_first_words() -> None:
    expression = query.match_expression(" ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(500)))
    assert expression is not None
    assert expression.count(" OR ") == query.MAX_TERMS - 1


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("deploying", "we deploy on Tuesdays"), ("what did we build?", "it was built in May"),
        ("written notes", "she wrote a note"), ("retry count", "set retryCount to 3"),
        ("retryCount", "the retry limit"),
        ("foo-bar", "foo-bar is broken"), ("src/app.py", "see src/app.py"), ("it's broken", "a broken pipe"),
        ("HTTPServer", "the HTTP server"), ("indices", "an index"), ("Übung", "die übung"),
    ],
)  # fmt: skip
def test_what_a_person_would_call_a_match_is_one(asked: str, stored: str) -> None:
    assert _matches(asked, stored)


@pytest.mark.parametrize(("asked", "stored"), [("deploy", "a heron"), ("note", "about keynotes"), ("3.10", "3 apples")])
def test_what_a_person_would_not_is_none(asked: str, stored: str) -> None:
    assert not _matches(asked, stored)
