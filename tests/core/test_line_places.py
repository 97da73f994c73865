"""Lines and their byte offsets, counted from the start or from a known place, forwards and backwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import line_places

LINES = st.lists(st.sampled_from([b"", b"a", b"bcd", b"\xff", b"e" * 12]), max_size=6)


def offsets(data: bytes) -> list[int]:
    """Where each line begins."""
    found = [0] if data else []
    return found + [at + 1 for at, byte in enumerate(data) if byte == 10 and at + 1 < len(data)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines") / "file"


@pytest.fixture(scope="module", autouse=True)
def _small_pieces() -> Iterator[None]:
    """Pieces so small that every edge of one is met."""
    before = line_places.CHUNK_BYTES, line_places._BACKWARD_BYTES
    line_places.CHUNK_BYTES, line_places._BACKWARD_BYTES = 7, 5
    yield
    line_places.CHUNK_BYTES, line_places._BACKWARD_BYTES = before


@given(LINES, st.booleans())
def test_each_line_is_where_it_begins_from_every_place_before_it(path: Path, lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + b"\n" * ended
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    starts = offsets(data)
    for number, start in enumerate(starts, 1):
        for known in [(before, starts[before - 1]) for before in range(1, number + 1)]:
            assert line_places.offset_of(fd, number, known) == (number, start)
            end = starts[number] if number < len(starts) else len(data)
            assert all(line_places.line_of(fd, at, known) == (number, start) for at in {start, end - 1})
    assert line_places.offset_of(fd, len(starts) + 1) == (len(starts), -1)
    os.close(fd)


@given(LINES, st.booleans())
def test_backwards_the_same_lines_come_as_forwards(path: Path, lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + b"\n" * ended
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    found = list(line_places.lines_before(fd, len(data), 1000))
    os.close(fd)
    assert [offset for offset, _ in found][::-1] == offsets(data)
    assert b"".join(raw for _, raw in found[::-1]) == data
