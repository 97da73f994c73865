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
_DONE = ("completed", "deleted")


class Recovery:
    """last_request and last_answer: the newest of each, "" when there is none. files: paths edited, newest last.
    open_items: what the newest to-do or task list has not completed. ended_at: time of the newest line or None."""

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
    tasks: dict[str, str] = {}
    for number, entry in _entries(path):
        _note_task(tasks, entry)
        turn = conversation.turn_of(number, entry)
        if turn is None or turn.is_compact_summary:
            continue
        found.ended_at = turn.timestamp or found.ended_at
        if turn.role == "user":
            found.last_request, found.last_answer = turn.text, ""
        else:
            found.last_answer = turn.text or found.last_answer
        for name, arguments in turn.tools:
            _note_tool(found, files, tasks, name, arguments)
    found.files = list(files)[-MAX_FILES:]
    found.open_items = list(tasks.values()) or found.open_items
    return found


def _entries(path: str) -> list[tuple[int, dict[str, Any]]]:
    """The main chain's lines in the tail by their time: the client writes some of them late."""
    entries: list[tuple[str, int, dict[str, Any]]] = []
    previous = ""
    try:
        start = max(0, os.path.getsize(path) - TAIL_BYTES)
        for number, _, entry in conversation.iter_lines(path, start):
            time = entry.get("timestamp")
            previous = time if isinstance(time, str) else previous
            if not (entry.get("isSidechain") or entry.get("isMeta")):
                entries.append((previous, number, entry))
    except (OSError, ValueError, TranscriptError):
        pass  # not there, not ours, not a path: what has been read so far counts
    return [(number, entry) for _, number, entry in sorted(entries, key=lambda item: item[:2])]


def _note_task(tasks: dict[str, str], entry: dict[str, Any]) -> None:
    """A task that the result of TaskCreate names: `toolUseResult.task` with id and subject (seen in 2.1.330)."""
    result = entry.get("toolUseResult")
    task = result.get("task") if isinstance(result, dict) else None
    if isinstance(task, dict) and isinstance(task.get("id"), str) and isinstance(task.get("subject"), str):
        if task.get("status") in _DONE:
            tasks.pop(task["id"], None)
        else:
            tasks[task["id"]] = task["subject"]


def _note_tool(
    found: Recovery, files: dict[str, None], tasks: dict[str, str], name: str, arguments: dict[str, Any]
) -> None:
    path = conversation.edited_path(name, arguments)
    if path:
        files.pop(path, None)
        files[path] = None
    todos = arguments.get("todos")
    if name == "TodoWrite" and isinstance(todos, list):
        found.open_items = [
            todo["content"]
            for todo in todos
            if isinstance(todo, dict) and todo.get("status") != "completed" and isinstance(todo.get("content"), str)
        ]
    task_id = arguments.get("taskId")
    if name == "TaskUpdate" and isinstance(task_id, str):
        if arguments.get("status") in _DONE:
            tasks.pop(task_id, None)
        elif task_id in tasks and isinstance(arguments.get("subject"), str):
            tasks[task_id] = arguments["subject"]
