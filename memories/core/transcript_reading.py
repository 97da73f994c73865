"""Pages of a whole transcript for a reader: bounded in what they hold and in what they read, in both directions.

A page is a run of whole lines. It costs the bytes that it spans, wherever in the file it lies: by place nothing is
counted, to a line number newlines are, from the nearest line whose place is known.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from memories.core import conversation, line_places, transcript_blocks
from memories.core.errors import TranscriptError
from memories.core.transcript_blocks import Block, Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.line_places import Place

PAGE_BYTES = 16_000
"""What a page holds before it ends, as `cost` counts it; one more line may go beyond it."""

READ_BYTES = 4 * 1024 * 1024
"""What a page reads of the file before it ends, however little of it is to be shown; one more line may go beyond."""

MAX_LINES = 80
"""Lines shown on a page."""

SAID_BYTES = 8_000
FOLDED_BYTES = 2_000
"""How much of somebody's words, and of what stands folded, a page shows; a link leads to the rest."""

LINE_BYTES = 12_000
"""How much of all blocks of one line."""

BLOCK_BYTES = 400
"""What a block costs besides its text."""

LOOK_BYTES = 512 * 1024
"""How far behind a page the outputs of its calls are looked for, and before it the calls of its outputs."""

_SLACK_BYTES = 8_000
"""By how much a page may grow so that outputs stand with their calls."""

_FOLDED = frozenset({"tool", "output", "thinking", "told", "client", "summary"})


class Page:
    """A run of lines.

    lines: those with something to show, outputs with their calls where both are in it. first, last: numbers of the
    first and last line read, last < first when there are none. before, after: the places at which the pages beside it
    end and begin; None at the transcript's ends. unshown: how many lines are the client's bookkeeping.
    """

    __slots__ = ("after", "before", "first", "last", "lines", "unshown")

    def __init__(self, begin: Place) -> None:
        self.lines: list[Line] = []
        self.before: Place | None = begin if begin[1] else None
        self.after: Place | None = None
        self.first = begin[0]
        self.last = begin[0] - 1
        self.unshown = 0


@contextmanager
def opened(found: ArchivedTranscript) -> Iterator[int]:
    """A descriptor of the transcript within the block. Raises TranscriptError, also for what fails within."""
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)
    except OSError as error:
        raise TranscriptError(
            f"Cannot read {found.path}: {error.strerror}. It may have been moved meanwhile: reload, or check its "
            "permissions."
        ) from error


def place_of(found: ArchivedTranscript, line: int, known: Place = line_places.START) -> Place:
    """The place of a line. known: the place of that line or of one before it. Raises TranscriptError beyond the end."""
    with opened(found) as fd:
        last, offset = line_places.offset_of(fd, line, known) if line > 0 else (0, -1)
    if offset < 0:
        raise TranscriptError(f"There is no line {line:,} in {found.name}: its last line is {last:,}.")
    return line, offset


def end_of(found: ArchivedTranscript, known: Place = line_places.START) -> Place:
    """The place behind the last line; known as in place_of. Raises TranscriptError."""
    with opened(found) as fd:
        size = os.fstat(fd).st_size
        last, _ = line_places.offset_of(fd, 1 << 62, known)
    return last + 1, size


def check_place(found: ArchivedTranscript, place: Place) -> None:
    """Raises TranscriptError unless a line can begin (or the file end) there."""
    number, offset = place
    fits = (number == 1) == (offset == 0) and 1 <= number <= offset + 1
    if fits and offset:
        with opened(found) as fd:
            fits = os.pread(fd, 1, offset - 1) == b"\n" or offset == os.fstat(fd).st_size
    if not fits:
        raise TranscriptError(
            f"{found.name} has no line {number:,} at byte {offset:,}: it was replaced since. Open it from its start."
        )


