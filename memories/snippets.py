"""Snippets: the passage of a text that matched, as one line for a model or a terminal."""

from __future__ import annotations

import re
import secrets

_SECRET = secrets.token_hex(8)
MARKS = (f"\ufdd0{_SECRET}", f"\ufdd1{_SECRET}")
"""What SQLite is to put around matched words: no text can hold it, as it is another in every process."""

WORDS = 24
MAX_CHARS = 240
"""A longer passage, of words without end or without letters, is cut around the first match."""

BRIEF_CHARS = 120
"""The same for a passage of a text that stands whole beside it."""

_CONTROLS = dict.fromkeys([*range(9), *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Control characters but white space, and those that turn the direction of what follows."""

_BOLD = re.compile(r"(?<!\w)\*\*(?=\S)([^*]+)(?<=\S)\*\*(?!\w)")
_STARS = re.compile(r"\*(?=\*)")


def plain(passage: str, most: int = MAX_CHARS) -> str:
    """A passage on one line of at most so many characters, what MARKS enclose in **bold**, no control characters.

    Only matched words are bold: Markdown's own bold marks are taken out, any other `**` becomes `* *`.
    """
    text = " ".join(passage.translate(_CONTROLS).split())
    text = text.replace(MARKS[0], "\x02").replace(MARKS[1], "\x03")
    text = _STARS.sub("* ", _BOLD.sub(r"\1", _cut(text, most)))
    return text.replace("\x02", "**").replace("\x03", "**")


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    begin = max(0, min(text.find("\x02") - most // 3, len(text) - most))
    kept = text[begin : begin + most]
    unclosed = "\x03" * (kept.count("\x02") - kept.count("\x03"))
    return ("…" if begin else "") + kept + unclosed + ("…" if begin + most < len(text) else "")
