"""Ranking of turns: BM25F over posting lists alone.

SQLite gives, for each term, the row ids that have it; the ids tell session, position and length (turn_rows.turn_id), so
neighbours, sessions and lengths cost no look-up and no space in the index. A turn's score is the sum over the terms of
idf x saturated evidence (its own words, and its neighbours' at NEIGHBOUR_WEIGHT), plus SESSION_WEIGHT of its session's
BM25. Robertson, Zaragoza, Taylor: "Simple BM25 Extension to Multiple Weighted Fields" (2004), with one occurrence
counted for each term and turn.

The cost is bounded: postings of the rarest terms are read up to ROW_BUDGET, the others are looked up only where those
occur.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter

from memories.core import query, turn_rows
from memories.core.turn_rows import CLASS_BITS, CLASS_MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from memories.core.query import Term

BEST_FIRST = 400
"""Turns, best by their own words, around which neighbours are scored."""

MAX_RANGES = 64
"""Ranges of row ids that a filter is searched in; sessions between them are left out afterwards."""

_EVERYTHING = ((0, (1 << 63) - 1),)
_KEPT_COUNTS = 4096


class TurnHit:
    """A turn that answers. place: see turn_rows.place. score: higher is better. matched: the words of the question that
    are in it; empty where only its neighbours have them. coverage: their share of the question, 0 to 1, by idf."""

    __slots__ = ("coverage", "matched", "place", "score")

    def __init__(self, place: int, score: float, matched: list[str], coverage: float) -> None:
        self.place = place
        self.score = score
        self.matched = matched
        self.coverage = coverage


class Corpus:
    """What a query needs to know of all turns: how many there are, how long, in which sessions; and how many have a
    term, remembered for as long as the index stays nearly as it was."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._state: tuple[object, ...] = ()
        self._counts: dict[str, int] = {}
        self._counted_at = 0
        self.turns = 0
        self.mean_words = 1.0
        self.mean_session = 1.0
        self.sessions: dict[int, tuple[int, int]] = {}

    def refresh(self) -> None:
        """Look at the sessions again if there are others. Raises sqlite3.Error."""
        state = self._connection.execute("SELECT count(*), sum(turns), sum(words), max(id) FROM session").fetchone()
        if state == self._state:
            return
        self._state = state
        self.turns = state[1] or 0
        self.mean_words = max(1.0, (state[2] or 0) / max(self.turns, 1))
        rows = self._connection.execute("SELECT id, words, turns FROM session WHERE turns > 0")
        self.sessions = {session: (words, turns) for session, words, turns in rows}
        self.mean_session = max(1.0, (state[2] or 0) / max(len(self.sessions), 1))
        if abs(self.turns - self._counted_at) * 20 > self._counted_at:  # counts may be a twentieth out
            self._counts.clear()
            self._counted_at = self.turns

    def has_place(self, place: int) -> bool:
        """Whether a session's turns reach to a place."""
        position = place - turn_rows.place(turn_rows.session_range(turn_rows.session_at(place))[0])
        return position < self.sessions.get(turn_rows.session_at(place), (0, 0))[1]

    def count(self, term: Term) -> int:
        """How many turns have a term."""
        found = self._counts.get(term.expression)
        if found is None:
            if len(self._counts) >= _KEPT_COUNTS:
                self._counts.clear()
            sql = "SELECT count(*) FROM turn_fts WHERE turn_fts MATCH ?"
            found = self._counts[term.expression] = self._connection.execute(sql, (term.expression,)).fetchone()[0]
        return found


def search(
    connection: sqlite3.Connection,
    corpus: Corpus,
    text: str,
    *,
    sessions: Collection[int] | None = None,
    most: int = 100,
) -> list[TurnHit]:
    """The turns that answer a question, best first, at most so many. Any text is a valid question.

    sessions: numbers of the sessions to look in; None: all. Raises sqlite3.Error.
    """
    corpus.refresh()
    asked = [(corpus.count(term), term) for term in query.terms(text)]
    found = sorted(((count, term) for count, term in asked if count), key=lambda pair: pair[0])
    if not found or (sessions is not None and not sessions):
        return []
    postings = _Postings(connection, corpus, sessions)
    return _ranked(corpus, postings.read(found), sum(_idf(corpus.turns, count) for count, _ in found), most)


