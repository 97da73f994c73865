"""Where lines begin in a file: counted from its start, or from a line whose place is known."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1024 * 1024
"""Lines are counted in pieces of this size."""

_BACKWARD_BYTES = 64 * 1024

Place = tuple[int, int]
"""Where a line is: (1-based number, byte offset of its first byte)."""

START: Place = (1, 0)


def offset_of(fd: int, line: int, known: Place = START) -> Place:
    """(line, byte offset of its first byte) of a line, 1 or more; where the file has fewer, (how many it has, -1).

    known: the place of that line or of one before it. Raises OSError.
    """
    number, offset = known
    last = b"\n"
    while chunk := os.pread(fd, CHUNK_BYTES, offset):
        missing = line - number
        count = chunk.count(b"\n")
        if count >= missing:
            within = 0
            for _ in range(missing):
                within = chunk.index(b"\n", within) + 1
            if within < len(chunk) or os.pread(fd, 1, offset + within):
                return line, offset + within
        offset += len(chunk)
        number += count
        last = chunk[-1:]
    return number - (last == b"\n"), -1


def line_of(fd: int, at: int, known: Place = START) -> Place:
    """The place of the line that holds the byte at an offset. known: the place of that line or of one before it.

    Raises OSError.
    """
    number, start = known
    position = start
    while position < at and (chunk := os.pread(fd, min(CHUNK_BYTES, at - position), position)):
        ends = chunk.count(b"\n")
        if ends:
            number, start = number + ends, position + chunk.rfind(b"\n") + 1
        position += len(chunk)
    return number, start


def lines_before(fd: int, end: int, most: int) -> Iterator[tuple[int, bytes]]:
    """(byte offset, bytes) of each line before the byte offset `end`, where a line begins or the file ends; backwards.

    Of a line with more than `most` bytes, b"". Reads no more of the file than what is taken, and a piece.
    Raises OSError.
    """
    position, held, stop, too_long = end, b"", 0, False  # held: from position on; stop: where the line there ends
    while position > 0 or stop > 0:
        cut = held.rfind(b"\n", 0, stop - 1) if stop else -1
        if cut < 0 and position > 0:
            if stop > most:
                held, stop, too_long = b"\n", 1, True
            size = min(position, max(_BACKWARD_BYTES, stop))
            position -= size
            held = os.pread(fd, size, position) + held[:stop]
            stop = len(held)
            continue
        yield position + cut + 1, b"" if too_long else held[cut + 1 : stop]
        stop, too_long = cut + 1, False
