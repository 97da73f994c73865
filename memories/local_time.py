"""Months as this machine's clock shows them: the dashboard runs where its reader sits; what is stored is UTC."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from memories.core import clock
from memories.core.patterns import lazy

MONTH = lazy(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)
"""A month as an address carries it: 2026-03."""


def month_of(seconds: int) -> str:
    """The local month, YYYY-MM, of a time in Unix seconds; at the ends of the calendar in UTC, as month_at."""
    return month_at(clock.format_time(seconds))[0]


def month_at(created_at: str) -> tuple[str, str]:
    """The local month of a record's time: (YYYY-MM, its first moment as a record's time). At the ends of the calendar,
    where no zone can be applied, in UTC."""
    try:
        then = datetime.fromisoformat(created_at).replace(tzinfo=timezone.utc).astimezone()
        start = datetime(then.year, then.month, 1).astimezone()
        return f"{then:%Y-%m}", clock.format_time(start.timestamp())
    except (OverflowError, ValueError, OSError):
        return created_at[:7], f"{created_at[:7]}-01T00:00:00"
