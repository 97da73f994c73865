"""Turns of archived conversations as search hits."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from django.db import connection

from memories.core import clock, query, turn_rows, turn_search
from memories.core.turn_search import Corpus, TurnHit
from memories.memory_hits import plain_snippet

if TYPE_CHECKING:
    from memories.search import Wanted

SNIPPET_WORDS = 24
UNMATCHED_CHARS = 160
"""Characters shown of a turn that is found by its neighbours' words."""

SPARE = 50
"""Hits asked for beyond those wanted: some are further rows of a line that is shown already."""

_ROW = (
    "SELECT turn.id, line, role, time, is_sidechain, text, session_id, part, project FROM turn "
    "JOIN session ON session.id = turn.id >> 28 WHERE turn.id BETWEEN ? AND ?"
)
_SNIPPET = "SELECT snippet(turn_fts, 0, char(2), char(3), '…', ?) FROM turn_fts WHERE turn_fts MATCH ? AND rowid = ?"


def find(raw: sqlite3.Connection, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The turns that answer, best first, at most so many, each with its `coverage` of the question (0 to 1)."""
    asked = most + SPARE if wanted.since is None and wanted.until is None else (most + SPARE) * 4
    found = turn_search.search(raw, _corpus(raw), wanted.text, sessions=_sessions(raw, wanted), most=asked)
    expression = query.match_expression(wanted.text)
    hits: list[dict[str, Any]] = []
    shown: set[tuple[str, int]] = set()
    for hit in found:
        row = raw.execute(_ROW, turn_rows.place_range(hit.place)).fetchone()
        if row is None or not _in_time(row[3], wanted):
            continue
        session_id = f"{row[6]}/{row[7]}" if row[7] else row[6]
        if (session_id, row[1]) not in shown:
            shown.add((session_id, row[1]))
            hits.append(_hit(raw, hit, row, session_id, expression))
            if len(hits) == most:
                break
    return hits


def _corpus(raw: sqlite3.Connection) -> Corpus:
    """What is known of all turns, kept as long as the connection."""
    kept: tuple[sqlite3.Connection, Corpus] | None = getattr(connection, "turn_corpus", None)
    if kept is None or kept[0] is not raw:
        kept = (raw, Corpus(raw))
        connection.turn_corpus = kept  # type: ignore[attr-defined]
    return kept[1]


def _sessions(raw: sqlite3.Connection, wanted: Wanted) -> list[int] | None:
    """Numbers of the sessions that may hold hits; None: all."""
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.project is not None:
        condition, values = wanted.project.sql("session")
        conditions.append(condition)
    if wanted.since is not None:
        conditions.append("ended_at >= ?")
        values.append(wanted.since)
    if wanted.until is not None:
        conditions.append("started_at <= ?")
        values.append(wanted.until)
    if not conditions:
        return None
    sql = f"SELECT id FROM session WHERE {' AND '.join(conditions)}"
    return [number for (number,) in raw.execute(sql, values)]


def _in_time(seconds: int | None, wanted: Wanted) -> bool:
    if wanted.since is None and wanted.until is None:
        return True
    if seconds is None:
        return False
    return (wanted.since is None or seconds >= wanted.since) and (wanted.until is None or seconds <= wanted.until)


def _hit(
    raw: sqlite3.Connection, hit: TurnHit, row: tuple[Any, ...], session_id: str, expression: str | None
) -> dict[str, Any]:
    row_id, line, role, seconds, is_sidechain, text, _, part, project = row
    snippet = " ".join(text[:UNMATCHED_CHARS].split())
    if hit.matched:
        found = raw.execute(_SNIPPET, (SNIPPET_WORDS, expression, row_id)).fetchone()
        snippet = plain_snippet(found[0]) if found else snippet
    return {
        "type": "transcript",
        "session_id": session_id,
        "line": line,
        "role": role,
        "timestamp": clock.format_time(seconds) if seconds is not None else None,
        "project": project,
        **({"subagent": True} if is_sidechain or part.startswith("agent-") else {}),
        "snippet": snippet,
        "matched": hit.matched,
        "score": round(hit.score, 3),
        "coverage": hit.coverage,
    }
