"""Finding words in a whole transcript: literally, whatever the case, in all that a reader is shown of it.

The bytes of the file are scanned for the words as JSON writes them; only lines that hold them there are parsed, and a
hit is what then stands in a block's text.
"""

from __future__ import annotations

import json
import os
import re
from itertools import product

from memories.core import conversation, line_places, transcript_blocks, transcript_items, transcript_reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.line_places import Place
    from memories.core.transcript_blocks import Block, Line

MAX_HITS = 50
"""Lines with a hit that one search gives."""

PARSED_BYTES = 8 * 1024 * 1024
PARSED_LINES = 1500
"""What one search parses of the file before it ends: `uuid` stands in each line and is shown of none."""

_READ_BYTES = 64 * 1024

MAX_CHARS = 200
AROUND_CHARS = 90
"""Of the text before and after a hit."""

_VARIED = 3
"""Letters other than ASCII that are looked for in both cases: 8 forms."""


class Hit:
    """A line in which the words stand. place: its number and byte offset. block: the first that holds them.
    before, words, after: the passage. count: how often they stand in the line."""

    __slots__ = ("after", "before", "block", "count", "place", "words")

    def __init__(self, line: Line, block: Block, text: str, at: tuple[int, int], count: int) -> None:
        self.place = (line.number, line.offset)
        self.block = block
        self.count = count
        begin, end = at
        before, after = text[max(0, begin - AROUND_CHARS) : begin], text[end : end + AROUND_CHARS]
        self.before = ("…" if begin > AROUND_CHARS else "") + _on_one_line(before)
        self.words = _on_one_line(text[begin:end])
        self.after = _on_one_line(after) + ("…" if len(text) > end + AROUND_CHARS else "")


class Found:
    """hits: in the file's order, MAX_HITS at most. after: the place at which to go on; None when the whole file was
    searched."""

    __slots__ = ("after", "hits")

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.after: Place | None = None


def find(found: ArchivedTranscript, words: str, begin: Place = line_places.START) -> Found:
    """The lines from a place on that hold the words (1 to MAX_CHARS characters). Raises TranscriptError."""
    transcript_reading.check_place(found, begin)
    answer, parsed, lines = Found(), 0, 0
    with transcript_reading.opened(found) as fd:
        for place in _lines_with(fd, _forms(words), begin):
            if len(answer.hits) >= MAX_HITS or parsed >= PARSED_BYTES or lines >= PARSED_LINES:
                answer.after = place
                break
            raw = _line_at(fd, place[1])
            parsed, lines = parsed + len(raw), lines + 1
            line = transcript_blocks.read_line(place[0], place[1], raw, found.redactor)
            hit = _hit(line, words) if line else None
            if hit is not None:
                answer.hits.append(hit)
    return answer


def _line_at(fd: int, offset: int) -> bytes:
    """The line that begins there, as far as a line is read at all."""
    raw, size = b"", _READ_BYTES
    while b"\n" not in raw[-size:] and len(raw) < conversation.MAX_LINE_BYTES:
        chunk = os.pread(fd, size, offset + len(raw))
        if not chunk:
            return raw
        raw, size = raw + chunk, max(size, len(raw))
    return raw[: raw.find(b"\n") + 1]


def _hit(line: Line, words: str) -> Hit | None:
    pattern = re.compile(re.escape(words), re.IGNORECASE)
    first, count = None, 0
    for block in line.blocks:
        for text in block.texts():
            for match in pattern.finditer(text):
                first = first or (block, text, match.span())
                count += 1
    return Hit(line, *first, count) if first else None


def _on_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", transcript_items.clean(f"|{text}|")[1:-1])


def _forms(words: str) -> list[bytes]:
    """What to look for in a file's lower-cased bytes: a piece of the words in every way that JSON may write it."""
    piece = _piece(words)
    ways = [{one.lower(), one.upper()} if len(one.lower()) == len(one.upper()) == 1 else {one} for one in piece]
    forms: dict[bytes, None] = {}
    for letters in product(*[sorted(way) if not _is_ascii(way) else [min(way).lower()] for way in ways]):
        text = "".join(letters)
        for ascii_only in (False, True):
            escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            forms[escaped.encode("utf-8", "replace").lower()] = None
    return list(forms)


def _is_ascii(way: set[str]) -> bool:
    """Whether a letter's cases are ASCII: bytes.lower folds them."""
    return all(one.isascii() for one in way)


def _piece(words: str) -> str:
    """The longest part of the words with _VARIED letters at most that have two cases beyond ASCII."""
    best, start = "", 0
    varied: list[int] = []
    for end, one in enumerate(words):
        if not one.isascii() and one.lower() != one.upper():
            varied.append(end)
            if len(varied) > _VARIED:
                start = varied[-_VARIED - 1] + 1
        if end + 1 - start > len(best):
            best = words[start : end + 1]
    return best


def _lines_with(fd: int, forms: list[bytes], begin: Place) -> Iterator[Place]:
    """The place of each line from a place on in which one of the forms stands, each once. Lines are counted up to the
    last of them only."""
    place = begin
    position, given = begin[1], -1
    overlap, tail = max(map(len, forms)) - 1, b""
    while chunk := os.pread(fd, line_places.CHUNK_BYTES, position):
        data = (tail + chunk).lower()
        base = position - len(tail)
        for at in sorted(_positions(data, forms)):
            place = line_places.line_of(fd, base + at, place)
            if place[1] != given:
                given = place[1]
                yield place
        position += len(chunk)
        tail = chunk[-overlap:] if overlap else b""


def _positions(data: bytes, forms: list[bytes]) -> Iterator[int]:
    """Where one of the forms begins; once for each line, about."""
    for form in forms:
        at = data.find(form)
        while at >= 0:
            yield at
            end = data.find(b"\n", at)
            at = data.find(form, end) if end >= 0 else -1
