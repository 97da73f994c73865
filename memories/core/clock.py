"""Times as records write them: UTC, `YYYY-MM-DDTHH:MM:SS`, no zone. No datetime import (4 ms in a hot hook)."""

from __future__ import annotations

import time

_FORMAT = "%Y-%m-%dT%H:%M:%S"


def _utc_seconds(year: int, month: int, day: int) -> int:
    """Unix seconds of a day's beginning in the Gregorian calendar (calendar.timegm, whose import costs 4 ms).

    Counts days from a March 1st, so that the leap day is a year's last: Howard Hinnant, "chrono-Compatible Low-Level
    Date Algorithms", days_from_civil.
    """
    year -= month <= 2  # noqa: PLR2004 - January and February belong to the year that began in March
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return (year * 365 + year // 4 - year // 100 + year // 400 + day_of_year - 719_468) * 86_400


def format_time(seconds: float) -> str:
    """Unix seconds as a record's time string."""
    return time.strftime(_FORMAT, time.gmtime(seconds))


def now() -> str:
    """The current time as a record's time string."""
    return format_time(time.time())


def parse_time(text: object) -> int | None:
    """Unix seconds of an ISO time with or without fraction and zone (`Z`, `+02:00`); None when it is not one."""
    if not isinstance(text, str) or len(text) < 19:  # noqa: PLR2004 - the length of YYYY-MM-DDTHH:MM:SS
        return None
    body = text[:10] + "T" + text[11:19]
    offset = 0
    tail = text[19:].lstrip(".0123456789")
    try:
        year, month, day = int(body[:4]), int(body[5:7]), int(body[8:10])
        hour, minute, second = int(body[11:13]), int(body[14:16]), int(body[17:19])
        if tail[:1] in {"+", "-"}:
            hours, _, minutes = tail[1:].partition(":")
            offset = (int(hours[:2]) * 3600 + int(minutes or hours[2:4] or 0) * 60) * (1 if tail[0] == "+" else -1)
        seconds = _utc_seconds(year, month, day) + hour * 3600 + minute * 60 + second
        return seconds - offset if format_time(seconds) == body else None
    except (ValueError, OverflowError, OSError):
        return None


def normalise_time(text: object) -> str | None:
    """Any ISO time as a record's time string in UTC; None when it is not a time."""
    seconds = parse_time(text)
    return None if seconds is None else format_time(seconds)


def bounds(text: str) -> tuple[int, int] | None:
    """The first and the last second of a time as a person names one: `2026`, `2026-03`, `2026-03-14`,
    `2026-03-14T09:12`, or any ISO time with seconds. None when it is not one."""
    text = text.strip()
    if len(text) not in {4, 7, 10, 16}:
        exact = parse_time(text)
        return None if exact is None else (exact, exact)
    first = parse_time(text + "2000-01-01T00:00:00"[len(text) :])
    ends = (parse_time(text + f"9999-12-{day}T23:59:59"[len(text) :]) for day in (31, 30, 29, 28))
    last = next((end for end in ends if end is not None), None)
    return None if first is None or last is None else (first, last)


def age(seconds: float) -> str:
    """A duration as a person says it: `just now`, `5 min`, `3 h`, `12 days`."""
    if seconds < 60:  # noqa: PLR2004 - one minute
        return "just now"
    for limit, unit, name in ((3600, 60, "min"), (86400, 3600, "h"), (float("inf"), 86400, "day")):
        if seconds < limit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' if name == 'day' and count != 1 else ''}"
    raise AssertionError("unreachable")
