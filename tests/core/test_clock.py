"""Times: what records write, and every ISO form that files of others hold."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import clock

_times = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1))  # noqa: DTZ001
_zones = st.integers(min_value=-14 * 60, max_value=14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(min_value=0, max_value=250_000_000_000))
def test_a_time_that_was_written_is_read_back(seconds: int) -> None:
    assert clock.parse_time(clock.format_time(seconds)) == seconds


@given(_times, _zones)
def test_any_zone_and_fraction_agrees_with_the_standard_library(moment: datetime, zone: timezone) -> None:
    aware = moment.replace(tzinfo=zone)
    assert clock.parse_time(aware.isoformat()) == int((aware - aware.resolution * aware.microsecond).timestamp())


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2026-03-14T09:12:44", "2026-03-14T09:12:44"), ("2026-03-14T09:12:44Z", "2026-03-14T09:12:44"),
        ("2026-03-14 09:12:44.123456", "2026-03-14T09:12:44"), ("2026-03-14T09:12:44+02:00", "2026-03-14T07:12:44"),
        ("2026-03-14T09:12:44-0530", "2026-03-14T14:42:44"), ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59"),
        ("yesterday", None), ("", None), (None, None), (5, None), ("2026-02-30T00:00:00", None), ("2026-03-14", None),
        ("2026-03-14T24:00:00", None), ("2026-03-14T09:60:00", None), ("2026-03-14T09:12:44+", None),
        ("0000-00-00T00:00:00", None),
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(text: object, normal: str | None) -> None:
    assert clock.normalise_time(text) == normal


@given(st.text() | st.text(alphabet="0123456789-:T+Z. ", min_size=15, max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = clock.normalise_time(text)
    assert found is None or clock.normalise_time(found) == found


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "just now"), (59, "just now"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (86_400, "1 day"),
     (12 * 86_400, "12 days")],
)  # fmt: skip
def test_an_age_is_said_as_a_person_would(seconds: float, said: str) -> None:
    assert clock.age(seconds) == said


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", "2026-01-01T00:00:00", "2026-12-31T23:59:59"),
        ("2026-04", "2026-04-01T00:00:00", "2026-04-30T23:59:59"),
        ("2024-02", "2024-02-01T00:00:00", "2024-02-29T23:59:59"),
        ("2025-02", "2025-02-01T00:00:00", "2025-02-28T23:59:59"),
        (" 2026-03-14 ", "2026-03-14T00:00:00", "2026-03-14T23:59:59"),
        ("2026-03-14T09:12", "2026-03-14T09:12:00", "2026-03-14T09:12:59"),
        ("2026-03-14 09:12:44", "2026-03-14T09:12:44", "2026-03-14T09:12:44"),
        ("2026-03-14T09:12:44.5+02:00", "2026-03-14T07:12:44", "2026-03-14T07:12:44"),
    ],
)  # fmt: skip
def test_a_time_as_a_person_names_it_has_a_first_and_a_last_second(text: str, first: str, last: str) -> None:
    found = clock.bounds(text)
    assert found is not None
    assert tuple(map(clock.format_time, found)) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-", "2026-13", "2026-00", "2026-02-30", "2026-3-1", "20260314", "2026-03-14T09", "2026-03-14T25:00",
     "0000", "２０２６", "yesterday", "last", "2026-W10-1"],
)  # fmt: skip
def test_what_names_no_time_has_no_bounds(text: str) -> None:
    assert clock.bounds(text) is None


@given(st.text() | st.text(alphabet="0123456789-:T+Z. ", max_size=30))
def test_bounds_of_any_text_are_none_or_in_order(text: str) -> None:
    found = clock.bounds(text)
    assert found is None or found[0] <= found[1]
