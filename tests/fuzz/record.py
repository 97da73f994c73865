"""What a run came to, printed, and written into docs/fuzzing.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.run import Share

LEAST_SECONDS = 600
"""A shorter run is printed only: it says nothing that the page should keep."""

MOST_RUNS = 20
_RUNS = re.compile(r"(<!-- runs -->\n)(.*?)(<!-- end of runs -->)", re.DOTALL)
_LAST = re.compile(r"(<!-- last run -->\n)(.*?)(<!-- end of last run -->)", re.DOTALL)
_HEAD = "| Date | Python | Engine | Seconds | Executions | Findings |\n|---|---|---|---|---|---|\n"


def table(shares: Sequence[Share]) -> str:
    """A run by target."""
    lines = ["| Target | Seconds | Executions | Edges reached | of them new | Findings |", "|---|---|---|---|---|---|"]
    for one in shares:
        new = one.coverage - one.coverage_before
        reached = (f"{one.coverage:,}", f"{new:,}") if one.coverage else ("-", "-")
        found = len(one.findings)
        lines.append(f"| {one.target} | {one.seconds:,} | {one.executions:,} | {reached[0]} | {reached[1]} | {found} |")
    return "\n".join([*lines, ""])


def line(shares: Sequence[Share], date: str, python: str, what: str) -> str:
    """A run as one line of the table of runs."""
    seconds, executions, found = (
        sum(values)
        for values in zip(*((one.seconds, one.executions, len(one.findings)) for one in shares), strict=True)
    )
    return f"| {date} | {python} | {what} | {seconds:,} | {executions:,} | {found} |\n"


def write(page: Path, shares: Sequence[Share], date: str, python: str, what: str) -> None:
    """Put a run into the page: its targets in place of the last run's, and a line below those of earlier runs."""
    text = page.read_text("utf-8")
    runs = _RUNS.search(text)
    old = runs[2].removeprefix(_HEAD).splitlines(keepends=True) if runs else []
    lines = "".join([*old, line(shares, date, python, what)][-MOST_RUNS:])
    text = _RUNS.sub(lambda found: f"{found[1]}{_HEAD}{lines}{found[3]}", text)
    text = _LAST.sub(lambda found: f"{found[1]}{table(shares)}{found[3]}", text)
    page.write_text(text, encoding="utf-8")
