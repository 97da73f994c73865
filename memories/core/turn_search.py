"""Ranking of turns: BM25F over posting lists alone.

SQLite gives, for each term, the row ids that have it; the ids tell session, position and length (turn_ids.turn_id), so
neighbours, sessions and lengths cost no look-up and no space in the index. A turn's score is the sum over the terms of
idf x saturated evidence (its own words, and its neighbours' at NEIGHBOUR_WEIGHT), plus SESSION_WEIGHT of its session's
BM25. Robertson, Zaragoza, Taylor: "Simple BM25 Extension to Multiple Weighted Fields" (2004), with one occurrence
counted for each term and turn.

The cost is bounded: postings of the rarest terms are read up to ROW_BUDGET, the others are looked up only where those
occur.
"""

from __future__ import annotations

import heapq
import itertools
import json
import math
from collections import Counter

from memories.core import query, turn_ids
from memories.core.turn_ids import CLASS_BITS, CLASS_MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Set

    from memories.core.query import Term

BEST_FIRST = 400
"""Turns, best by their own words, around which neighbours are scored; twice as many where they are too few, so that
what comes first does not depend on how many are asked for."""

MAX_RANGES = 64
"""Ranges of row ids that a filter is searched in; sessions between them are left out afterwards."""

_EVERYTHING = (0, (1 << 63) - 1)
_ALL_ROWS = "SELECT group_concat(rowid) FROM turn_fts WHERE turn_fts MATCH ? AND rowid BETWEEN ? AND ?"
_NEWEST_ROWS = (
    "SELECT group_concat(rowid) FROM (SELECT rowid FROM turn_fts WHERE turn_fts MATCH ? AND rowid BETWEEN ? AND ? "
    "ORDER BY rowid DESC LIMIT ?)"
)
"""All row ids as one text, parsed as JSON: half the time of fetching them as rows."""

_STATE = (
    "SELECT total(turns), total(words), total(id * turns), total(id * words), sum(id * (read_mark % 1000003)), "
    "sum(id * (mtime_ns % 1000003)) FROM session"
)
"""What is another whenever a session is. The prime keeps the sums exact: integers of 64 bits, for a million sessions;
with equal counts, only what a file ends with and when it was written tell that it was replaced."""

_KEPT_COUNTS = 4096
_COSTLY_COUNT = 1000
"""From so many turns on, a term's count is remembered while the index grows a little; others are counted anew."""


class TurnHit:
    """A turn that answers. place: see turn_ids.place. score: higher is better. matched: the words of the question that
    are in it; empty where only its neighbours have them."""

    __slots__ = ("matched", "place", "score")

    def __init__(self, place: int, score: float, matched: list[str]) -> None:
        self.place = place
        self.score = score
        self.matched = matched


class Corpus:
    """What a query needs to know of all turns: how many there are, how long, in which sessions; and how many have a
    term, remembered for as long as the index stays nearly as it was."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._state: tuple[object, ...] = ()
        self._counts: dict[str, int] = {}
        self._counted_at = 0
        self.turns = 0
        self.mean_words = 1.0
        self.sessions: dict[int, tuple[int, int]] = {}
        self.session_norms: dict[int, float] = {}

    def refresh(self) -> None:
        """Look at the sessions again if they changed. Raises sqlite3.Error."""
        state = self.connection.execute(_STATE).fetchone()
        if state == self._state:
            return
        self._state = state
        self.turns = int(state[0])
        self.mean_words = max(1.0, state[1] / max(self.turns, 1))
        rows = self.connection.execute("SELECT id, words, turns FROM session WHERE turns > 0")
        self.sessions = {session: (words, turns) for session, words, turns in rows}
        mean = max(1.0, state[1] / max(len(self.sessions), 1))
        b = query.SESSION_LENGTH
        self.session_norms = {session: 1 - b + b * words / mean for session, (words, _) in self.sessions.items()}
        is_near = abs(self.turns - self._counted_at) * 20 <= self._counted_at  # counts may be a twentieth out
        self._counts = {one: count for one, count in self._counts.items() if is_near and count >= _COSTLY_COUNT}
        if not is_near:
            self._counted_at = self.turns

    def places(self, session: int) -> range:
        """The places of a session's turns."""
        first = turn_ids.place(turn_ids.session_range(session)[0])
        return range(first, first + self.sessions.get(session, (0, 0))[1])

    def count(self, term: Term) -> int:
        """How many turns have a term."""
        found = self._counts.get(term.expression)
        if found is None:
            if len(self._counts) >= _KEPT_COUNTS:
                self._counts.clear()
            sql = "SELECT count(*) FROM turn_fts WHERE turn_fts MATCH ?"
            found = self._counts[term.expression] = self.connection.execute(sql, (term.expression,)).fetchone()[0]
        return found


