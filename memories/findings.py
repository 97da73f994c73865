"""What a check of doctor's finds, and how it names files and times."""

from __future__ import annotations

import time
from typing import NamedTuple

from memories.core import clock

NAMED = 5
"""Files that one line names; the rest is counted."""


class Check(NamedTuple):
    """One finding. status: `ok`, `note` (not yet, nothing to do), `warn` (works, worth a look) or
    `fail`. todo: the next step, "" when there is none."""

    name: str
    status: str
    text: str
    todo: str = ""


def some(items: list[tuple[str, str]]) -> str:
    """The first of (name, reason), and how many more there are."""
    named = "; ".join(f"{name} ({reason})" for name, reason in items[:NAMED])
    return named + (f"; and {len(items) - NAMED} more" if len(items) > NAMED else "")


def ago(seconds: float) -> str:
    """How long ago Unix seconds are, in words."""
    age = clock.age(time.time() - seconds)
    return age if age == "just now" else f"{age} ago"
