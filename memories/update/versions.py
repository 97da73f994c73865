"""Versions of the form X.Y.Z, compared as numbers; and what a changelog says of those between two."""

from __future__ import annotations

import re

from memories.core.transcript_items import clean
from memories.core.update_state import numbers

MAX_LINES = 60
MAX_LINE = 400
_SECTION = re.compile(r"^## \[?v?(\d+\.\d+\.\d+)\]?.*$", re.M)


def newest(versions: list[str]) -> str:
    """The greatest of them, "" of none."""
    return max((one for one in versions if numbers(one)), key=numbers, default="")


def changes(changelog: str, before: str, after: str) -> list[str]:
    """The lines of a changelog (Keep a Changelog) on the versions above `before` up to `after`, at most MAX_LINES."""
    sections = list(_SECTION.finditer(changelog))
    lines: list[str] = []
    for number, found in enumerate(sections):
        if numbers(before) < numbers(found[1]) <= numbers(after):
            end = sections[number + 1].start() if number + 1 < len(sections) else len(changelog)
            lines += [clean(line)[:MAX_LINE] for line in changelog[found.start() : end].splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], f"... and {len(lines) - MAX_LINES} lines more in CHANGELOG.md"]
    return lines
