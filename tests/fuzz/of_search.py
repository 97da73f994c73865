"""Target: any text as a question, against a real index."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

from memories import snippets
from memories.core import conversation_index, mirror, query, records, turn_search, words
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured
from tests.fuzz.home import SESSION, FuzzHome

_WORDS = (
    "deploy", "freeze", "Tuesday", "AND", "OR", "NOT", "NEAR(", ")", '"', "*", "^", ":", "content:", "-", "+", "{",
    "}", "don't", "node_modules/x.ts", "v1.2.3", "getUserById", "went", "db", "漢字", "2026-03-14", "C++", "a.b.c.d",
    "the", "is", "’", "_",
)  # fmt: skip
_NOTES = (
    "Deploys go out on Tuesdays only; the freeze starts Monday 18:00.",
    "getUserById in node_modules/x.ts went wrong with v1.2.3 of the db: 漢字 here, don't use C++.",
    "The user wants a.b.c.d and snake_case_names, not the others.",
)
_LINE = (
    '{{"type":"{0}","uuid":"{1}","timestamp":"2026-03-14T09:00:0{1}.000Z",'
    '"message":{{"role":"{0}","content":"{2}"}}}}\n'
)
_connections: dict[str, tuple[sqlite3.Connection, turn_search.Corpus]] = {}


def _index() -> tuple[sqlite3.Connection, turn_search.Corpus]:
    home = homes.home("search")
    if home.path not in _connections:
        _fill(home)
        connection = mirror.connect(home.folder.mirror, read_only=True)
        _connections[home.path] = connection, turn_search.Corpus(connection)
    return _connections[home.path]


def _fill(home: FuzzHome) -> None:
    for number, note in enumerate(_NOTES):
        made = records.new_record(type="note", content=note, created_at="2026-03-14T09:12:44")
        made["uuid"] = f"{number:032x}"
        records.save(home.folder, made)
    lines = [_LINE.format(("user", "assistant")[number % 2], number, note) for number, note in enumerate(_NOTES * 2)]
    Path(home.folder.transcripts, f"{SESSION}.jsonl").write_text("".join(lines), encoding="utf-8")
    mirror.update(home.folder)
    conversation_index.update(home.folder)


def search_query(data: bytes) -> None:
    """Questions: any text is a valid FTS5 expression, its cost is bounded, and what is found has what was asked for."""
    text = Draw(data[1:]).text(_WORDS) if is_structured(data) else data.decode("utf-8", "replace")
    connection, corpus = _index()
    asked = query.terms(text)
    assert len(asked) <= query.MAX_TERMS
    expression = query.match_expression(text)
    assert (expression is None) == (not asked)
    if expression is not None:
        connection.execute("SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?", (expression,)).fetchone()
    for first, second in itertools.pairwise(asked):
        pair = query.pair(first, second)
        if pair:
            connection.execute("SELECT count(*) FROM turn_fts WHERE turn_fts MATCH ?", (pair,)).fetchone()
    hits = turn_search.search(connection, corpus, text, most=5)
    assert len(hits) <= 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert turn_search.search(connection, corpus, text, sessions={}) == []
    words.split(text)
    words.extras(text)
    for passage in (text, _NOTES[1]):
        shown = snippets.marked(passage, passage, [term.word for term in asked])
        assert len(snippets.plain(passage)) <= 2 * snippets.MAX_CHARS, "a snippet is too long"
        assert isinstance(shown, str)
