"""Ranking of turns: the right ones first, within the filter and the budget, for any text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memories.core import conversation_index, mirror, paths, query, turn_ids, turn_search
from memories.core.turn_search import Corpus, TurnHit, search
from tests.core.conversations import new_folder, put
from tests.core.transcript_lines import Script


def name(number: int) -> str:
    return f"7b1e2f04-0000-4000-8000-{number:012}.jsonl"


def add(folder: paths.DataFolder, number: int, *told: str) -> None:
    """A session whose file is the newer the higher its number."""
    script = Script("/proj")
    for text in told:
        script.user(text, uuid=None)
    put(folder, script.dump(), name(number), mtime=1000 + number)


@pytest.fixture
def folder(tmp_path: Path) -> paths.DataFolder:
    return new_folder(tmp_path)


@pytest.fixture
def connection(folder: paths.DataFolder) -> Iterator[sqlite3.Connection]:
    with closing(mirror.connect(folder.mirror)) as connection:
        yield connection


def find(connection: sqlite3.Connection, text: str, **options: Any) -> list[TurnHit]:
    return search(connection, Corpus(connection), text, **options)


def texts(connection: sqlite3.Connection, hits: list[TurnHit]) -> list[str]:
    sql = "SELECT text FROM turn WHERE id BETWEEN ? AND ?"
    return [connection.execute(sql, turn_ids.place_range(hit.place)).fetchone()[0] for hit in hits]


def numbers(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT path, id FROM session").fetchall())


def test_an_empty_index_answers_with_nothing(connection: sqlite3.Connection) -> None:
    assert find(connection, "anything") == []
    assert find(connection, "") == []


def test_one_turn_is_found(folder: paths.DataFolder, connection: sqlite3.Connection) -> None:
    add(folder, 1, "The heron stands in the pond")
    conversation_index.update(folder)
    (hit,) = find(connection, "where does the heron stand?")
    assert hit.matched == ["heron", "stand"]
    assert find(connection, "pelican") == []
    assert find(connection, "heron", most=0) == []


def test_the_turn_that_says_more_of_the_question_comes_first(
    folder: paths.DataFolder, connection: sqlite3.Connection
) -> None:
    add(folder, 1, "The heron is grey", "Something else", "Other things", "And more", "The grey heron eats frogs")
    add(folder, 2, "A frog", "Nothing here", "A long walk", "A heron")
    conversation_index.update(folder)
    hits = find(connection, "does a grey heron eat frogs")
    assert texts(connection, hits)[0] == "The grey heron eats frogs"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_turn_between_those_that_match_is_found_as_their_neighbour(
    folder: paths.DataFolder, connection: sqlite3.Connection
) -> None:
    add(folder, 1, "Where is the heron?", "At the pond")
    add(folder, 2, "The pelican")
    conversation_index.update(folder)
    hits = find(connection, "heron")
    assert texts(connection, hits) == ["Where is the heron?", "At the pond"]
    assert hits[1].matched == []


def test_neighbours_never_cross_sessions_and_places_never_leave_them(
    folder: paths.DataFolder, connection: sqlite3.Connection
) -> None:
    add(folder, 1, "one", "two", "the heron at the end")
    add(folder, 2, "the heron at the beginning", "two", "three", "four")
    add(folder, 3, "heron")
    conversation_index.update(folder)
    hits = find(connection, "heron", most=1000)
    held = [place for (row,) in connection.execute("SELECT id FROM turn") for place in [turn_ids.place(row)]]
    assert {hit.place for hit in hits} <= set(held)
    assert sorted(texts(connection, hits)) == sorted(
        ["one", "two", "the heron at the end", "the heron at the beginning", "two", "three", "heron"]
    )


def test_a_word_of_every_turn_still_finds_them(folder: paths.DataFolder, connection: sqlite3.Connection) -> None:
    add(folder, 1, *(f"heron number {number}" for number in range(6)))
    conversation_index.update(folder)
    hits = find(connection, "heron")
    assert len(hits) == 6
    assert all(hit.score > 0 and hit.matched == ["heron"] for hit in hits)


def test_of_equal_turns_the_newer_comes_first(folder: paths.DataFolder, connection: sqlite3.Connection) -> None:
    for number in range(5):
        add(folder, number, "The heron stands still")
    conversation_index.update(folder)
    places = [hit.place for hit in find(connection, "heron")]
    assert places == sorted(places, reverse=True)


def test_where_many_are_equal_the_newest_are_kept(
    folder: paths.DataFolder, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_search, "BEST_FIRST", 3)
    for number in range(20):
        add(folder, number, "The heron stands still")
    conversation_index.update(folder)
    found = {turn_ids.session_at(hit.place) for hit in find(connection, "heron", most=3)}
    assert found == set(sorted(numbers(connection).values())[-3:])


def test_where_many_are_equal_the_better_ones_are_kept_first(
    folder: paths.DataFolder, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_search, "BEST_FIRST", 3)
    for number in range(20):
        add(folder, number, "The heron " + ("pond" if number in {0, 19} else "stands still " * 10))
    conversation_index.update(folder)
    hits = find(connection, "heron pond", most=3)
    ids = numbers(connection)
    assert [turn_ids.session_at(hit.place) for hit in hits] == [ids[name(19)], ids[name(0)], ids[name(18)]]


def test_what_was_indexed_since_is_found_though_it_was_asked_for_before(
    folder: paths.DataFolder, connection: sqlite3.Connection
) -> None:
    add(folder, 1, *(f"something {number}" for number in range(100)))
    conversation_index.update(folder)
    corpus = Corpus(connection)
    assert search(connection, corpus, "quokka") == []
    add(folder, 2, "a quokka")
    conversation_index.update(folder)
    assert len(search(connection, corpus, "quokka")) == 1


def test_a_corpus_sees_that_its_sessions_are_others(folder: paths.DataFolder, connection: sqlite3.Connection) -> None:
    add(folder, 1, "a heron", "a pond", "a frog")
    add(folder, 2, "a heron")
    conversation_index.update(folder)
    corpus = Corpus(connection)
    assert len(search(connection, corpus, "heron")) == 4
    add(folder, 1, "the frog")
    add(folder, 2, "a heron", "a pond", "the end here")
    conversation_index.update(folder)
    assert len(search(connection, corpus, "heron")) == 3


def test_a_corpus_sees_that_a_session_was_replaced_by_one_with_equal_counts(
    folder: paths.DataFolder, connection: sqlite3.Connection
) -> None:
    add(folder, 1, "a heron", "a pond")
    conversation_index.update(folder)
    corpus = Corpus(connection)
    assert search(connection, corpus, "quokka") == []
    script = Script("/proj")
    for text in ("a quokka", "a marsh"):
        script.user(text, uuid=None)
    put(folder, script.dump(), name(1), mtime=5000)
    conversation_index.update(folder)
    assert len(search(connection, corpus, "quokka")) == 2


# Pages.


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """One session of 1,200 turns that match, of many lengths, and 60 among them that do not."""
    folder = new_folder(tmp_path_factory.mktemp("alike"))
    told = [f"heron {'pond ' * (number % 7)}" if number % 20 else "nothing" for number in range(1200)]
    add(folder, 1, *told)
    conversation_index.update(folder)
    with closing(mirror.connect(folder.mirror)) as connection:
        yield connection


def test_every_turn_that_matches_is_found_if_so_many_are_asked_for(alike: sqlite3.Connection) -> None:
    assert len([hit for hit in find(alike, "heron", most=5000) if hit.matched]) == 1140
    assert len(find(alike, "heron", most=900)) == 900


def test_what_comes_first_does_not_depend_on_how_many_are_asked_for(alike: sqlite3.Connection) -> None:
    whole = [hit.place for hit in find(alike, "heron pond", most=5000)]
    assert len(set(whole)) == len(whole)
    for most in (1, 399, 400, 401, 450, 800, 1000):
        assert [hit.place for hit in find(alike, "heron pond", most=most)] == whole[:most]


# The filter.


def test_of_a_session_only_the_rows_that_are_named_count(alike: sqlite3.Connection) -> None:
    (session,) = numbers(alike).values()
    rows = {row for (row,) in alike.execute("SELECT id FROM turn ORDER BY id LIMIT 3")}
    hits = find(alike, "heron", sessions={session: rows})
    assert {hit.place for hit in hits if hit.matched} == set(sorted(turn_ids.place(row) for row in rows)[1:])
    assert find(alike, "heron", sessions={session: set()}) == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """200 sessions of three turns, of which some are rare."""
    folder = new_folder(tmp_path_factory.mktemp("many"))
    for number in range(200):
        rare = f"rare{number % 10}" if number % 3 else "plain"
        add(folder, number, f"common heron {rare}", "common pond", f"unique{number}x common frog")
    conversation_index.update(folder)
    with closing(mirror.connect(folder.mirror)) as connection:
        yield connection


_QUERIES = st.lists(
    st.sampled_from(["common", "heron", "rare3", "rare7", "plain", "unique7x", "pond", "frog"]), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.integers(-3, 230)) | st.sets(st.integers(1, 200), min_size=100),
    _QUERIES,
    st.sampled_from([1, 3, 20, 20_000]),
    st.sampled_from([1, 4, 64]),
)
def test_a_filter_never_lets_another_sessions_turn_through(
    many: sqlite3.Connection, sessions: set[int], asked: list[str], budget: int, ranges: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "ROW_BUDGET", budget)
        patch.setattr(turn_search, "MAX_RANGES", ranges)
        hits = find(many, " ".join(asked), sessions=dict.fromkeys(sessions), most=1000)
    assert {turn_ids.session_at(hit.place) for hit in hits} <= sessions
    assert len({hit.place for hit in hits}) == len(hits)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 200), min_size=1), st.sampled_from([2, 5, 64]))
def test_a_filter_finds_what_is_in_its_sessions(many: sqlite3.Connection, sessions: set[int], ranges: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn_search, "MAX_RANGES", ranges)
        hits = find(many, "heron", sessions=dict.fromkeys(sessions), most=1000)
    assert {turn_ids.session_at(hit.place) for hit in hits if hit.matched} == sessions


def test_a_filter_of_no_session_finds_nothing(many: sqlite3.Connection) -> None:
    assert find(many, "heron", sessions={}) == []
    assert find(many, "heron", sessions={10**30: None, -1: None}) == []


@given(st.sets(st.integers(1, 500), min_size=1), st.integers(1, 10))
def test_ranges_hold_every_session_in_as_few_as_asked_for(sessions: set[int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn_search, "MAX_RANGES", most)
        ranges = turn_search._ranges(sessions)
    assert len(ranges) <= most
    assert all(sum(first <= one <= last for first, last in ranges) == 1 for one in sessions)
    assert ranges == sorted(ranges, reverse=True)
    assert all(first in sessions and last in sessions for first, last in ranges)


# The budget.


class Counting:
    """A connection that counts the row ids which are read from it, each list of them one text."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.rows = 0

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        ids = self._connection.execute(sql, values).fetchone()[0]
        self.rows += len(ids.split(",")) if ids else 0
        return self._connection.execute(sql, values)


