"""Transcript lines as Claude Code 2.1.330 writes them, small and with our own text only; for tests of every module."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

from memories.core import transcripts

SESSION = "7b1e2f04-0000-4000-8000-00000000c0de"
OTHER_SESSION = "7b1e2f04-0000-4000-8000-00000000beef"


class Script:
    """Builds one session's lines; each line is a second later than the one before it."""

    def __init__(
        self, cwd: str, session_id: str = SESSION, branch: str = "main", start: str = "2026-03-14T09:00"
    ) -> None:
        self.cwd = cwd
        self.session_id = session_id
        self.branch = branch
        self.start = start
        self.lines: list[dict[str, Any]] = []

    def _line(self, kind: str, **fields: Any) -> dict[str, Any]:
        number = len(self.lines)
        line = {
            "parentUuid": self.lines[-1].get("uuid") if self.lines else None,
            "isSidechain": False,
            "type": kind,
            "uuid": str(uuid.UUID(int=number + 1)),
            "timestamp": f"{self.start}:{number % 60:02}.250Z",
            "cwd": self.cwd,
            "sessionId": self.session_id,
            "version": "2.1.330",
            "gitBranch": self.branch,
            **fields,
        }
        self.lines.append(line)
        return line

    def user(self, content: Any, **flags: Any) -> dict[str, Any]:
        """A user's line: a string, or content blocks."""
        return self._line("user", message={"role": "user", "content": content}, **flags)

    def assistant(self, *blocks: dict[str, Any], **flags: Any) -> dict[str, Any]:
        usage = {
            "input_tokens": 10,
            "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 30,
            "output_tokens": 5,
        }
        message = {"role": "assistant", "model": "claude-opus-5-5", "content": list(blocks), "usage": usage}
        return self._line("assistant", message=message, **flags)

    def answer(self, text: str, **flags: Any) -> dict[str, Any]:
        return self.assistant({"type": "text", "text": text}, **flags)

    def call(self, name: str, arguments: dict[str, Any], *, result: str | None = "ok", failed: bool = False) -> None:
        """A tool call and, unless result is None, its result."""
        call_id = f"toolu_{len(self.lines)}"
        self.assistant({"type": "tool_use", "id": call_id, "name": name, "input": arguments})
        if result is not None:
            block = {"type": "tool_result", "tool_use_id": call_id, "content": result, "is_error": failed}
            self.user([block], toolUseResult={"stdout": result})

    def attachment(self, attachment: dict[str, Any]) -> dict[str, Any]:
        return self._line("attachment", attachment=attachment)

    def compaction(self, summary: str) -> None:
        self._line("system", subtype="compact_boundary", content="Conversation compacted")
        self.user(summary, isCompactSummary=True, isVisibleInTranscriptOnly=True)

    def other(self, **line: Any) -> dict[str, Any]:
        """A line of a kind that is no part of the conversation's chain."""
        self.lines.append(line)
        return line

    def dump(self) -> bytes:
        return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in self.lines)

    def path_in(self, projects_dir: str | os.PathLike[str]) -> str:
        """Where Claude Code would file this session."""
        return os.path.join(projects_dir, transcripts.slug(self.cwd), self.session_id + ".jsonl")

    def write(self, projects_dir: str | os.PathLike[str]) -> str:
        """Write the transcript to its place below a projects folder; returns its path."""
        path = self.path_in(projects_dir)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(self.dump())
        return path


def short_session(cwd: str, session_id: str = SESSION, request: str = "Add a retry to the uploader") -> Script:
    """A request, an edit, a commit, an answer."""
    script = Script(cwd, session_id)
    script.other(type="mode", mode="normal", sessionId=session_id)
    script.user(request)
    script.attachment({"type": "hook_additional_context", "content": ["injected memory"]})
    script.other(type="api-request-blob", sessionId=session_id, message={"role": "user", "content": "x" * 2000})
    script.call("Write", {"file_path": os.path.join(cwd, "uploader.py"), "content": "retry = 3\n"})
    script.call("Bash", {"command": "git add -A && git commit -q -m 'Retry uploads three times'"})
    script.answer("The uploader now retries three times.")
    return script
