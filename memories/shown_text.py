"""Stored text as a page can carry it."""

from __future__ import annotations

import re

from memories.core import mirror_rows
from memories.core.patterns import lazy

_HEADED = lazy(r"^([ \t]*#{1,6}[ \t]+[^\n]*\w)[ \t]*(?=\n\s*[^\s#])", re.MULTILINE)
_CODE_MARKS = lazy(r"`([^`\n]+)`")
_LINE_MARKS = lazy(r"^[ \t]*(?:#{1,6}[ \t]+|```.*$|~~~.*$|\|?[-:| \t]{3,}$|>[ \t]?)", re.MULTILINE)
_LINE_ENDS = lazy(r"\r\n?")
_CONTROLS = lazy(r"[\x00-\x08\x0b-\x1f\x7f]")


def shown(text: str) -> str:
    """A text without halves of surrogate pairs, which no answer can carry, and without control characters but for tab
    and newline, which browsers take for faults; every end of a line is a newline."""
    return _CONTROLS.sub("\ufffd", _LINE_ENDS.sub("\n", mirror_rows.clean(text)))


def plain_line(text: str) -> str:
    """The text on one line without the marks that only make sense at the start of a line (headings, fences, rules), and
    without the marks of inline code. A heading that text follows ends in a colon."""
    text = _HEADED.sub(r"\1:", text)
    return " ".join(_CODE_MARKS.sub(r"\1", _LINE_MARKS.sub("", text)).replace("|", " ").split())
