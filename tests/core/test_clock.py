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
