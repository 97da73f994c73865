"""What changed between two versions of a text, line by line, with the words that changed within a line.

The cost is bounded whatever the texts are. Lines that stand once in both texts are the fixed points between which
difflib compares (as `git diff --patience` does); a stretch between two of them in which more than COMPARED_PAIRS pairs
of lines would have to be looked at counts as replaced. Words are compared in texts of at most MAX_WORD_LINES lines and
MAX_WORD_CHARS characters together, within WORD_PAIRS pairs of words. Texts that difflib likes least, at these bounds,
take under 200 ms (measured by tests of random texts of few words, see test_version_diff).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from memories.core.patterns import lazy

CONTEXT_LINES = 3
FOLDED_LINES = 3
"""Unchanged lines fewer than these between two changes are shown rather than folded."""

COMPARED_PAIRS = 10_000
LINE_PAIRS = 60_000
"""The same, for all stretches of a comparison together."""

MAX_WORD_LINES = 2_000
MAX_WORD_CHARS = 200_000
WORD_PAIRS = 60_000
LINE_WORD_PAIRS = 10_000
"""Pairs of words that one pair of lines may take."""

MAX_LINES = 20_000
"""Lines of each text that are compared at all."""

ALIKE = 0.4
"""Share of two lines' characters that must be the same for their words to be compared: less is another line."""

SHOWN_ROWS = 400
SHOWN_CHARS = 20_000
"""What a page shows of a comparison: rows, and characters of both texts."""

_WORDS = lazy(r"\w+|\s+|[^\w\s]")

Block = tuple[int, int, int]
"""So many lines from one place of the old text on are those from a place of the new text on."""


@dataclass(frozen=True)
class Piece:
    """A part of a line; changed: the other version's line does not have it."""

    text: str
    changed: bool = False


@dataclass(frozen=True)
class Row:
    """A line on both sides. kind: `same`, `changed` (a line for another), `removed`, `added`, `folded` (count unchanged
    lines that are left out). Numbers count from 1; None where that side has no line."""

    kind: str
    old_number: int | None = None
    new_number: int | None = None
    old: tuple[Piece, ...] = ()
    new: tuple[Piece, ...] = ()
    count: int = 0

    @property
    def partly(self) -> bool:
        """Whether the lines have words in common, so that it is the others that are to be marked."""
        return self.kind == "changed" and not all(piece.changed for piece in (*self.old, *self.new))


@dataclass(frozen=True)
class InlineLine:
    """A line of the inline view. kind: `same`, `removed`, `added`, `folded`; the rest as in Row."""

    kind: str
    number: int | None
    pieces: tuple[Piece, ...]
    count: int = 0
    partly: bool = False


@dataclass(frozen=True)
class Comparison:
    """rows: as far as a page shows them. added and removed: lines. cut: whether there are more rows. by_words: whether
    the texts were short enough for their words to be compared."""

    rows: list[Row]
    added: int
    removed: int
    cut: bool
    by_words: bool

    @property
    def inline(self) -> list[InlineLine]:
        """The rows one below the other: what was replaced, then what by."""
        found: list[InlineLine] = []
        added: list[InlineLine] = []
        for row in self.rows:
            if row.kind in {"same", "folded"}:
                found += [*added, InlineLine(row.kind, row.new_number, row.new, row.count)]
                added = []
            if row.kind in {"changed", "removed"}:
                found.append(InlineLine("removed", row.old_number, row.old, partly=row.partly))
            if row.kind in {"changed", "added"}:
                added.append(InlineLine("added", row.new_number, row.new, partly=row.partly))
        return found + added


def compare(old: str, new: str) -> Comparison:
    """The comparison of an older text with a newer one."""
    every_old, every_new = old.splitlines(), new.splitlines()
    before, after = every_old[:MAX_LINES], every_new[:MAX_LINES]
    by_words = len(before) + len(after) <= MAX_WORD_LINES and len(old) + len(new) <= MAX_WORD_CHARS
    blocks = _merged(_blocks(before, after))
    same = sum(count for _, _, count in blocks)
    rows: list[Row] = []
    chars = 0
    cut = len(before) < len(every_old) or len(after) < len(every_new)
    for row in _rows(before, after, blocks, _Words(WORD_PAIRS if by_words else 0)):
        chars += sum(len(piece.text) for piece in (*row.old, *row.new))
        if len(rows) == SHOWN_ROWS or (rows and chars > SHOWN_CHARS):
            cut = True
            break
        rows.append(row)
    return Comparison(rows, len(after) - same, len(before) - same, cut, by_words)


def _rows(before: list[str], after: list[str], blocks: list[Block], words: _Words) -> Iterator[Row]:
    at_old = at_new = 0
    last = (len(before), len(after), 0)
    for old, new, count in [*blocks, last]:
        yield from _replaced(before, after, (at_old, old), (at_new, new), words)
        head = CONTEXT_LINES if at_old or at_new or old or new else 0
        tail = CONTEXT_LINES if old + count < len(before) or new + count < len(after) else 0
        yield from _unchanged(before, old, new, count, head, tail)
        at_old, at_new = old + count, new + count


