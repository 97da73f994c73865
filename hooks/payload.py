"""What Claude Code sends a hook on stdin, read without trusting any of it."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 64_000_000
"""A PostToolUse payload carries the tool's whole output; more than this is not read."""


class Payload:
    """A hook's input; text fields are "" where they are missing or of another type.

    raw: the whole object. folder: the launch folder (CLAUDE_PROJECT_DIR, which does not follow the model's `cd`), else
    the session's working folder.
    """

    __slots__ = ("agent_id", "cwd", "folder", "raw", "session_id", "source", "tool_name", "transcript_path")

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.session_id = self._text("session_id")
        self.transcript_path = self._text("transcript_path")
        self.cwd = self._text("cwd")
        self.source = self._text("source")
        self.tool_name = self._text("tool_name")
        self.agent_id = self._text("agent_id")
        self.folder = os.environ.get("CLAUDE_PROJECT_DIR") or self.cwd

    def _text(self, name: str) -> str:
        """A field that is text which paths and SQLite can hold: half surrogate pairs and NULs are replaced."""
        value = self.raw.get(name)
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?") if isinstance(value, str) else ""


def parse(data: bytes) -> Payload | None:
    """The payload in stdin's bytes; None for what is not a JSON object."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return Payload(raw) if isinstance(raw, dict) else None
