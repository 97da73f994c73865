"""Memories as search hits: filters, ranking, and what each one holds of the question."""

from __future__ import annotations

import math
import sqlite3
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Concat, Lower, Replace

from memories import selectors
from memories.core import clock, query
from memories.core.query import Term
from memories.models import Memory, Snippet

if TYPE_CHECKING:
    from memories.search import Wanted

EXCERPT_CHARS = 160
"""Characters shown of a content that is not given whole: the snippet says what matched, memory_get has the rest."""


def find(raw: sqlite3.Connection, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The memories that answer, best first, at most so many, each with its `coverage` of the question (0 to 1)."""
    counted = _counted(raw, wanted.text)
    expression = " OR ".join(term.expression for term in query.rarest(counted, query.MEMORY_BUDGET))
    if not expression:
        return []
    hits = list(selectors.matching(expression, _base(wanted), wanted.boosted)[:most])
    snippets = _snippets(expression, [hit.id for hit in hits])
    held = _held(raw, counted, [hit.id for hit in hits])
    hidden = _hidden(hits) if wanted.include_archived else {}
    return [
        {
            **selectors.brief(hit, EXCERPT_CHARS),
            **({"status": hidden[hit.id]} if hit.id in hidden else {}),
            "snippet": plain_snippet(snippets.get(hit.id, "")),
            "matched": [term.word for term, _ in held[hit.id]],
            "score": round(hit.score, 3),
            "coverage": _coverage(held[hit.id], counted, raw),
        }
        for hit in hits
    ]


def projects(wanted: Wanted) -> set[str]:
    """Names of the projects that have memories among the first hits."""
    expression = query.match_expression(wanted.text)
    if expression is None:
        return set()
    found = selectors.matching(expression, _base(wanted)).exclude(project__isnull=True)
    return {name for name in found.values_list("project", flat=True)[: selectors.MAX_LIMIT] if name}


def _base(wanted: Wanted) -> QuerySet[Memory]:
    base = Memory.objects.all() if wanted.include_archived else selectors.visible()
    if wanted.project is not None:
        base = base.filter(selectors.in_scope(wanted.project))
    if wanted.type:
        base = base.filter(type=wanted.type)
    if wanted.since is not None:
        base = base.filter(created_at__gte=clock.format_time(wanted.since))
    if wanted.until is not None:
        base = base.filter(created_at__lte=clock.format_time(wanted.until))
    if wanted.tags:
        listed = Concat(Value(","), Replace(Lower("tags"), Value(", "), Value(",")), Value(","))
        base = base.alias(listed_tags=listed)
        for tag in wanted.tags:
            base = base.filter(listed_tags__contains=f",{tag},")
    return base


def _counted(raw: sqlite3.Connection, text: str) -> list[tuple[int, Term]]:
    """(how many memories have it, term) of each term of the question."""
    sql = "SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?"
    return [(raw.execute(sql, (term.expression,)).fetchone()[0], term) for term in query.terms(text)]


def _snippets(expression: str, ids: list[int]) -> dict[int, str]:
    # In a query of its own: SQLite would make the snippet of every match before it sorts.
    chosen = Memory.objects.filter(index__match__match=expression, id__in=ids)
    return dict(chosen.annotate(snippet=Snippet("index__match")).values_list("id", "snippet"))


def _held(
    raw: sqlite3.Connection, counted: list[tuple[int, Term]], ids: list[int]
) -> dict[int, list[tuple[Term, int]]]:
    """memory id -> (term, how many memories have it) of each term that it holds."""
    held: dict[int, list[tuple[Term, int]]] = {one: [] for one in ids}
    marks = ", ".join("?" * len(ids))
    for count, term in counted:
        if count:
            sql = f"SELECT rowid FROM memory_fts WHERE memory_fts MATCH ? AND rowid IN ({marks})"
            for (found,) in raw.execute(sql, (term.expression, *ids)):
                held[found].append((term, count))
    return held


def _coverage(held: list[tuple[Term, int]], counted: list[tuple[int, Term]], raw: sqlite3.Connection) -> float:
    """The share of the question that a memory holds, its words weighted by how rare they are among the memories."""
    total = raw.execute("SELECT max(id) FROM memory").fetchone()[0] or 1

    def weight(count: int) -> float:
        return math.log(1 + (total + 1) / (count + 0.5))

    whole = sum(weight(count) for count, _ in counted)
    return sum(weight(count) for _, count in held) / whole


def _hidden(hits: list[Memory]) -> dict[int, str]:
    """memory id -> `archived` or `superseded`, of the hits that are hidden unless asked for."""
    ids = [hit.id for hit in hits]
    shown = set(selectors.visible().filter(id__in=ids).values_list("id", flat=True))
    return {hit.id: "archived" if hit.status == "archived" else "superseded" for hit in hits if hit.id not in shown}


def plain_snippet(snippet: str) -> str:
    """A snippet for a model: matched words in **bold**, on one line."""
    return " ".join(snippet.replace("\x02", "**").replace("\x03", "**").split())