def search(
    connection: sqlite3.Connection,
    corpus: Corpus,
    text: str,
    *,
    sessions: Mapping[int, Set[int] | None] | None = None,
    most: int = 100,
) -> list[TurnHit]:
    """The turns that answer a question, best first, at most so many. Any text is a valid question.

    sessions: number of each session to look in -> the row ids there whose words count, None: all; None: all sessions.
    Turns beside those are given too, as neighbours. Raises sqlite3.Error.
    """
    corpus.refresh()
    asked = [(corpus.count(term), term) for term in query.terms(text)]
    found = sorted(((count, term) for count, term in asked if count), key=lambda pair: pair[0])
    wanted = None if sessions is None else {one: sessions[one] for one in corpus.sessions.keys() & sessions.keys()}
    if not found or wanted == {}:
        return []
    postings = _Postings(connection, corpus, wanted)
    evidence = postings.read(found)
    evidence += postings.read_pairs([term for _, term in asked], evidence)
    return _hits(corpus, evidence, most)


def _idf(total: int, count: int) -> float:
    """Inverse document frequency, above 0 also for a term that most turns have, as in an archive of a few turns.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), 3.2, with 1 added inside the logarithm as
    Lucene does.
    """
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


class Evidence:
    """A term's idf and the row ids that have it; is_whole: all of them, not only those where rarer terms are. A pair of
    terms near each other is evidence without a term of its own."""

    __slots__ = ("idf", "is_whole", "rows", "term")

    def __init__(self, term: Term | None, idf: float, rows: list[int], *, is_whole: bool) -> None:
        self.term = term
        self.idf = idf
        self.rows = rows
        self.is_whole = is_whole


class _Postings:
    """Reads the row ids of terms, within the sessions that are asked for and the budget."""

    def __init__(
        self, connection: sqlite3.Connection, corpus: Corpus, sessions: dict[int, Set[int] | None] | None
    ) -> None:
        self.connection = connection
        self._sessions = sessions
        self._parts = {one: rows for one, rows in (sessions or {}).items() if rows is not None}
        ranges = [] if sessions is None else _ranges(sessions.keys())
        self._rows_in = [(_rows_of(first, sessions)[0], _rows_of(last, sessions)[1]) for first, last in ranges] or [
            _EVERYTHING
        ]
        searched = sum(corpus.sessions.get(one, (0, 0))[1] for first, last in ranges for one in range(first, last + 1))
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
                is_whole = count * self._share <= query.ROW_BUDGET
                rows = self._rows(term.expression, is_few=is_whole and self._share == 1.0)
                read.append(Evidence(term, idf, rows, is_whole=is_whole))
            elif idf >= least:
                rare = rare or " OR ".join(one.term.expression for one in read if one.term is not None)
                read.append(Evidence(term, idf, self._rows(f"({rare}) AND {term.expression}"), is_whole=False))
        return read

    def read_pairs(self, terms: list[Term], read: list[Evidence]) -> list[Evidence]:
        """The evidence of neighbouring terms of the question near each other, of those that were read whole."""
        whole = {one.term for one in read if one.is_whole}
        pairs = [query.pair(first, second) for first, second in itertools.pairwise(terms) if {first, second} <= whole]
        found = [rows for pair in filter(None, pairs) if (rows := self._rows(pair))]
        return [
            Evidence(None, query.PAIR_WEIGHT * _idf(self._total, len(rows)), rows, is_whole=False) for rows in found
        ]

    def _rows(self, expression: str, *, is_few: bool = False) -> list[int]:
        """The newest rows that match, at most ROW_BUDGET. is_few: there are no more, so the order does not matter."""
        rows: list[int] = []
        for first, last in self._rows_in:
            if is_few:
                found = self.connection.execute(_ALL_ROWS, (expression, first, last)).fetchone()[0]
            else:
                left = query.ROW_BUDGET - len(rows)
                found = self.connection.execute(_NEWEST_ROWS, (expression, first, last, left)).fetchone()[0]
            rows += json.loads(f"[{found or ''}]")
            if len(rows) >= query.ROW_BUDGET and not is_few:
                break
        if self._sessions is not None:
            shift, wanted, parts = turn_ids.SESSION_SHIFT, self._sessions, self._parts
            rows = [row for row in rows if row >> shift in wanted]
            if parts:
                rows = [row for row in rows if row >> shift not in parts or row in parts[row >> shift]]
        return rows


def _rows_of(session: int, sessions: Mapping[int, Set[int] | None] | None) -> tuple[int, int]:
    """The first and the last row id that count in a session."""
    rows = sessions.get(session) if sessions else None
    return (min(rows), max(rows)) if rows else turn_ids.session_range(session)


def _ranges(sessions: Set[int]) -> list[tuple[int, int]]:
    """At most MAX_RANGES ranges (first, last) that hold the sessions, latest first; the smallest gaps are bridged."""
    ordered = sorted(sessions)
    gaps = [(after - before, before, after) for before, after in itertools.pairwise(ordered) if after - before > 1]
    cuts = sorted((before, after) for _, before, after in heapq.nlargest(MAX_RANGES - 1, gaps))
    begins = [ordered[0], *(after for _, after in cuts)]
    ends = [*(before for before, _ in cuts), ordered[-1]]
    return list(zip(begins, ends, strict=True))[::-1]


