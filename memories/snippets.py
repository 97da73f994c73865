"""Snippets: the passage of a text that matched, as one line for a model or a terminal."""

from __future__ import annotations

import itertools
import os
import re

from memories.core import budget
from memories.core.patterns import lazy
from memories.core.word_lists import IRREGULAR
from memories.core.words import spaceless

_SECRET = os.urandom(8).hex()
MARKS = (f"\ufdd0{_SECRET}", f"\ufdd1{_SECRET}")
"""What SQLite is to put around matched words: no text can hold it, as it is another in every process."""

MARK_START, MARK_END = "\x02", "\x03"
"""The same in a text that has been cleaned of control characters; escaping it for a page cannot touch them."""

WORDS = 24
MAX_CHARS = 240
"""A longer passage, of words without end or without letters, is cut around the first match."""

BRIEF_CHARS = 120
"""The same for a passage of a text that stands whole beside it."""

AROUND_CHARS = 100
"""Characters on each side of a match that SQLite cannot show."""

_LEAST_STEM = 4
_ENDING = 3
"""A word that is there in another form is looked for without its ending, by at least so many letters."""

_CONTROLS = dict.fromkeys(
    [
        *range(9), *range(14, 32), *range(127, 160), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
        *range(0x2060, 0x206A), 0xFEFF, *range(0xE0000, 0xE0080),
    ]
)  # fmt: skip
"""Control characters but white space, those that turn the direction of what follows, and those that nobody sees."""

_MOST_LOOKED_AT = 1000
"""Occurrences of a word that are looked at for one that begins a word."""

_SPACE = lazy(r"\s+")
_BOLD = lazy(r"(?<!\w)\*\*(?=\S)([^*]+)(?<=\S)\*\*(?!\w)")
_STARS = lazy(r"\*(?=\*)")


def plain(passage: str, most: int = MAX_CHARS) -> str:
    """A passage on one line of at most so many characters, what MARKS enclose in **bold**, no control characters, the
    client's own tags defused.

    Only matched words are bold: Markdown's own bold marks are taken out, any other `**` becomes `* *`.
    """
    text = _STARS.sub("* ", _BOLD.sub(r"\1", line(passage, most)))
    safe = iter(budget.defused(text.replace("\x02", "").replace("\x03", "")))
    text = "".join(one if one in "\x02\x03" else next(safe) for one in text)
    return text.replace("\x02", "**").replace("\x03", "**")


