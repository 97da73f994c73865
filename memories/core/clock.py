"""Times as records write them: UTC, `YYYY-MM-DDTHH:MM:SS`, no zone. No datetime import (4 ms in a hot hook)."""

from __future__ import annotations

import calendar
import time

_FORMAT = "%Y-%m-%dT%H:%M:%S"


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
        parts = (int(body[:4]), int(body[5:7]), int(body[8:10]), int(body[11:13]), int(body[14:16]), int(body[17:19]))
        if tail[:1] in {"+", "-"}:
            hours, _, minutes = tail[1:].partition(":")
            offset = (int(hours[:2]) * 3600 + int(minutes or hours[2:4] or 0) * 60) * (1 if tail[0] == "+" else -1)
        seconds = calendar.timegm((*parts, 0, 0, 0))
    except (ValueError, OverflowError):
        return None
    return seconds - offset if time.strftime(_FORMAT, time.gmtime(seconds)) == body else None


def normalise_time(text: object) -> str | None:
    """Any ISO time as a record's time string in UTC; None when it is not a time."""
    seconds = parse_time(text)
    return None if seconds is None else format_time(seconds)


def age(seconds: float) -> str:
    """A duration as a person says it: `just now`, `5 min`, `3 h`, `12 days`."""
    if seconds < 60:  # noqa: PLR2004 - one minute
        return "just now"
    for limit, unit, name in ((3600, 60, "min"), (86400, 3600, "h"), (float("inf"), 86400, "day")):
        if seconds < limit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' if name == 'day' and count != 1 else ''}"
    raise AssertionError("unreachable")
