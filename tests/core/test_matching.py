"""The assignment is the best there is: compared with trying every one."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from memories.core.matching import best_pairs

tables = st.integers(1, 5).flatmap(
    lambda rows: st.lists(
        st.dictionaries(st.integers(0, 4), st.integers(1, 9).map(float), max_size=5), min_size=rows, max_size=rows
    )
)


def total(benefits: list[dict[int, float]], pairs: list[int | None]) -> float:
    return sum(row[column] for row, column in zip(benefits, pairs, strict=True) if column is not None)


def test_greed_is_not_followed_where_it_mispairs() -> None:
    assert best_pairs([{0: 9.0, 1: 8.0}, {0: 8.0}]) == [1, 0]


def test_a_row_stays_alone_where_that_leaves_more_to_the_others() -> None:
    assert best_pairs([{0: 1.0}, {0: 5.0}]) == [None, 0]
    assert best_pairs([{}, {3: 1.0}]) == [None, 3]
    assert best_pairs([]) == []


@given(tables)
def test_no_other_assignment_has_more(benefits: list[dict[int, float]]) -> None:
    pairs = best_pairs(benefits)
    used = [column for column in pairs if column is not None]
    assert len(used) == len(set(used))
    assert all(column is None or column in row for row, column in zip(benefits, pairs, strict=True))
    places: list[int | None] = [*range(5), *([None] * len(benefits))]
    best = max(
        sum(row.get(column, 0.0) for row, column in zip(benefits, chosen, strict=False) if column is not None)
        for chosen in permutations(places, len(benefits))
    )
    assert total(benefits, pairs) == best
