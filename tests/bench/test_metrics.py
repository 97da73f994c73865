"""The figures on answers whose figures are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import metrics
from bench.metrics import Tally


def test_a_hit_counts_from_the_rank_it_stands_at() -> None:
    tally = Tally()
    tally.add(["a", "b"], {"a"})
    tally.add(["x", "y", "b"], {"b"})
    tally.add([*"0123456789", "c"], {"c"})
    tally.add([], {"d"})
    assert (tally.hit(1), tally.hit(5), tally.hit(10)) == (0.25, 0.5, 0.5)
    assert tally.mrr == pytest.approx((1 + 1 / 3 + 1 / 11) / 4)
    assert tally.empty == 1


def test_recall_is_the_share_of_the_right_answers_among_the_first_ten() -> None:
    tally = Tally()
    tally.add(["a", "x", "b"], {"a", "b", "c", "d"})
    tally.add([*"0123456789", "z"], {"z"})
    assert tally.recall == 0.25


def test_merging_is_the_same_as_counting_together() -> None:
    one, two, both = Tally(), Tally(), Tally()
    one.add(["a"], {"a"})
    two.add(["b", "a"], {"a"})
    both.add(["a"], {"a"})
    both.add(["b", "a"], {"a"})
    assert one.merged(two).figures() == both.figures()


def test_no_questions_give_no_figures_above_zero() -> None:
    assert set(Tally().figures().values()) == {0}


def test_a_session_ranks_where_its_first_turn_does() -> None:
    assert metrics.distinct(["s2", "s1", "s2", "s3", "s1"]) == ["s2", "s1", "s3"]


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (0.0, 1), (1.0, 10), (0.1, 1)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert metrics.percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        metrics.percentile([], 0.5)


@given(st.lists(st.integers(0, 30)), st.sets(st.integers(0, 30), min_size=1))
def test_figures_lie_between_zero_and_one_and_grow_with_k(found: list[int], right: set[int]) -> None:
    tally = Tally()
    tally.add(metrics.distinct(found), set(right))
    assert 0 <= tally.hit(1) <= tally.hit(5) <= tally.hit(10) <= 1
    assert tally.hit(1) <= tally.mrr <= 1
    assert 0 <= tally.recall <= 1


def test_a_row_shows_shares_in_per_cent() -> None:
    tally = Tally()
    tally.add(["a"], {"a"})
    assert metrics.row("all", tally).split() == ["all", "1", "100.0", "100.0", "100.0", "100.0", "1.000", "0"]
    assert len(metrics.heading("x")) == len(metrics.row("x", tally))


@pytest.mark.parametrize(
    ("bar", "goal", "said"), [(True, True, "goal met"), (True, False, "bar met"), (False, False, "BELOW THE BAR")]
)
def test_a_verdict_names_what_is_met(bar: bool, goal: bool, said: str) -> None:
    assert metrics.verdict(bar, goal) == said