def _idf(total: int, count: int) -> float:
    """Inverse document frequency as FTS5's bm25() has it: never below a millionth."""
    return max(1e-6, math.log((total - count + 0.5) / (count + 0.5)))


class Evidence:
    """A term's idf and the row ids that have it; is_whole: all of them, not only those where rarer terms are."""

    __slots__ = ("idf", "is_whole", "rows", "term")

    def __init__(self, term: Term, idf: float, rows: list[int], *, is_whole: bool) -> None:
        self.term = term
        self.idf = idf
        self.rows = rows
        self.is_whole = is_whole


class _Postings:
    """Reads the row ids of terms, within the sessions that are asked for and the budget."""

    def __init__(self, connection: sqlite3.Connection, corpus: Corpus, sessions: Collection[int] | None) -> None:
        self._connection = connection
        self._sessions = None if sessions is None else frozenset(sessions)
        self._ranges = _EVERYTHING if sessions is None else _ranges(sessions)
        searched = sum(corpus.sessions[one][1] for one in sessions or () if one in corpus.sessions)
        self._share = 1.0 if sessions is None else searched / max(corpus.turns, 1)
        self._total = corpus.turns

    def read(self, terms: list[tuple[int, Term]]) -> list[Evidence]:
        """The evidence of (count, term) that come rarest first; without those that could move little."""
        left = float(query.ROW_BUDGET)
        least = query.LEAST_SHARE * _idf(self._total, terms[0][0])
        read: list[Evidence] = []
        rare = ""
        for position, (count, term) in enumerate(terms):
            idf = _idf(self._total, count)
            left -= count * self._share
            if not position or left >= 0:
                read.append(Evidence(term, idf, self._rows(term.expression), is_whole=True))
            elif idf >= least:
                rare = rare or " OR ".join(one.term.expression for one in read)
                read.append(Evidence(term, idf, self._rows(f"({rare}) AND {term.expression}"), is_whole=False))
        return read

    def _rows(self, expression: str) -> list[int]:
        """The newest rows that match, at most ROW_BUDGET."""
        sql = "SELECT rowid FROM turn_fts WHERE turn_fts MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
        rows: list[int] = []
        for first, last in self._ranges:
            left = query.ROW_BUDGET - len(rows)
            if left <= 0:
                break
            rows += [row for (row,) in self._connection.execute(sql, (expression, first, last, left))]
        if self._sessions is not None:
            shift, wanted = turn_rows.SESSION_SHIFT, self._sessions
            rows = [row for row in rows if row >> shift in wanted]
        return rows


def _ranges(sessions: Collection[int]) -> tuple[tuple[int, int], ...]:
    """At most MAX_RANGES ranges of row ids that hold the sessions, latest first; the smallest gaps are bridged."""
    ordered = sorted(sessions)
    gaps = sorted(((after - before, after) for before, after in zip(ordered, ordered[1:], strict=False)), reverse=True)
    starts = sorted(after for gap, after in gaps[: MAX_RANGES - 1] if gap > 1)
    begins = [ordered[0], *starts]
    before = {after: previous for previous, after in zip(ordered, ordered[1:], strict=False)}
    ends = [*(before[start] for start in starts), ordered[-1]]
    pairs = zip(begins, ends, strict=True)
    return tuple(
        (turn_rows.session_range(first)[0], turn_rows.session_range(last)[1]) for first, last in reversed(list(pairs))
    )


