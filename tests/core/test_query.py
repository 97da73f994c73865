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


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("snake_case_name", "rename snake_case_name"), ("case", "rename snake_case_name"),
        ("snake case name", "rename snake_case_name"), ("retry_count", "set retryCount"),
        ("retryCount", "set retryCount"),
        ("retrycount", "set retryCount"), ("HTTPServer", "class HTTPServer"), ("server", "class HTTPServer"),
        ("memories.core.words", "import memories.core.words"), ("words", "import memories.core.words"),
        ("src/app/main.py", "in /home/me/src/app/main.py:12"), ("main.py", "in /home/me/src/app/main.py:12"),
        ("kebab-case", "a kebab-case id"), ("kebab", "a kebab-case id"), ("v2.14.3", "version 2.14.3"),
        ("2.14.3", "tag v2.14.3"), ("V2.14.3", "tag v2.14.3"), ("v2.14.3", "tag v2.14.3"), ("2.14", "tag v2.14.3"),
        ("--no-cache", "pip install --no-cache x"), ("no-cache", "pip --no-cache"), ("C++", "written in C++ 20"),
        ("C#", "written in C#"), ("E0308", "error[E0308]: mismatched"), ("ECONNREFUSED", "connect ECONNREFUSED ::1"),
        ("econnrefused", "connect ECONNREFUSED ::1"), ("jane.doe@example.com", "mail jane.doe@example.com now"),
        ("jane", "mail jane.doe@example.com now"), ("3f3343d", "commit 3f3343d Browser"), ("Django", "使用Django框架"),
        ("框架", "使用Django框架"), ("使用Django框架", "我们使用Django框架"), ("café", "the cafe"),
        ("cafe", "the café"),
        ("naïve", "naive"), ("Zürich", "zurich"), ("Cafe\u0301", "café"), ("時々", "時々雨"), ("々", "時々雨"),
    ],
)  # fmt: skip
def test_identifiers_and_other_scripts_are_found_whole_and_by_their_parts(asked: str, stored: str) -> None:
    assert _matches(asked, stored)


@pytest.mark.parametrize(("asked", "stored"), [("v2.14.3", "2.14.3"), ("2.14.3", "v2.14.3"), ("V2.14.3", "v2.14.3")])
def test_a_version_is_found_as_a_whole_with_its_v_and_without(asked: str, stored: str) -> None:
    _connection.execute("DELETE FROM t")
    for text in (stored, "2.14.4", "v2.13.3"):
        _connection.execute("INSERT INTO t (content) VALUES (?)", (f"{text} {words.extras(text)}",))
    whole = query.terms(asked)[0].expression
    assert _connection.execute("SELECT content FROM t WHERE t MATCH ?", (whole,)).fetchall() == [
        (f"{stored} {words.extras(stored)}",)
    ]


_SENTENCES = [
    "我们决定在星期二部署新版本。然后通知大家", "東京都に住んでいます、時々ラーメンを食べる",
    "배포는 화요일에만 진행합니다",
    "เราตัดสินใจเปิดตัวในวันอังคาร", "数据库使用PostgreSQL而不是MySQL",
]  # fmt: skip


@given(st.sampled_from(_SENTENCES), st.data())
def test_any_piece_of_a_sentence_without_spaces_is_found(sentence: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(sentence) - 1))
    piece = sentence[start : data.draw(st.integers(start + 1, len(sentence)))]
    _connection.execute("DELETE FROM t")
    _connection.execute("INSERT INTO t (content) VALUES (?)", (f"{sentence} {words.extras(sentence)}",))
    for term in query.terms(piece) if words.spaceless().fullmatch(piece) else []:
        if any(character.isalnum() for character in term.word):  # a vowel sign alone is no word to the tokenizer
            found = _connection.execute("SELECT count(*) FROM t WHERE t MATCH ?", (term.expression,)).fetchone()
            assert found == (1,), term.expression
    if any(character.isalnum() and words.spaceless().fullmatch(character) for character in piece):
        assert _matches(piece, sentence)


def test_a_long_path_is_not_asked_for_whole_and_pasted_data_not_at_all() -> None:
    assert query.match_expression("x" * 1000) is None
    assert max(term.expression.count(" ") for term in query.terms("/".join(f"part{n}" for n in range(40)))) == 0


@pytest.mark.parametrize("text", ["漢" * 100_000, "a.b/" * 25_000, "aB1" * 30_000, "\ud800x" * 50_000])
def test_a_hundred_kilobytes_make_no_more_than_the_most_terms(text: str) -> None:
    assert len(query.terms(text)) <= query.MAX_TERMS
