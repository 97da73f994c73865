"""What is left to read of an archived session: where it begins, and about how many tokens it takes."""

from __future__ import annotations

import os

from memories.core import budget, files, line_places, turn_ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

_ROW_BYTES = 10
"""What the head of something said takes on a page."""

_LINE_BYTES = 50
"""What each other line between the first turn and the last takes: tool calls and their output, folded to a line each.
Both were fitted to the pages of 31 sessions with 1.5 to 120 KB to show, chats and sessions of mostly tool calls. Half
of the estimates were off by less than 2 %, all by less than 30 %: outputs' first lines differ in length."""

_FILE_BYTES_PER_TOKEN = 40
"""For a session that is not indexed yet. 13 in chats, 80 where tools did most, more in short sessions (Claude Code
2.1.330 writes some 165 KB of its own into each): within a factor of 3, mostly."""


def tokens(connection: sqlite3.Connection, session_id: str, size: int, read_bytes: int) -> int:
    """About how many tokens (as transcript_read's max_tokens counts them) a session takes to read from a byte offset
    of its transcript on, which has so many bytes. Raises sqlite3.Error."""
    row = connection.execute(
        "SELECT id, read_bytes FROM session WHERE session_id = ? AND part = '' AND turns > 0", (session_id,)
    ).fetchone()
    if row is None or row[1] < read_bytes:  # what is left has not been indexed
        return max(size - read_bytes, 0) // _FILE_BYTES_PER_TOKEN
    turns, length, lines = connection.execute(
        "SELECT count(*), total(length(CAST(text AS BLOB))), coalesce(max(line) - min(line) + 1, 0) FROM turn "
        "WHERE id BETWEEN ? AND ? AND offset >= ?",
        (*turn_ids.session_range(row[0]), read_bytes),
    ).fetchone()
    taken = length + _ROW_BYTES * turns + _LINE_BYTES * max(lines - turns, 0)
    return int(taken) // budget.BYTES_PER_TOKEN


def cursor(path: str, offset: int) -> str | None:
    """transcript_read's cursor to the line at a byte offset of a transcript, the line's beginning where the offset lies
    within one; None where nothing follows, or the file cannot be read. Reads the file up to there."""
    line, begin, position = 1, 0, 0
    try:
        with files.open_plain(path) as file:
            while position < offset and (chunk := file.read(min(line_places.CHUNK_BYTES, offset - position))):
                line += chunk.count(b"\n")
                end = chunk.rfind(b"\n") + 1
                begin = position + end if end else begin
                position += len(chunk)
            more = os.fstat(file.fileno()).st_size > begin
    except OSError:
        return None
    return f"{line}:{begin}" if more and position >= offset else None