def _ranked(corpus: Corpus, evidence: list[Evidence], whole: float, most: int) -> list[TurnHit]:
    sessions = _session_scores(corpus, evidence)
    best = _best_places(corpus, evidence, sessions)
    scores = _with_neighbours(corpus, evidence, best)
    for place in scores:
        scores[place] += query.SESSION_WEIGHT * sessions.get(turn_rows.session_at(place), 0.0)
    chosen = heapq.nlargest(most, scores, key=lambda place: (scores[place], place))
    matched: dict[int, list[Evidence]] = {place: [] for place in chosen}
    for one in evidence:
        for row in one.rows:
            if row >> CLASS_BITS in matched:
                matched[row >> CLASS_BITS].append(one)
    return [
        TurnHit(
            place,
            scores[place],
            [one.term.word for one in matched[place]],
            min(1.0, sum(one.idf for one in matched[place]) / whole),
        )
        for place in chosen
    ]


def _session_scores(corpus: Corpus, evidence: list[Evidence]) -> dict[int, float]:
    """BM25 of each session, in which a term occurs once for each turn that has it."""
    scores: dict[int, float] = {}
    k1, b = query.SESSION_SATURATION, query.SESSION_LENGTH
    for one in evidence:
        if not one.is_whole:
            continue  # its rows say nothing of the sessions in which only it occurs, and it occurs in most
        turns = Counter([row >> turn_rows.SESSION_SHIFT for row in one.rows])
        idf = _idf(len(corpus.sessions), len(turns))
        for session, count in turns.items():
            words = corpus.sessions.get(session, (0, 0))[0]
            norm = 1 - b + b * words / corpus.mean_session
            scores[session] = scores.get(session, 0.0) + idf * count * (k1 + 1) / (count + k1 * norm)
    return scores


def _best_places(corpus: Corpus, evidence: list[Evidence], sessions: dict[int, float]) -> Collection[int]:
    """The places that are best by their own words and their session; all that match where those are few."""
    own: dict[int, float] = {}
    k1 = query.TURN_SATURATION
    norms = _norms(corpus, query.TURN_LENGTH)
    for one in evidence:
        gains = [one.idf * (k1 + 1) / (1 + k1 * norm) for norm in norms]
        for row in one.rows:
            place = row >> CLASS_BITS
            own[place] = own.get(place, 0.0) + gains[row & CLASS_MASK]
    if len(own) <= BEST_FIRST:
        return own
    weight = query.SESSION_WEIGHT
    return heapq.nlargest(
        BEST_FIRST, own, key=lambda place: own[place] + weight * sessions.get(turn_rows.session_at(place), 0.0)
    )


def _with_neighbours(corpus: Corpus, evidence: list[Evidence], best: Collection[int]) -> dict[int, float]:
    """place -> score by terms, for the best places and those around them, neighbours' words counted as context."""
    steps = [step for step in range(-query.NEIGHBOURS, query.NEIGHBOURS + 1) if step]
    wanted = {place + step for place in best for step in (0, *steps) if corpus.has_place(place + step)}
    near = wanted | {place + step for place in wanted for step in steps}
    own = [1 / norm for norm in _norms(corpus, query.TURN_LENGTH)]
    beside = [query.NEIGHBOUR_WEIGHT / norm for norm in _norms(corpus, query.NEIGHBOUR_LENGTH)]
    k1 = query.TURN_SATURATION
    scores: dict[int, float] = {}
    for one in evidence:
        found: dict[int, float] = {}
        for row in one.rows:
            place = row >> CLASS_BITS
            if place in near:
                found[place] = found.get(place, 0.0) + own[row & CLASS_MASK]
                for step in steps:
                    found[place + step] = found.get(place + step, 0.0) + beside[row & CLASS_MASK]
        for place, amount in found.items():
            if place in wanted:
                scores[place] = scores.get(place, 0.0) + one.idf * amount * (k1 + 1) / (amount + k1)
    return scores


def _norms(corpus: Corpus, b: float) -> list[float]:
    """BM25's length norm for each class of length."""
    return [1 - b + b * turn_rows.class_words(length) / corpus.mean_words for length in range(CLASS_MASK + 1)]