def page_from(found: ArchivedTranscript, begin: Place, *, until: int = 0) -> Page:
    """The page that begins at a place; until: a line that it reaches in any case. Raises TranscriptError."""
    check_place(found, begin)
    page = Page(begin)
    spent = slack = 0
    number, expected = begin
    calls: set[str] = set()
    for at, offset, raw in conversation.raw_lines(found.path, begin[1]):
        if offset != expected:  # raw_lines passes over lines that are too long
            spent += _take(page, Line(number, expected, [transcript_blocks.too_long()], {}))
        number = begin[0] + at - 1
        line = transcript_blocks.read_line(number, offset, raw, found.redactor)
        full = spent >= PAGE_BYTES or offset - begin[1] >= READ_BYTES or len(page.lines) >= MAX_LINES
        if full and number > until:
            slack += cost(line) if line else 0
            if slack > _SLACK_BYTES or not _answers(line, calls):
                page.after = (number, offset)
                break
        page.last = number
        page.unshown += line is None
        if line is not None:
            spent += _take(page, line)
            calls |= {block.call_id for block in line.blocks if block.kind == "tool" and block.call_id}
        number, expected = number + 1, offset + len(raw)
    else:
        if found.size - expected > conversation.MAX_LINE_BYTES:
            _take(page, Line(number, expected, [transcript_blocks.too_long()], {}))
    _pair(found, page)
    return page


def _take(page: Page, line: Line) -> int:
    page.lines.append(line)
    return cost(line)


def _answers(line: Line | None, calls: set[str]) -> bool:
    """Whether a line holds nothing but outputs of calls that are on the page."""
    return line is not None and all(block.kind == "output" and block.call_id in calls for block in line.blocks)


def page_before(found: ArchivedTranscript, end: Place, room: int = PAGE_BYTES) -> Page:
    """The page that ends before a place, with so many bytes to show. Raises TranscriptError."""
    check_place(found, end)
    taken: list[Line] = []
    number, begin = end
    spent = unshown = 0
    with opened(found) as fd:
        is_more = end[1] < os.fstat(fd).st_size
        for offset, raw in line_places.lines_before(fd, end[1], conversation.MAX_LINE_BYTES):
            too_long = Line(number - 1, offset, [transcript_blocks.too_long()], {})
            line = transcript_blocks.read_line(number - 1, offset, raw, found.redactor) if raw else too_long
            spent += cost(line) if line else 0
            if taken and spent > room and not (spent < room + _SLACK_BYTES and _is_answered(taken[-1], line)):
                break
            number, begin = number - 1, offset
            unshown += line is None
            taken += [line] if line else []
            if end[1] - begin >= READ_BYTES or len(taken) >= MAX_LINES:
                break
    page = Page((number, begin))
    page.lines, page.unshown = taken[::-1], unshown
    page.last, page.after = end[0] - 1, end if is_more else None
    _pair(found, page)
    return page


def _is_answered(first: Line, before: Line | None) -> bool:
    """Whether the first line of a page holds outputs of calls in the line before it."""
    if before is None:
        return False
    calls = {block.call_id for block in before.blocks if block.kind == "tool" and block.call_id}
    return any(block.kind == "output" and block.call_id in calls for block in first.blocks)