def _counted(connection: sqlite3.Connection, text: str, **options: Any) -> tuple[int, list[TurnHit]]:
    counting: Any = Counting(connection)
    hits = search(counting, Corpus(connection), text, **options)
    return counting.rows, hits


def test_a_rare_term_is_found_among_frequent_ones_within_the_budget(
    many: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = find(many, "unique150x common heron frog pond", most=1)[0]
    monkeypatch.setattr(query, "ROW_BUDGET", 20)
    rows, hits = _counted(many, "unique150x common heron frog pond")
    assert hits[0].place == whole.place
    assert "unique150x" in hits[0].matched
    assert rows <= 20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_QUERIES, st.integers(1, 40), st.none() | st.sets(st.integers(1, 200), min_size=1))
def test_no_term_costs_more_rows_than_the_budget(
    many: sqlite3.Connection, asked: list[str], budget: int, sessions: set[int] | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "ROW_BUDGET", budget)
        rows, _ = _counted(many, " ".join(asked), sessions=sessions and dict.fromkeys(sessions))
    assert rows <= budget * 2 * len(query.terms(" ".join(asked)))  # terms, and pairs of neighbouring ones


def test_only_frequent_terms_find_the_newest_turns(many: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "ROW_BUDGET", 30)
    rows, hits = _counted(many, "common")
    assert rows == 30
    newest = max(turn_ids.place(row) for (row,) in many.execute("SELECT id FROM turn"))
    assert max(hit.place for hit in hits if hit.matched) == newest


