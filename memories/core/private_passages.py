"""<private>...</private>: what a person marked as not to be kept."""

from __future__ import annotations

import re

TAG = re.compile(r"<\s{0,8}(/?)\s{0,8}private(?:\s[^<>]{0,300}|\s{0,8})?>", re.IGNORECASE)
"""An opening or closing tag: any case, spaces, attributes. `<private/>` holds nothing: it is text."""

_LINE = 500
"""Characters on either side of a tag in which its code span is looked for."""
_DOTS = 200
"""Passages of nothing but dots and blanks are a name of the tags only if they are no longer."""


def private(text: str, unclosed: bool = True) -> list[tuple[int, int]]:
    """(start, end) of each passage, tags included: nested ones are one. A passage that is never closed goes to the end;
    with unclosed=False its tag is text.

    A closing tag alone is text. So is how documentation names the tags: alone in a code span of backticks,
    <private>...</private> around nothing but dots or blanks, and code in a code span whose tag is closed nowhere.
    """
    closed, waiting = _scan(text)
    start = _first_left_open(text, waiting) if unclosed else -1
    if start < 0:
        return closed
    return [*(pair for pair in closed if pair[0] < start), (start, len(text))]


def taken_by_unclosed(text: str) -> int:
    """How many characters private() takes to the end of a text because a tag is not closed; 0 where all are."""
    start = _first_left_open(text, _scan(text)[1])
    return len(text) - start if start >= 0 else 0


def _scan(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The outermost closed passages, sorted, and (start, end) of the opening tags that nothing closes."""
    closed: list[tuple[int, int]] = []
    waiting: list[tuple[int, int]] = []
    for tag in TAG.finditer(text):
        if _named(text, tag.start(), tag.end()) and (not waiting or tag.group(1)):
            continue
        if tag.group(1):
            if waiting:
                start, inner = waiting.pop()
                while closed and closed[-1][0] > start:
                    closed.pop()
                if tag.start() - inner > _DOTS or text[inner : tag.start()].strip(" .…"):
                    closed.append((start, tag.end()))
        elif not tag.group().endswith("/>"):
            waiting.append(tag.span())
    return closed, waiting


def _first_left_open(text: str, waiting: list[tuple[int, int]]) -> int:
    """Where the passage begins that no tag closes, -1 where there is none: code in a code span opens nothing."""
    return next((start for start, end in waiting if not _in_code(text, start, end)), -1)


def _named(text: str, start: int, end: int) -> bool:
    """Whether a tag is a whole code span: a backtick on either side."""
    return text[start - 1 : start] == "`" == text[end : end + 1]


def _in_code(text: str, start: int, end: int) -> bool:
    """Whether a tag stands within a code span of its line."""
    line = text[max(0, start - _LINE) : start].rpartition("\n")[2]
    return line.count("`") % 2 == 1 and "`" in text[end : end + _LINE].partition("\n")[0]
