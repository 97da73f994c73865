"""<private>...</private>: what a person marked as not to be kept."""

from __future__ import annotations

import re

TAG = re.compile(r"<\s{0,8}(/?)\s{0,8}private(?:\s[^<>]{0,300}|\s{0,8})?>", re.IGNORECASE)
"""An opening or closing tag: any case, spaces, attributes. `<private/>` holds nothing: it is text."""


def private(text: str) -> list[tuple[int, int]]:
    """(start, end) of each passage, tags included: nested ones are one, one that is never closed goes to the end.

    A closing tag alone is text. So is how documentation names the tags: alone in a code span of backticks, and
    <private>...</private> around nothing but dots or blanks.
    """
    found = []
    depth = start = inner = 0
    for tag in TAG.finditer(text):
        if _named(text, tag.start(), tag.end()) and (depth == 0 or tag.group(1)):
            continue
        if tag.group(1):
            if depth == 1 and text[inner : tag.start()].strip(" .…"):
                found.append((start, tag.end()))
            depth = max(0, depth - 1)
        elif not tag.group().endswith("/>"):
            if depth == 0:
                start, inner = tag.span()
            depth += 1
    return [*found, (start, len(text))] if depth else found


def _named(text: str, start: int, end: int) -> bool:
    """Whether a tag is a whole code span: a backtick on either side."""
    return text[start - 1 : start] == "`" == text[end : end + 1]
