"""Ranking of memories: FTS5's BM25, then the bounded boosts of query.py among those that are best by it."""

from __future__ import annotations

import time

from memories.core import clock, query, records
from memories.memory_rows import AMONG, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from memories.core.scope import Scope

    Condition = tuple[str, list[str]]
    """A condition on `memory` in SQL, and its values."""

BEST_FIRST = 400
"""Matches, best by BM25, among which the boosts are applied: they double a score at most, and further down it is
smaller than that. With filters that leave too few of these, all matches are ranked."""

_BM25 = f"-bm25(memory_fts, {', '.join(map(str, query.BM25_WEIGHTS))})"
_BEST = (
    f"SELECT rowid, {_BM25} AS score FROM memory_fts WHERE memory_fts MATCH ? ORDER BY score DESC, rowid DESC LIMIT ?"
)
_FIELDS = "memory.id, type, importance, project_id, project_key, created_at"
_OF_THESE = f"SELECT {_FIELDS} FROM memory WHERE memory.id {AMONG}"
_OF_ALL = f"SELECT {_FIELDS} FROM memory WHERE memory.id IN (SELECT rowid FROM memory_fts WHERE memory_fts MATCH ?)"


def ranked(
    raw: sqlite3.Connection, expression: str, of: Condition, most: int, boosted: Scope | None = None
) -> list[tuple[int, float]]:
    """(row id, score) of the memories that match an FTS5 expression and a condition, best first, at most so many.

    boosted: the project that is preferred. Raises sqlite3.Error.
    """
    condition, values = of
    reach = max(BEST_FIRST, 4 * most)
    scores = dict(raw.execute(_BEST, (expression, reach)).fetchall())
    rows = raw.execute(f"{_OF_THESE} AND {condition}", (listed(scores), *values)).fetchall()
    if len(rows) < most and len(scores) == reach:
        scores = dict(raw.execute(_BEST, (expression, -1)).fetchall())
        rows = raw.execute(f"{_OF_ALL} AND {condition}", (expression, *values)).fetchall()
    steps = [(clock.format_time(time.time() - days * 86_400), factor) for days, factor in query.RECENCY_STEPS]
    found = []
    for row_id, kind, importance, project_id, project_key, created_at in rows:
        boost = 1 + (importance - records.DEFAULT_IMPORTANCE) * query.IMPORTANCE_STEP
        boost *= next((factor for since, factor in steps if created_at >= since), 1.0)
        boost *= query.NARRATIVE_BOOST if kind == "narrative" else 1.0
        boost *= query.PROJECT_BOOST if boosted is not None and boosted.holds(project_id, project_key) else 1.0
        found.append((scores[row_id] * boost, created_at, row_id))
    return [(row_id, score) for score, _, row_id in sorted(found, reverse=True)[:most]]
