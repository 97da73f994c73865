"""Reading what the client sent to the Messages API: every text the model is shown, and which conversation it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMPACTION_MARK = "create a detailed summary of the conversation"
"""Stands in the last user message of a compaction request, in 2.1.197 and 2.1.330."""
PREVIEW_MARKS = ("<persisted-output>", "Preview (first 2KB)")
"""What the model gets in place of a hook's output of more than 10,000 UTF-16 code units."""


def text_of(content: Any) -> str:
    """All text in a message's content (a string or blocks), tool results included."""
    if isinstance(content, str):
        return content
    parts = []
    for block in content or []:
        if block.get("type") == "text":
            parts.append(block["text"])
        elif block.get("type") == "tool_result":
            parts.append(text_of(block.get("content")))
    return "\n".join(parts)


def texts(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, text) of everything the model is shown, such as ("messages[1].0/system", "...")."""
    for i, block in enumerate(body.get("system", [])):
        yield f"system[{i}]", block["text"]
    for i, message in enumerate(body.get("messages", [])):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for j, block in enumerate(blocks):
            yield f"messages[{i}].{j}/{message['role']}", text_of([block]) or json.dumps(block)


def shown(body: Mapping[str, Any]) -> str:
    """Everything the model is shown, as one text."""
    return "\n".join(text for _, text in texts(body))


def hook_context(body: Mapping[str, Any], event: str) -> str:
    """What hooks of an event (SessionStart, "PostToolUse:Bash") added as additionalContext; "" when nothing.

    The client appends further text of its own behind it, so this may end with more than the hook gave.
    """
    mark = f"{event} hook additional context: "
    return "\n".join(text.partition(mark)[2] for _, text in texts(body) if mark in text)


def tool_results(body: Mapping[str, Any]) -> list[tuple[bool, str]]:
    """The tool results the conversation holds, oldest first: (is an error, text)."""
    return [
        (bool(block.get("is_error")), text_of(block.get("content")))
        for message in body.get("messages", [])
        if isinstance(message["content"], list)
        for block in message["content"]
        if block.get("type") == "tool_result"
    ]


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text of the newest message of role user."""
    for message in reversed(body.get("messages", [])):
        if message["role"] == "user":
            return text_of(message["content"])
    return ""


def classify(headers: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """Which conversation a request belongs to: main, subagent, compact or side (titles and the like)."""
    if COMPACTION_MARK in last_user_text(body):
        return "compact"
    if headers.get("x-claude-code-agent-id"):
        return "subagent"
    return "main" if body.get("tools") else "side"
