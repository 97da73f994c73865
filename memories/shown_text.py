"""Stored text as a page can carry it."""

from __future__ import annotations

import re

from memories.core import mirror_rows

_LINE_ENDS = re.compile(r"\r\n?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def shown(text: str) -> str:
    """A text without halves of surrogate pairs, which no answer can carry, and without control characters but for tab
    and newline, which browsers take for faults; every end of a line is a newline."""
    return _CONTROLS.sub("\ufffd", _LINE_ENDS.sub("\n", mirror_rows.clean(text)))