# Any text.


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=60)
    | st.text(st.sampled_from("\"'()*:^-+{}ANDORNEAR tuxfrog.\0_漢字กีé\ud800😀"), max_size=60)
    | st.lists(
        st.sampled_from(["heron", "AND", "OR", "NOT", "NEAR(", ")", '"', "*", "text:", "^frog", "{a b}", "漢", "ี"])
    ).map(" ".join),
    st.none() | st.sets(st.integers(0, 210)),
)
def test_any_text_is_a_question(many: sqlite3.Connection, text: str, sessions: set[int] | None) -> None:
    for hit in find(many, text, sessions=None if sessions is None else dict.fromkeys(sessions)):
        assert hit.score > 0


@pytest.mark.parametrize(
    "text",
    ["x" * 100_000, "heron " * 17_000, "漢字" * 50_000, "a.b/" * 25_000, "\ud800" * 100_000,
     "ab12" * 25_000, "' " * 10_000],
    ids=["word", "words", "han", "path", "surrogates", "identifier", "quotes"],
)  # fmt: skip
def test_a_question_of_a_hundred_kilobytes_is_answered(many: sqlite3.Connection, text: str) -> None:
    corpus = Corpus(many)
    search(many, corpus, text)
    assert sum(map(len, corpus._counts)) < 50_000