def _hits(corpus: Corpus, evidence: list[Evidence], most: int) -> list[TurnHit]:
    scores = _ranked(corpus, evidence, most)
    matched: dict[int, list[str]] = {place: [] for place in scores}
    for one in evidence:
        if one.term is not None:
            for row in one.rows:
                if row >> CLASS_BITS in matched:
                    matched[row >> CLASS_BITS].append(one.term.word)
    return [TurnHit(place, score, matched[place]) for place, score in scores.items()]


def _ranked(corpus: Corpus, evidence: list[Evidence], most: int) -> dict[int, float]:
    """place -> score, best first, at most so many: those around the BEST_FIRST, then those around as many more, then
    twice as many. Whoever pages through them meets each once, for a step's places are the same whatever most is."""
    sessions = _session_scores(corpus, evidence)
    own = _own_scores(corpus, evidence, sessions)
    ranked: dict[int, float] = {}
    done: set[int] = set()
    count = BEST_FIRST
    while len(ranked) < most and len(done) < len(own):
        best = _best_places(own, count) - done
        scores = _with_neighbours(corpus, evidence, best)
        for place in scores:
            scores[place] += query.SESSION_WEIGHT * sessions.get(turn_ids.session_at(place), 0.0)
        fresh = scores.keys() - ranked.keys()
        chosen = heapq.nlargest(most - len(ranked), fresh, key=lambda place: (scores[place], place))
        ranked |= {place: scores[place] for place in chosen}
        done |= best
        count *= 2
    return ranked


def _session_scores(corpus: Corpus, evidence: list[Evidence]) -> dict[int, float]:
    """BM25 of each session, in which a term occurs once for each turn that has it."""
    scores: dict[int, float] = {}
    k1 = query.SESSION_SATURATION
    norms = corpus.session_norms
    for one in evidence:
        if not one.is_whole:
            continue  # its rows say nothing of the sessions in which only it occurs, and it occurs in most
        turns = Counter([row >> turn_ids.SESSION_SHIFT for row in one.rows])
        gain = _idf(len(corpus.sessions), len(turns)) * (k1 + 1)
        for session, count in turns.items():
            scores[session] = scores.get(session, 0.0) + gain * count / (count + k1 * norms.get(session, 1.0))
    return scores


def _own_scores(corpus: Corpus, evidence: list[Evidence], sessions: dict[int, float]) -> dict[int, float]:
    """place -> its score by its own words and its session."""
    own: dict[int, float] = {}
    k1 = query.TURN_SATURATION
    norms = _norms(corpus, query.TURN_LENGTH)
    for one in evidence:
        gains = [one.idf * (k1 + 1) / (1 + k1 * norm) for norm in norms]
        for row in one.rows:
            place = row >> CLASS_BITS
            own[place] = own.get(place, 0.0) + gains[row & CLASS_MASK]
    weight = query.SESSION_WEIGHT
    for place in own:
        own[place] += weight * sessions.get(place >> turn_ids.POSITION_BITS, 0.0)
    return own


def _best_places(own: dict[int, float], count: int) -> set[int]:
    """So many places with the best scores; all where those are few."""
    if len(own) <= count:
        return set(own)
    least = sorted(own.values())[-count]
    better = {place for place, score in own.items() if score > least}
    equal = [place for place, score in own.items() if score == least]
    return better | set(heapq.nlargest(count - len(better), equal))  # of equal ones the newest


def _with_neighbours(corpus: Corpus, evidence: list[Evidence], best: Collection[int]) -> dict[int, float]:
    """place -> score by terms, for the best places and those around them, neighbours' words counted as context."""
    steps = [(after, weight) for after, weight in enumerate(query.BEFORE_WEIGHTS, 1)]
    steps += [(-before, weight) for before, weight in enumerate(query.AFTER_WEIGHTS, 1)]
    wanted: set[int] = set()
    for session, places in _by_session(best).items():
        there = corpus.places(session)
        wanted.update(place + step for place in places for step, _ in ((0, 1), *steps) if place + step in there)
    near = wanted | {place - step for place in wanted for step, _ in steps}
    own = [1 / norm for norm in _norms(corpus, query.TURN_LENGTH)]
    beside = [1 / max(query.NEIGHBOUR_FLOOR, norm) for norm in _norms(corpus, query.NEIGHBOUR_LENGTH)]
    k1 = query.TURN_SATURATION
    scores: dict[int, float] = {}
    for one in evidence:
        found: dict[int, float] = {}
        for row in one.rows:
            place = row >> CLASS_BITS
            if place in near:
                found[place] = found.get(place, 0.0) + own[row & CLASS_MASK]
                for step, weight in steps:
                    found[place + step] = found.get(place + step, 0.0) + weight * beside[row & CLASS_MASK]
        for place, amount in found.items():
            if place in wanted:
                scores[place] = scores.get(place, 0.0) + one.idf * amount * (k1 + 1) / (amount + k1)
    return scores


def _by_session(places: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place in places:
        found.setdefault(turn_ids.session_at(place), []).append(place)
    return found


def _norms(corpus: Corpus, b: float) -> list[float]:
    """BM25's length norm for each class of length."""
    return [1 - b + b * turn_ids.class_words(length) / corpus.mean_words for length in range(CLASS_MASK + 1)]