def page_around(found: ArchivedTranscript, place: Place) -> Page:
    """The page with the line at a place in it, and a little of what comes before it. Raises TranscriptError."""
    check_place(found, place)
    lead = page_before(found, place, PAGE_BYTES // 4)
    begin = lead.before or line_places.START
    return page_from(found, begin if place[1] - begin[1] < READ_BYTES else place, until=place[0])


def read_line_at(found: ArchivedTranscript, place: Place) -> Line | None:
    """The line at a place, whole; None for bookkeeping. Raises TranscriptError."""
    check_place(found, place)
    for at, offset, raw in conversation.raw_lines(found.path, place[1]):
        if at == 1:
            return transcript_blocks.read_line(place[0], offset, raw, found.redactor)
        break
    return None


def cost(line: Line) -> int:
    """What a line takes of a page, in bytes of escaped text, as far as it is shown."""
    return sum(BLOCK_BYTES + min(limit, _most(block)) for block, limit in zip(line.blocks, limits(line), strict=True))


def limits(line: Line) -> list[int]:
    """How many bytes of each block of a line are shown."""
    room, found = LINE_BYTES, []
    for block in line.blocks:
        limit = min(FOLDED_BYTES if block.kind in _FOLDED else SAID_BYTES, max(room, BLOCK_BYTES))
        room -= min(limit, _most(block))
        found.append(limit)
    return found


def _most(block: Block) -> int:
    """At most how many bytes a block's text takes; of a text of megabytes not more than a piece is looked at."""
    return sum(escaped_size(text[: SAID_BYTES + 1]) for text in block.texts())


def escaped_size(text: str) -> int:
    """The bytes of a text on a page: UTF-8, with the five characters that HTML escapes as their entities."""
    escapes = 4 * text.count("&") + 3 * (text.count("<") + text.count(">")) + 5 * (text.count('"') + text.count("'"))
    return len(text.encode("utf-8", "replace")) + escapes


def cut(text: str, room: int) -> str:
    """As much of a text as takes so many bytes on a page, at least one character, cut after a line or word."""
    if len(text) <= room and escaped_size(text) <= room:
        return text
    low, high = 1, max(1, min(len(text), room))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if escaped_size(text[:middle]) <= room else (low, middle - 1)
    for end in ("\n", " "):
        place = text.rfind(end, low // 2, low) + 1
        if place:
            return text[:place]
    return text[:low]


def _pair(found: ArchivedTranscript, page: Page) -> None:
    """Put outputs to their calls; look a little further for those that are not both on the page."""
    calls = {block.call_id: block for line in page.lines for block in line.blocks if _is_call(block)}
    open_outputs: dict[str, Block] = {}
    for line in page.lines:
        kept = []
        for block in line.blocks:
            call = calls.get(block.call_id) if block.kind == "output" else None
            if call is not None and call.answer is None:
                call.answer = block
            else:
                kept.append(block)
                if block.kind == "output" and block.call_id:
                    open_outputs[block.call_id] = block
        line.blocks = kept
    page.lines = [line for line in page.lines if line.blocks]
    open_calls = {call_id: call for call_id, call in calls.items() if call.answer is None}
    if page.after and open_calls:
        _find_answers(found, page.after, open_calls)
    if page.before and open_outputs:
        _find_calls(found, page.before, open_outputs)


def _is_call(block: Block) -> bool:
    return block.kind == "tool" and bool(block.call_id)


def _find_answers(found: ArchivedTranscript, place: Place, calls: dict[str, Block]) -> None:
    with opened(found) as fd:
        data = os.pread(fd, LOOK_BYTES, place[1])
    for block in _blocks_with(found, data[: data.rfind(b"\n") + 1], place, b'tool_result"', list(calls)):
        call = calls.get(block.call_id) if block.kind == "output" else None
        if call is not None and call.answer is None:
            call.answer = block


def _find_calls(found: ArchivedTranscript, place: Place, outputs: dict[str, Block]) -> None:
    begin = max(0, place[1] - LOOK_BYTES)
    with opened(found) as fd:
        data = os.pread(fd, place[1] - begin, begin)
    within = data.find(b"\n") + 1 if begin else 0
    first = (place[0] - data.count(b"\n", within), begin + within)
    for block in _blocks_with(found, data[within:], first, b'tool_use"', list(outputs)):
        output = outputs.get(block.call_id) if _is_call(block) else None
        if output is not None:
            output.call = block


def _blocks_with(
    found: ArchivedTranscript, data: bytes, first: Place, mark: bytes, wanted: list[str]
) -> Iterator[Block]:
    """The blocks of those lines, the first of which has that place, that hold a mark and one of the call ids."""
    ids = [call_id.encode("utf-8", "replace") for call_id in wanted]
    number, offset = first
    for raw in data.split(b"\n"):
        if mark in raw and any(call_id in raw for call_id in ids):
            line = transcript_blocks.read_line(number, offset, raw, found.redactor)
            yield from line.blocks if line else ()
        number, offset = number + 1, offset + len(raw) + 1
