"""Memories as search hits: filters, ranking, and what each one holds of the question."""

from __future__ import annotations

from memories import ranking, selectors, snippets
from memories.core import clock, query
from memories.core.scope import VISIBLE
from memories.memory_rows import AMONG, listed, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.query import Term
    from memories.memory_rows import MemoryRow
    from memories.search import Wanted

EXCERPT_CHARS = 80
"""Characters shown of a content that is not given whole: the snippet says what matched, memory_get has the rest."""

SNIPPET_HITS = 2000
"""Matches in one text up to which SQLite looks for the best passage: its snippet() takes time with their square (3,000
take 0.13 s, 30,000 10 s); beyond, the first passage is shown, which any passage of such a text is like."""

REF_CHARS = 150
"""Characters up to which a transcript_ref is given whole, three session ids; a narrative's can be hundreds."""


def counted(raw: sqlite3.Connection, text: str) -> list[tuple[int, Term]]:
    """(how many memories have it, term) of each term of the question."""
    sql = "SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?"
    return [(raw.execute(sql, (term.expression,)).fetchone()[0], term) for term in query.terms(text)]


def find(raw: sqlite3.Connection, wanted: Wanted, asked: list[tuple[int, Term]], most: int) -> list[dict[str, Any]]:
    """The memories that answer, best first, at most so many. asked: counted() of the question.

    `matched`: the words of the question that one holds, rarest first.
    """
    expression = question_of(asked)
    if not expression:
        return []
    scores = dict(ranking.ranked(raw, expression, _condition(raw, wanted), most, wanted.boosted))
    memories = {memory.id: memory for memory in rows(raw, f"memory.id {AMONG}", [listed(scores)])}
    hits = [memories[row_id] for row_id in scores if row_id in memories]
    held = words_held(raw, asked, [hit.id for hit in hits])
    passages = matching_passages(raw, expression, [hit.id for hit in hits], held)
    hidden = _hidden(raw, hits) if wanted.include_archived else {}
    return [
        {
            **selectors.brief(hit, EXCERPT_CHARS),
            "transcript_ref": _short_ref(hit.transcript_ref),
            **({"status": hidden[hit.id]} if hit.id in hidden else {}),
            "snippet": snippets.plain(
                snippets.marked(passages.get(hit.id, ""), hit.content, held[hit.id]), _snippet_chars(hit)
            ),
            "matched": held[hit.id],
            "score": float(f"{scores[hit.id]:.4g}"),
        }
        for hit in hits
    ]


def projects(raw: sqlite3.Connection, wanted: Wanted, asked: list[tuple[int, Term]]) -> list[str | None]:
    """The projects of the first hits, the best hit's first; None among them where some belong to no project."""
    expression = question_of(asked)
    if not expression:
        return []
    best = [row_id for row_id, _ in ranking.ranked(raw, expression, _condition(raw, wanted), selectors.MAX_LIMIT)]
    found = {memory.id: memory.project for memory in rows(raw, f"memory.id {AMONG}", [listed(best)])}
    return list(dict.fromkeys(found[row_id] for row_id in best if row_id in found))


def question_of(asked: list[tuple[int, Term]]) -> str:
    """The FTS5 expression for counted() terms, as far as they can be afforded; "" where no memory has any of them."""
    return " OR ".join(term.expression for term in query.rarest(asked, query.MEMORY_BUDGET))


def _condition(raw: sqlite3.Connection, wanted: Wanted) -> ranking.Condition:
    """What the filters leave."""
    parts, values = ["1" if wanted.include_archived else VISIBLE], []
    if wanted.project is not None:
        inside, names = wanted.project.sql()
        parts.append(inside)
        values += names
    if wanted.type:
        parts.append("memory.type = ?")
        values.append(wanted.type)
    if wanted.since is not None:
        parts.append("memory.created_at >= ?")
        values.append(clock.format_time(wanted.since))
    if wanted.until is not None:
        parts.append("memory.created_at <= ?")
        values.append(clock.format_time(wanted.until))
    if wanted.tags:
        # SQLite's own lower() knows ASCII only, and records write their lists in their own ways.
        raw.create_function("has_tags", 1, lambda listed: wanted.tags <= split_tags(listed or ""))
        parts.append("has_tags(memory.tags)")
    return " AND ".join(parts), values


def split_tags(listed: str) -> frozenset[str]:
    """The tags in a comma-separated text, case folded."""
    return frozenset(tag.strip().casefold() for tag in listed.split(",") if tag.strip())


def matching_passages(
    raw: sqlite3.Connection, expression: str, ids: list[int], held: dict[int, list[str]]
) -> dict[int, str]:
    """memory id -> the passage that matches best; none of a memory that says the words too often. held: words_held().

    Of the hits alone: SQLite would make it of every match first.
    """
    sql = "SELECT snippet(memory_fts, 0, ?, ?, '…', ?) FROM memory_fts WHERE memory_fts MATCH ? AND rowid = ?"
    marks = ", ".join("?" * len(ids))
    long = f"SELECT id, content FROM memory WHERE id IN ({marks}) AND length(content) > ?"
    left_out = {
        one for one, text in raw.execute(long, (*ids, SNIPPET_HITS)) if snippets.is_often(text, held[one], SNIPPET_HITS)
    }
    rows = {
        one: raw.execute(sql, (*snippets.MARKS, snippets.WORDS, expression, one)).fetchone()
        for one in ids
        if one not in left_out
    }
    return {one: row[0] for one, row in rows.items() if row is not None}


def words_held(raw: sqlite3.Connection, asked: list[tuple[int, Term]], ids: list[int]) -> dict[int, list[str]]:
    """memory id -> the words of the question that it holds, rarest first."""
    held: dict[int, list[str]] = {one: [] for one in ids}
    marks = ", ".join("?" * len(ids))
    for count, term in sorted(asked, key=lambda pair: pair[0]):
        if count:
            sql = f"SELECT rowid FROM memory_fts WHERE memory_fts MATCH ? AND rowid IN ({marks})"
            for (found,) in raw.execute(sql, (term.expression, *ids)):
                held[found].append(term.word)
    return held


def _hidden(raw: sqlite3.Connection, hits: list[MemoryRow]) -> dict[int, str]:
    """memory id -> `archived` or `superseded`, of the hits that are hidden unless asked for."""
    sql = f"SELECT id FROM memory WHERE {VISIBLE} AND id {AMONG}"
    shown = {row_id for (row_id,) in raw.execute(sql, [listed(hit.id for hit in hits)])}
    return {hit.id: "archived" if hit.status == "archived" else "superseded" for hit in hits if hit.id not in shown}


def _snippet_chars(hit: MemoryRow) -> int:
    return snippets.BRIEF_CHARS if len(hit.content) <= selectors.WHOLE_CHARS else snippets.MAX_CHARS


def _short_ref(ref: str | None) -> str | None:
    if ref is None or len(ref) <= REF_CHARS:
        return ref
    return f"{ref.count(',') + 1} sessions; memory_get lists them"
