"""What a session was in the middle of, read from the end of its transcript: for the briefing after a compaction."""

from __future__ import annotations

import os

from memories.core import conversation
from memories.core.errors import TranscriptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TAIL_BYTES = 4_000_000
"""How far back from the transcript's end is read: some hundred exchanges, and bounded whatever the file's size."""

MAX_FILES = 12
_EDITING_TOOLS = {"Edit": "file_path", "Write": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}


class Recovery:
    """last_request and last_answer: the newest of each, "" when there is none. files: paths edited, newest last.
    open_items: entries of the newest to-do list that are not completed. ended_at: time of the newest line or None."""

    __slots__ = ("ended_at", "files", "last_answer", "last_request", "open_items")

    def __init__(self) -> None:
        self.last_request = ""
        self.last_answer = ""
        self.files: list[str] = []
        self.open_items: list[str] = []
        self.ended_at: str | None = None


def gather(path: str) -> Recovery:
    """Read the end of a transcript; an unreadable or missing one gives an empty result."""
    found = Recovery()
    files: dict[str, None] = {}
    try:
        start = max(0, os.path.getsize(path) - TAIL_BYTES)
        for number, _, entry in conversation.iter_lines(path, start):
            if entry.get("isSidechain") or entry.get("isMeta"):
                continue
            turn = conversation.turn_of(number, entry)
            if turn is None or turn.is_compact_summary:
                continue
            found.ended_at = turn.timestamp or found.ended_at
            if turn.role == "user":
                found.last_request, found.last_answer = turn.text, ""
            else:
                found.last_answer = turn.text or found.last_answer
            for name, arguments in turn.tools:
                _note_tool(found, files, name, arguments)
    except (OSError, TranscriptError):
        pass
    found.files = list(files)[-MAX_FILES:]
    return found


def _note_tool(found: Recovery, files: dict[str, None], name: str, arguments: dict[str, Any]) -> None:
    path = arguments.get(_EDITING_TOOLS.get(name, ""))
    if isinstance(path, str) and path:
        files.pop(path, None)
        files[path] = None
    todos = arguments.get("todos")
    if name == "TodoWrite" and isinstance(todos, list):
        found.open_items = [
            todo["content"]
            for todo in todos
            if isinstance(todo, dict) and todo.get("status") != "completed" and isinstance(todo.get("content"), str)
        ]
