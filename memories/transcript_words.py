"""How a transcript's blocks are called and shown wherever people read them: on the dashboard's pages and in exports."""

from __future__ import annotations

from memories.core.transcript_blocks import START_EVENT, Block, Line
from memories.core.transcript_items import clean

SUMMARY_CHARS = 160
"""How much of a block stands where it is folded."""

LABELS = {
    "user": "You", "assistant": "Claude", "thinking": "Thinking", "output": "Output", "summary": "Summary for Claude",
    "told": "What Claude was told", "client": "Claude Code", "mark": "Claude Code", "image": "Not text",
    "broken": "Unreadable",
}  # fmt: skip
"""A block's kind -> what it is called."""


def cleaned(text: str) -> str:
    """A text as a page can carry it, its first line's indentation kept."""
    return clean(f"|{text}|")[1:-1].rstrip()


def summary(text: str) -> str:
    """The beginning of a text on one line: what stands where it is folded."""
    return " ".join(text[: 2 * SUMMARY_CHARS].split())[:SUMMARY_CHARS]


def role_of(line: Line) -> str:
    """Whose a line is: user, assistant, told, output, or the kind of its first block."""
    kind = line.blocks[0].kind
    if kind in {"tool", "thinking", "assistant"}:
        return "assistant"
    return {"image": "user", "told": "told", "summary": "told", "client": "told"}.get(kind, kind)


def speaker(role: str, *, is_subagent: bool) -> str:
    """Who speaks in a line of that role; "" for nobody. is_subagent: the conversation is a subagent's."""
    if role == "user" and is_subagent:
        return "Prompt"
    return {"user": "You", "assistant": "Claude", "told": "Claude Code", "output": "Tool"}.get(role, "")


def label(block: Block) -> str:
    """What a block is called."""
    if block.kind == "told":
        event = block.name.partition(":")[0]
        start = event in {START_EVENT, ""}
        return ("What Claude was told at the start" if start else "What Claude was told") + (
            f" ({clean(block.name)})" if block.name else ""
        )
    if block.kind == "client" and block.name:
        return clean(block.name)
    return LABELS.get(block.kind, block.kind)
