"""What a session was in the middle of, read from the end of its transcript: for the briefing after a compaction.

A compaction ends nothing: what was asked and decided before one counts on.
"""

from __future__ import annotations

import os

from memories.core import conversation
from memories.core.errors import TranscriptError
from memories.core.session_facts import FIXED, SessionFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.redact import Redactor

TAIL_BYTES = 4_000_000
"""How far back from the transcript's end is read: some hundred exchanges, and bounded whatever the file's size."""

MAX_FILES = 12
MAX_FAILED = 8
"""More commands than these were not failing last of all."""


class Recovery:
    """last_request and last_answer: the newest of each, verbatim, "" when there is none. replied_to: what Claude had
    said before that request. files: paths edited, but for edits that failed or were refused, newest
    last. open_items: what the newest to-do or task list has not completed. decisions: what was decided in the session,
    as in its log's `Decided` without the places, oldest first. failed: commands and calls that failed when they were
    last tried, newest last. ended_at: time of the newest line or None."""

    __slots__ = ("decisions", "ended_at", "failed", "files", "last_answer", "last_request", "open_items", "replied_to")

    def __init__(self) -> None:
        self.last_request = ""
        self.last_answer = ""
        self.replied_to = ""
        self.files: list[str] = []
        self.open_items: list[str] = []
        self.decisions: list[str] = []
        self.failed: list[str] = []
        self.ended_at: str | None = None


def gather(path: str, redactor: Redactor | None = None) -> Recovery:
    """Read the end of a transcript; an unreadable or missing one gives an empty result. redactor: as in
    conversation.iter_lines."""
    found = Recovery()
    facts = SessionFacts()
    edits: dict[str, str] = {}
    start, entries = _tail(path, redactor)
    for number, entry in entries:
        turn = conversation.turn_of(number, entry)
        facts.add(number, entry, turn)
        for call_id, failed in conversation.tool_results(entry) if entry.get("type") == "user" else ():
            if failed:
                edits.pop(call_id, None)
        if turn is None or turn.is_compact_summary:
            continue
        found.ended_at = turn.timestamp or found.ended_at
        if turn.role == "user":
            found.replied_to = found.last_answer or found.replied_to
            found.last_request, found.last_answer = turn.text, ""
        else:
            found.last_answer = turn.text or found.last_answer
        for name, arguments, call_id in conversation.tool_calls(entry):
            _note_edit(edits, call_id, conversation.edited_path(name, arguments))
    found.last_request = conversation.without_paste_marks(found.last_request or _request_before(path, start, redactor))
    found.files = list(dict.fromkeys(list(edits.values())[::-1]))[MAX_FILES - 1 :: -1]
    found.open_items = facts.open_items
    found.decisions = [fact.text for fact in facts.decisions]
    found.failed = [f"{one.what}: {one.error}" for one in facts.failures if one.ended != FIXED][-MAX_FAILED:]
    return found


def _note_edit(edits: dict[str, str], call_id: str, path: str) -> None:
    if path and conversation.PLAN_FILES not in path:
        edits[call_id] = path


def _tail(path: str, redactor: Redactor | None) -> tuple[int, list[tuple[int, dict[str, Any]]]]:
    """(offset of its first line, the conversation's lines in the tail by their time)."""
    try:
        start = _line_start(path, os.path.getsize(path) - TAIL_BYTES)
        return start, conversation.in_time_order(conversation.iter_entries(path, start, redactor=redactor))
    except (OSError, ValueError, TranscriptError):
        return 0, []  # not there, not ours, not a path


def _line_start(path: str, offset: int) -> int:
    """Where the first line begins that begins at the offset or behind it."""
    if offset <= 0:
        return 0
    starts = (start for _, start, _ in conversation.raw_lines(path, offset - 1))
    next(starts, None)  # the rest of the line that the offset lies in, or the line end just before it
    return next(starts, os.path.getsize(path))


def _request_before(path: str, end: int, redactor: Redactor | None) -> str:
    """The user's last request before an offset, looked for backwards, a tail's length at a time."""
    while end > 0:
        try:
            start = _line_start(path, end - TAIL_BYTES)
            start = start if start < end else 0  # one line is longer than that
            entries = conversation.in_time_order(conversation.iter_entries(path, start, end, redactor=redactor))
        except (OSError, TranscriptError):
            return ""
        turns = filter(None, (conversation.turn_of(number, entry) for number, entry in entries))
        asked = [turn.text for turn in turns if turn.role == "user" and not turn.is_compact_summary]
        if asked:
            return asked[-1]
        end = start
    return ""
