"""The newest to-do list of a session, kept by TodoWrite or by the Task tools, and what of it is still open."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_ITEMS = 50
_DONE = ("completed", "deleted")


class OpenItems:
    """Follows the calls that make and change lists, in their order."""

    def __init__(self) -> None:
        self._todos: list[str] = []
        self._tasks: dict[str, str] = {}

    @property
    def open(self) -> list[str]:
        """What is not completed: of the tasks where there are any, else of the last to-do list."""
        return (list(self._tasks.values()) or self._todos)[:MAX_ITEMS]

    def note_result(self, entry: dict[str, Any]) -> None:
        """Take in a task that the result of TaskCreate names: `toolUseResult.task` with id and subject (in 2.1.197 and
        2.1.330)."""
        result = entry.get("toolUseResult")
        task = result.get("task") if isinstance(result, dict) else None
        if isinstance(task, dict) and isinstance(task.get("id"), str) and isinstance(task.get("subject"), str):
            if task.get("status") in _DONE:
                self._tasks.pop(task["id"], None)
            else:
                self._tasks[task["id"]] = task["subject"]

    def note_call(self, name: str, arguments: dict[str, Any]) -> None:
        """Take in a call that succeeded."""
        todos = arguments.get("todos")
        if name == "TodoWrite" and isinstance(todos, list):
            self._todos = [
                todo["content"]
                for todo in todos
                if isinstance(todo, dict) and todo.get("status") != "completed" and isinstance(todo.get("content"), str)
            ]
        task_id = arguments.get("taskId")
        if name == "TaskUpdate" and isinstance(task_id, str):
            if arguments.get("status") in _DONE:
                self._tasks.pop(task_id, None)
            elif task_id in self._tasks and isinstance(arguments.get("subject"), str):
                self._tasks[task_id] = arguments["subject"]
