"""Ranking of memories: FTS5's BM25, then the bounded boosts of query.py among those that are best by it."""

from __future__ import annotations

import time

from django.db import connection
from django.db.models import QuerySet

from memories.core import clock, query, records
from memories.core.scope import Scope
from memories.models import Memory

BEST_FIRST = 400
"""Matches, best by BM25, among which the boosts are applied: they double a score at most, and further down it is
smaller than that. With filters that leave too few of these, all matches are ranked."""

_BM25 = f"-bm25(memory_fts, {', '.join(map(str, query.BM25_WEIGHTS))})"
_BEST = (
    f"SELECT rowid, {_BM25} AS score FROM memory_fts WHERE memory_fts MATCH ? ORDER BY score DESC, rowid DESC LIMIT ?"
)
_FIELDS = ("id", "type", "importance", "project_id", "project_key", "created_at")


def ranked(expression: str, base: QuerySet[Memory], most: int, boosted: Scope | None = None) -> list[tuple[int, float]]:
    """(row id, score) of the base's memories that match an FTS5 expression, best first, at most so many.

    boosted: the project that is preferred. selectors.mirror_connection must have been called. Raises sqlite3.Error.
    """
    connection.ensure_connection()
    reach = max(BEST_FIRST, 4 * most)
    scores = dict(connection.connection.execute(_BEST, (expression, reach)).fetchall())
    rows = list(base.filter(id__in=list(scores)).order_by().values_list(*_FIELDS))
    if len(rows) < most and len(scores) == reach:
        scores = dict(connection.connection.execute(_BEST, (expression, -1)).fetchall())
        rows = list(base.filter(index__match__match=expression).order_by().values_list(*_FIELDS))
    steps = [(clock.format_time(time.time() - days * 86_400), factor) for days, factor in query.RECENCY_STEPS]
    found = []
    for row_id, kind, importance, project_id, project_key, created_at in rows:
        boost = 1 + (importance - records.DEFAULT_IMPORTANCE) * query.IMPORTANCE_STEP
        boost *= next((factor for since, factor in steps if created_at >= since), 1.0)
        boost *= query.NARRATIVE_BOOST if kind == "narrative" else 1.0
        boost *= query.PROJECT_BOOST if boosted is not None and boosted.holds(project_id, project_key) else 1.0
        found.append((scores[row_id] * boost, created_at, row_id))
    return [(row_id, score) for score, _, row_id in sorted(found, reverse=True)[:most]]
