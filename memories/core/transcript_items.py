"""What a page shows of a transcript's line: words whole, tools and their output folded to a line each."""

from __future__ import annotations

import re

from memories.core import conversation, tool_lines
from memories.core.cleaning import clean as clean  # noqa: PLC0414 - also here, for those who show items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ROLES = ("user", "assistant", "tool", "output", "mark")
"""Who or what a part is: the user's words, Claude's, a tool call, its output, a point in the conversation."""

_AGENT = r"[A-Za-z0-9_-]{1,80}"


class Part:
    """One of the things that a line holds. role: of ROLES. text: never empty; one line unless is_said."""

    __slots__ = ("role", "text")

    def __init__(self, role: str, text: str) -> None:
        self.role = role
        self.text = text

    @property
    def is_said(self) -> bool:
        """Whether these are somebody's words, of any length."""
        return self.role in {"user", "assistant"}


def parts_of(entry: dict[str, Any]) -> list[Part]:
    """The parts of a line of conversation.iter_lines, in order, a subagent's too; none where nobody said or did
    anything."""
    if entry.get("isMeta"):
        return []
    if conversation.is_compaction(entry):
        return [Part("mark", "--- conversation compacted here ---")]
    parts = _results(entry) if entry.get("type") == "user" else []
    turn = conversation.turn_of(0, entry)
    if turn is not None and turn.is_compact_summary:
        parts.append(Part("output", f"summary for Claude {tool_lines.result_line([turn.text], 0, failed=False)}"))
    elif turn is not None:
        parts.append(Part(turn.role, clean(turn.text)))
        for name, arguments in turn.tools:
            parts += [Part("tool", tool_lines.tool_line(name, arguments))]
            parts += [Part("assistant", clean(tool_lines.said(name, arguments)))]
    elif conversation.is_interruption(entry):
        parts.append(Part("mark", "--- interrupted by the user ---"))
    return [part for part in parts if part.text]


def _results(entry: dict[str, Any]) -> list[Part]:
    message = entry.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    parts = []
    for block in content if isinstance(content, list) else []:
        if isinstance(block, dict) and block.get("type") == "tool_result":
            texts, images = _output(block.get("content"))
            words = clean(tool_lines.said_in_result(entry, texts))
            line = tool_lines.result_line(texts, images, failed=block.get("is_error") is True) + _agent(entry)
            parts.append(Part("user", words) if words else Part("output", line))
    return parts


def _output(content: object) -> tuple[list[str], int]:
    """(texts, number of images) of a tool's output."""
    if isinstance(content, str):
        return [content], 0
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    texts = [text for block in blocks if isinstance(text := block.get("text"), str)]
    return texts, sum(block.get("type") == "image" for block in blocks)


def _agent(entry: dict[str, Any]) -> str:
    """Which transcript beside this one tells what the subagent did that a result came from; "" for other tools."""
    kept = entry.get("toolUseResult")
    agent = kept.get("agentId") if isinstance(kept, dict) else None
    return f" [transcript: agent-{agent}]" if isinstance(agent, str) and re.fullmatch(_AGENT, agent) else ""
