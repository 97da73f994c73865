"""Where the unread part of a transcript begins, and what it takes to read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import mirror, transcript_page, unread
from memories.core.paths import DataFolder
from tests.core.conversations import new_folder, put, talk, update
from tests.core.transcript_lines import SESSION, Script


def _tokens(folder: DataFolder, size: int, read_bytes: int = 0) -> int:
    with closing(mirror.connect(folder.mirror)) as connection:
        return unread.tokens(connection, SESSION, size, read_bytes)


def _pages(folder: DataFolder) -> int:
    """What transcript_read takes for the whole session, in its own tokens."""
    length, cursor = 0, None
    while True:
        page = transcript_page.read_page(folder, SESSION, cursor=cursor)
        length += len("\n\n".join(item.shown() for item in page.items).encode())
        cursor = page.next_cursor
        if cursor is None:
            return length // transcript_page.BYTES_PER_TOKEN


@given(st.lists(st.text("ab\r", max_size=4).map(lambda line: f"{line}\n".encode()), min_size=1, max_size=9))
def test_the_cursor_is_the_beginning_of_the_line_at_any_offset(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "s.jsonl"
    path.write_bytes(b"".join(lines))
    offset = 0
    for number, line in enumerate(lines, 1):
        for within in range(len(line)):
            assert unread.cursor(str(path), offset + within) == f"{number}:{offset}"
        offset += len(line)
    assert unread.cursor(str(path), offset) is None
    assert unread.cursor(str(path), offset + 1) is None


def test_lines_are_counted_through_several_pieces_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    line = b"x" * 99_999 + b"\n"
    path.write_bytes(line * 25)
    assert unread.cursor(str(path), 24 * 100_000) == "25:2400000"
    assert unread.cursor(str(path), 24 * 100_000 + 7) == "25:2400000"


def test_a_file_that_is_gone_has_no_cursor(tmp_path: Path) -> None:
    assert unread.cursor(str(tmp_path / "none.jsonl"), 0) is None


def test_a_chat_is_estimated_from_what_was_said(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    data = talk(*("What about the invoices of last month? " * 9, "They are all paid. " * 40) * 8).dump()
    put(folder, data)
    update(folder)
    assert _tokens(folder, len(data)) == pytest.approx(_pages(folder), rel=0.1)


def test_tools_and_their_output_are_estimated_as_the_lines_they_are_folded_to(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    script = Script("/proj")
    for number in range(20):
        script.user(f"Please look at part {number} of the uploader")
        for name in ("retry", "queue", "hash"):
            script.call("Read", {"file_path": f"/proj/src/{name}{number}.py"}, result=f"def {name}():\n" * 300)
        script.answer(f"Part {number} waits for the queue before it asks again.")
    data = script.dump()
    put(folder, data)
    update(folder)
    assert _tokens(folder, len(data)) == pytest.approx(_pages(folder), rel=0.3)


def test_what_was_read_takes_nothing_any_more(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    data = talk("One", "Two").dump()
    put(folder, data)
    update(folder)
    assert _tokens(folder, len(data), len(data)) == 0


def test_a_session_that_is_not_indexed_is_estimated_from_its_size(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    assert _tokens(folder, 400_000) == 10_000
    assert _tokens(folder, 400_000, 200_000) == 5_000