def line(passage: str, most: int = MAX_CHARS) -> str:
    """A passage on one line of at most so many characters, what MARKS enclose between MARK_START and MARK_END, which
    are nowhere else in it: no control characters."""
    text = " ".join(passage.translate(_CONTROLS).split())
    return _cut(text.replace(MARKS[0], MARK_START).replace(MARKS[1], MARK_END), most)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    begin = max(0, min(text.find("\x02") - most // 3, len(text) - most))
    kept = text[begin : begin + most]
    unclosed = "\x03" * (kept.count("\x02") - kept.count("\x03"))
    return ("…" if begin else "") + kept + unclosed + ("…" if begin + most < len(text) else "")


def marked(passage: str, text: str, matched: list[str]) -> str:
    """SQLite's passage of a text; where that has no MARKS, the one around the rarest matched word that the text has.

    matched: the words of the question that the text's row holds, rarest first. Part of an identifier, of a run of Han,
    or an irregular form, they are found by what is indexed beside the text, in which SQLite marks nothing.
    """
    if MARKS[0] in passage or not matched:
        return passage
    folded = text.replace("İ", "i").lower()  # the one letter whose lower case is longer
    for is_whole, make in ((True, _pattern), (False, _stem_pattern)):
        patterns = list(map(make, matched))
        found = next(filter(None, (_first(pattern, text, folded) for pattern in patterns)), None)
        if found is not None:
            begin, end = _around(text, *found)
            spans = [found]
            for pattern in patterns:
                inside = (one.span() for one in pattern.finditer(folded, begin, end))
                spans += [
                    span for span in inside if _begins(text, span[0]) and not (is_whole and _goes_on(text, *span))
                ]
            return "…" * (begin > 0) + _with_marks(text, begin, end, spans) + "…" * (end < len(text))
    return passage


def is_often(text: str, words: list[str], most: int) -> bool:
    """Whether some words, in any form, are in a text more than so many times, taken together."""
    left = most
    folded = text.replace("İ", "i").lower()
    for word in words:
        left -= sum(1 for _ in itertools.islice(_stem_pattern(word).finditer(folded), left + 1))
        if left < 0:
            return True
    return False


def _pattern(word: str) -> re.Pattern[str]:
    """What finds a word of a question, in whatever way its parts are joined."""
    base = IRREGULAR.get(word, word)
    forms = {word, *(form for form, of in IRREGULAR.items() if of == base)}
    if len(word) > _LEAST_STEM:
        forms.add(word.removesuffix("s"))
    return re.compile("|".join(_joined(form.split()) for form in sorted(forms, key=len, reverse=True)))


def _joined(parts: list[str]) -> str:
    joined = re.escape(parts[0])
    for before, after in itertools.pairwise(parts):
        gap = r"[\W_]+" if before[-1].isdigit() and after[0].isdigit() else r"[\W_]*"
        joined += gap + re.escape(after)
    return joined + (r"(?!\d)" if parts[-1][-1].isdigit() else "")


def _stem_pattern(word: str) -> re.Pattern[str]:
    return re.compile(_joined(word[: max(_LEAST_STEM, len(word) - _ENDING)].split()))


def _first(pattern: re.Pattern[str], text: str, folded: str) -> tuple[int, int] | None:
    """Where a pattern is first found as a whole word or part of an identifier, else at all."""
    first = None
    for match in itertools.islice(pattern.finditer(folded), _MOST_LOOKED_AT):
        span = match.span()
        if _begins(text, span[0]) and not _goes_on(text, *span):
            return span
        first = first or span
    return first


def _begins(text: str, place: int) -> bool:
    """Whether a word or a part of an identifier begins there."""
    if not place or _is_spaceless(text, place):
        return True
    before, first = text[place - 1], text[place]
    return (
        not before.isalnum()
        or before.isdigit() != first.isdigit()
        or (first.isupper() and (not before.isupper() or text[place + 1 : place + 2].islower()))
    )


def _is_spaceless(text: str, place: int) -> bool:
    """Whether the character there is of a script without spaces."""
    return not text[place].isascii() and spaceless().match(text, place, place + 1) is not None


def _goes_on(text: str, begin: int, end: int) -> bool:
    """Whether the word in which a match ends goes on after it."""
    return text[end : end + 1].isalnum() and not _begins(text, end) and not _is_spaceless(text, begin)


def _around(text: str, first: int, last: int) -> tuple[int, int]:
    """The passage around a match, cut between words where there is white space."""
    begin, end = max(0, first - AROUND_CHARS), min(len(text), last + AROUND_CHARS, first + MAX_CHARS)
    if begin and (space := _SPACE.search(text, begin, first)):
        begin = space.end()
    if end < len(text):
        spaces = [space.start() for space in _SPACE.finditer(text, last, end)]
        end = spaces[-1] if spaces else end
    return begin, end


def _with_marks(text: str, begin: int, end: int, spans: list[tuple[int, int]]) -> str:
    """The passage between two places, what lies in any of the spans in MARKS."""
    inside = {place for first, last in spans for place in range(max(first, begin), min(last, end))}
    pieces = []
    for is_inside, places in itertools.groupby(range(begin, end), key=inside.__contains__):
        piece = "".join(text[place] for place in places)
        pieces.append(f"{MARKS[0]}{piece}{MARKS[1]}" if is_inside else piece)
    return "".join(pieces)