def _unchanged(before: list[str], old: int, new: int, count: int, head: int, tail: int) -> Iterator[Row]:
    """Unchanged lines: head of them, how many are folded, tail of them; all where few would be folded."""
    if count - head - tail < FOLDED_LINES:
        head, tail = count, 0
    for index in [*range(head), *range(count - tail, count)]:
        if index == count - tail and count > head + tail:
            yield Row("folded", count=count - head - tail)
        pieces = (Piece(before[old + index]),)
        yield Row("same", old + index + 1, new + index + 1, pieces, pieces)
    if count > head + tail and not tail:
        yield Row("folded", count=count - head - tail)


def _replaced(
    before: list[str], after: list[str], old: tuple[int, int], new: tuple[int, int], words: _Words
) -> Iterator[Row]:
    """The lines between two unchanged stretches: side by side in their order, what is left over alone."""
    pairs = min(old[1] - old[0], new[1] - new[0])
    for index in range(pairs):
        one, other = words.compare(before[old[0] + index], after[new[0] + index])
        yield Row("changed", old[0] + index + 1, new[0] + index + 1, one, other)
    for index in range(old[0] + pairs, old[1]):
        yield Row("removed", old_number=index + 1, old=(Piece(before[index], changed=True),))
    for index in range(new[0] + pairs, new[1]):
        yield Row("added", new_number=index + 1, new=(Piece(after[index], changed=True),))


def _blocks(before: list[str], after: list[str]) -> Iterator[Block]:
    """The stretches that both texts have, in order."""
    left = LINE_PAIRS
    at_old = at_new = 0
    for old, new in [*_fixed_points(before, after), (len(before), len(after))]:
        start, end = _common_ends(before, after, (at_old, old), (at_new, new))
        yield at_old, at_new, start
        gap_old, gap_new = before[at_old + start : old - end], after[at_new + start : new - end]
        pairs = len(gap_old) * len(gap_new)
        if pairs <= min(COMPARED_PAIRS, left):
            left -= pairs
            for one, other, count in SequenceMatcher(None, gap_old, gap_new, autojunk=False).get_matching_blocks():
                yield at_old + start + one, at_new + start + other, count
        yield old - end, new - end, end
        if old < len(before):
            yield old, new, 1
        at_old, at_new = old + 1, new + 1


def _merged(blocks: Iterator[Block]) -> list[Block]:
    """The stretches without empty ones, those that touch made one."""
    found: list[Block] = []
    for old, new, count in blocks:
        if found and found[-1][0] + found[-1][2] == old and found[-1][1] + found[-1][2] == new:
            found[-1] = (found[-1][0], found[-1][1], found[-1][2] + count)
        elif count:
            found.append((old, new, count))
    return found


def _common_ends(before: list[str], after: list[str], old: tuple[int, int], new: tuple[int, int]) -> tuple[int, int]:
    """How many lines two stretches share at their beginning, and at their end after that."""
    longest = min(old[1] - old[0], new[1] - new[0])
    start = end = 0
    while start < longest and before[old[0] + start] == after[new[0] + start]:
        start += 1
    while end < longest - start and before[old[1] - 1 - end] == after[new[1] - 1 - end]:
        end += 1
    return start, end


def _fixed_points(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """Places of the lines that each text has once, the most of them whose order both texts share."""
    count_old, count_new = Counter(before), Counter(after)
    place = {line: index for index, line in enumerate(after)}
    pairs = [(index, place[line]) for index, line in enumerate(before) if count_old[line] == 1 and count_new[line] == 1]
    ends: list[int] = []  # the lowest place in which an increasing run of each length can end
    last: list[int] = []  # the pair in which it does
    previous: list[int | None] = []
    for number, (_, new) in enumerate(pairs):
        length = bisect_left(ends, new)
        previous.append(last[length - 1] if length else None)
        ends[length : length + 1] = [new]
        last[length : length + 1] = [number]
    found: list[tuple[int, int]] = []
    at = last[-1] if last else None
    while at is not None:
        found.append(pairs[at])
        at = previous[at]
    return found[::-1]


class _Words:
    """Compares the words of two lines while there are pairs of words left."""

    def __init__(self, pairs: int) -> None:
        self._left = pairs

    def compare(self, old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """Both lines in pieces; one changed piece each where they are too different, or there are too many words."""
        whole = (Piece(old, changed=True),), (Piece(new, changed=True),)
        one, other = _WORDS.findall(old), _WORDS.findall(new)
        pairs = len(one) * len(other)
        if not pairs or pairs > min(LINE_WORD_PAIRS, self._left):
            return whole
        self._left -= pairs
        blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
        same = sum(len("".join(one[start : start + count]).strip()) for start, _, count in blocks)
        if same < ALIKE * max(len(old.strip()), len(new.strip())):
            return whole
        return _pieces(one, [(start, count) for start, _, count in blocks]), _pieces(
            other, [(start, count) for _, start, count in blocks]
        )


def _pieces(words: list[str], same: list[tuple[int, int]]) -> tuple[Piece, ...]:
    found = []
    at = 0
    for start, count in same:
        found += [Piece("".join(words[at:start]), changed=True), Piece("".join(words[start : start + count]))]
        at = start + count
    return tuple(piece for piece in found if piece.text)
