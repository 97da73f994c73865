"""Turns of archived conversations as search hits."""

from __future__ import annotations

import os

from memories import selectors, snippets
from memories.core import clock, query, turn_ids, turn_search
from memories.core.errors import TranscriptError
from memories.core.paths import DataFolder
from memories.core.turn_search import Corpus

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.query import Term
    from memories.core.turn_search import TurnHit
    from memories.search import Wanted

    _Row = tuple[Any, ...]

UNMATCHED_CHARS = 160
"""Characters shown of a turn that is found by its neighbours' words."""

SPARE = 50
"""Hits asked for beyond those wanted: some are further rows of a line that is shown already, or out of time."""

_MORE = 8
"""How many times as many are asked for where those were too few."""

_EARLIEST, _LATEST = -(1 << 62), 1 << 62

_ROW = (
    "SELECT turn.id, line, role, time, is_sidechain, text, session_id, part, project, offset FROM turn "
    f"JOIN session ON session.id = turn.id >> {turn_ids.SESSION_SHIFT} WHERE turn.id BETWEEN ? AND ?"
)
_PASSAGE = "SELECT snippet(turn_fts, 0, ?, ?, '…', ?) FROM turn_fts WHERE turn_fts MATCH ? AND rowid = ?"


def counted(raw: sqlite3.Connection, text: str) -> list[tuple[int, Term]]:
    """(how many turns have it, term) of each term of the question."""
    corpus = corpus_of(raw)
    corpus.refresh()
    return [(corpus.count(term), term) for term in query.terms(text)]


def find(raw: sqlite3.Connection, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The turns that answer, best first, at most so many, each line once.

    `matched`: the words of the question that one holds, rarest first; empty where only its neighbours have them.
    """
    corpus, sessions = corpus_of(raw), _sessions(raw, wanted)
    asked = most + SPARE
    while True:
        found = turn_search.search(raw, corpus, wanted.text, sessions=sessions, most=asked)
        rows = _rows(raw, found, wanted)
        if len(rows) >= most or len(found) < asked:
            break
        asked *= _MORE
    expression = query.match_expression(wanted.text)
    return [_hit(raw, hit, row, expression) for hit, row in rows[:most]]


def is_empty(raw: sqlite3.Connection) -> bool:
    """Whether no conversation is in the index."""
    return raw.execute("SELECT 1 FROM turn LIMIT 1").fetchone() is None


def corpus_of(raw: sqlite3.Connection) -> Corpus:
    """What is known of all turns, kept as long as the connection."""
    kept = selectors.kept()
    corpus: Corpus | None = kept.get("turns")
    if corpus is None or corpus.connection is not raw:
        corpus = kept["turns"] = Corpus(raw)
    return corpus


def _sessions(raw: sqlite3.Connection, wanted: Wanted) -> dict[int, set[int] | None] | None:
    """Number of each session that may hold hits -> the row ids there that lie within the time asked for, None: all of
    them; None: all sessions."""
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
    sql = f"SELECT id, started_at, ended_at FROM session WHERE {' AND '.join(conditions)}"
    return {
        number: None if _in_time(started, wanted) and _in_time(ended, wanted) else _rows_in_time(raw, number, wanted)
        for number, started, ended in raw.execute(sql, values).fetchall()
    }


def _rows_in_time(raw: sqlite3.Connection, session: int, wanted: Wanted) -> set[int]:
    sql = "SELECT id FROM turn WHERE id BETWEEN ? AND ? AND time >= ? AND time <= ?"
    bounds = (_EARLIEST if wanted.since is None else wanted.since, _LATEST if wanted.until is None else wanted.until)
    return {row_id for (row_id,) in raw.execute(sql, (*turn_ids.session_range(session), *bounds))}


def _rows(raw: sqlite3.Connection, found: list[TurnHit], wanted: Wanted) -> list[tuple[TurnHit, _Row]]:
    """The hits that are within the time asked for, with their rows: of several of one line the best."""
    rows: dict[tuple[str, str, int], tuple[TurnHit, _Row]] = {}
    for hit in found:
        row = raw.execute(_ROW, turn_ids.place_range(hit.place)).fetchone()
        if row is not None and _in_time(row[3], wanted):
            rows.setdefault((row[6], row[7], row[1]), (hit, row))
    return list(rows.values())


def _in_time(seconds: int | None, wanted: Wanted) -> bool:
    if wanted.since is None and wanted.until is None:
        return True
    if seconds is None:
        return False
    return (wanted.since is None or seconds >= wanted.since) and (wanted.until is None or seconds <= wanted.until)


def _hit(raw: sqlite3.Connection, hit: TurnHit, row: _Row, expression: str | None) -> dict[str, Any]:
    row_id, line, role, seconds, is_sidechain, text, session_id, part, project, _ = row
    passage = text[:UNMATCHED_CHARS] + "…" * (len(text) > UNMATCHED_CHARS)
    if hit.matched:
        found = raw.execute(_PASSAGE, (*snippets.MARKS, snippets.WORDS, expression, row_id)).fetchone()
        passage = snippets.marked(found[0] if found else passage, text, hit.matched)
    return {
        "type": "transcript",
        "session_id": f"{session_id}/{part}" if part else session_id,
        "line": line,
        "role": role,
        "timestamp": clock.format_time(seconds) if seconds is not None else None,
        "project": project,
        **_cursor(raw, row),
        **({"subagent": True} if is_sidechain or part.startswith("agent-") else {}),
        "snippet": snippets.plain(passage),
        "matched": hit.matched,
        "score": float(f"{hit.score:.4g}"),
    }


def _cursor(raw: sqlite3.Connection, row: _Row) -> dict[str, str]:
    """{"cursor"} to where a further row of a long line begins; {} for a line's first row, which `around` shows."""
    row_id, line, text, session_id, part, offset = row[0], row[1], row[5], row[6], row[7], row[9]
    before = raw.execute("SELECT id, line FROM turn WHERE id < ? ORDER BY id DESC LIMIT 1", (row_id,)).fetchone()
    if before is None or before[1] != line or before[0] >> turn_ids.SESSION_SHIFT != row_id >> turn_ids.SESSION_SHIFT:
        return {}
    from memories.core import archived_sessions, transcript_page  # 5 ms, for lines that are longer than most

    mirror_path = raw.execute("PRAGMA database_list").fetchone()[2]
    folder = DataFolder(os.path.dirname(mirror_path))
    try:
        found = archived_sessions.find(folder, f"{session_id}/{part}" if part else session_id)
        cursor = transcript_page.cursor_to(found, line, offset, text)
    except TranscriptError:
        return {}  # the archive has changed since it was indexed
    return {"cursor": cursor} if cursor else {}
