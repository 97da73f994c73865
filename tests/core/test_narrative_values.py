"""Numbers and dates are the same however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import narrative_values as values


def numbers(text: str) -> list[tuple[str, str]]:
    rest, found = values.take_numbers(values.take_dates(text)[0])
    words = [word.lower() for word in rest.split()]
    return [(one.value, one.unit) for one in [*found, *(number for _, _, number in values.in_words(words))]]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("10,000 rows", "10000", ""), ("10000 rows", "10000", ""), ("10_000", "10000", ""), ("10k rows", "10000", ""),
        ("10 thousand", "10000", ""), ("ten thousand", "10000", ""), ("1.5k", "1500", ""), ("2 million", "2000000", ""),
        ("three times", "3", ""), ("3 times", "3", ""), ("3rd", "3", ""), ("2x", "2", ""), ("2 dozen", "24", ""),
        ("twenty five", "25", ""), ("two hundred", "200", ""), ("30s", "30", "s"), ("30 s", "30", "s"),
        ("30 seconds", "30", "s"), ("30-second", "30", "s"), ("thirty seconds", "30", "s"), ("30 ms", "30", "ms"),
        ("5%", "5", "%"), ("5 percent", "5", "%"), ("5m", "5", "min"), ("3.11", "3.11", ""), ("host:8080", "8080", ""),
    ],
)  # fmt: skip
def test_a_number_is_read_in_every_form(text: str, value: str, unit: str) -> None:
    assert numbers(text) == [(value, unit)]


@pytest.mark.parametrize("text", ["p95", "4xx", "one of them", "sha256", "no", "v2"])
def test_what_is_part_of_a_name_is_no_number(text: str) -> None:
    assert numbers(text) == []


def test_numbers_fit_by_value_and_by_unit_where_both_have_one() -> None:
    (seconds,), (bare,), (millis,) = (values.take_numbers(text)[1] for text in ("30 s", "30", "30 ms"))
    assert seconds.fits(bare)
    assert bare.fits(millis)
    assert not seconds.fits(millis)


@pytest.mark.parametrize(
    "text",
    ["2026-03-14", "14 March 2026", "March 14, 2026", "14.03.2026", "3/14/2026", "14th of Mar 2026", "2026/3/14"],
)
def test_a_date_written_in_another_way_is_the_same(text: str) -> None:
    rest, (date,) = values.take_dates(f"on {text}")
    assert not values.take_numbers(rest)[1]
    (plain,) = values.take_dates("2026-03-14")[1]
    assert plain.fits(date)
    assert date.fits(plain)


def test_a_date_that_says_less_is_met_by_one_that_says_more_and_not_the_other_way_round() -> None:
    (month,), (day,), (other,) = (values.take_dates(text)[1] for text in ("March 2026", "2026-03-14", "2026-03-15"))
    assert month.fits(day)
    assert not day.fits(month)
    assert not day.fits(other)


def test_what_is_no_date_stays() -> None:
    for text in ("2026-13-14", "version 1.2.3", "192.168.1.10", "may 3 of them fail", "40/50/2026"):
        assert values.take_dates(text) == (text, [])


@given(st.lists(st.sampled_from([*"0123456789,._-/: kMs%٣", " ten", " hundred", " May "]), max_size=60))
def test_any_text_is_read(parts: list[str]) -> None:
    numbers("".join(parts))


def test_endless_number_words_end() -> None:
    assert numbers("thousand " * 5000)
    assert numbers("hundred " * 5000)
