"""What a reader of a whole transcript is shown of a line: everything that was said, done, answered or told, in blocks.

transcript_items folds a line to what fits a prompt; here nothing is folded away. Lines in which nobody says or does
anything are the client's bookkeeping: a reader counts them.
"""

from __future__ import annotations

import json
import re

from memories.core import conversation, redaction, tool_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.redact import Redactor

KINDS = ("user", "assistant", "thinking", "tool", "output", "summary", "told", "client", "mark", "image", "broken")
"""user, assistant: their words. thinking: Claude's. tool: a call. output: its result. summary: what Claude was left
with by a compaction. told: what a hook told Claude. client: what Claude Code said in the user's place. mark: a point in
the conversation. image: a picture or document, named only. broken: a line that cannot be read."""

MAX_BLOCKS = 40
"""Blocks of one line; the client writes one to a line, or one for each of a few calls made at once."""

START_EVENT = "SessionStart"
_TOLD_BY_STDOUT = frozenset({START_EVENT, "UserPromptSubmit"})
"""Hooks whose plain output Claude Code tells Claude; of the others only additionalContext."""

_HOOK_LINE = re.compile(rb'"type": ?"hook_(?:additional_context|success)"')
_INJECTED = ("system-reminder", "ide_opened_file", "ide_selection", "user-prompt-submit-hook")
_NO_ANSWERS = frozenset({"No response requested.", "(no content)", *conversation.INTERRUPTED})
_AGENT = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NAME_CHARS = 120


class Block:
    """One thing in a line.

    kind: of KINDS. text: as the line has it; of a tool call one line that tells it, of an image what it is. index: its
    place in the line, from 0. name: of a tool, or of the hook that told something. call_id: of a call and its output,
    "" for none. fields: a call's input, (name, text). failed: an output's. agent: the stem of the subagent's transcript
    that an output names, "" for none. place: its line's number and byte offset. answer: a call's output, call: the call
    of an output that does not stand with it; where they were found.
    """

    __slots__ = ("agent", "answer", "call", "call_id", "failed", "fields", "index", "kind", "name", "place", "text")

    def __init__(self, kind: str, text: str, name: str = "", call_id: str = "") -> None:
        self.kind = kind
        self.text = text
        self.name = name
        self.call_id = call_id
        self.index = 0
        self.place = (0, 0)
        self.fields: list[tuple[str, str]] = []
        self.failed = False
        self.agent = ""
        self.answer: Block | None = None
        self.call: Block | None = None

    def texts(self) -> list[str]:
        """All text in it that a reader can be shown."""
        return [text for _, text in self.fields] or [self.text]


class Line:
    """A line with something to show. number: 1-based; offset: of its first byte; time: as the line has it, or None;
    is_aside: a subagent's, in its session's own file; blocks: never empty."""

    __slots__ = ("blocks", "is_aside", "number", "offset", "time")

    def __init__(self, number: int, offset: int, blocks: list[Block], entry: dict[str, Any]) -> None:
        self.number = number
        self.offset = offset
        self.blocks = blocks
        self.time = entry.get("timestamp")
        self.is_aside = bool(entry.get("isSidechain"))
        for index, block in enumerate(blocks):
            block.index, block.place = index, (number, offset)


def read_line(number: int, offset: int, raw: bytes, redactor: Redactor | None = None) -> Line | None:
    """A line of a transcript; None for the client's bookkeeping. One that cannot be read is a `broken` block.

    redactor: as in conversation.iter_lines.
    """
    if not raw.strip():
        return None
    if not conversation.may_be_read(raw) and not _HOOK_LINE.search(raw):
        return None if _looks_whole(raw) else Line(number, offset, [_broken(raw)], {})
    entry = conversation.parse(raw)
    if entry is None:
        return Line(number, offset, [_broken(raw)], {})
    blocks = blocks_of(redaction.line(entry, redactor or redaction.default()))
    return Line(number, offset, blocks, entry) if blocks else None


def _looks_whole(raw: bytes) -> bool:
    return raw.lstrip()[:1] == b"{" and raw.rstrip()[-1:] == b"}"


def _broken(raw: bytes) -> Block:
    what = "is not finished: it is still being written, or was cut off" if not raw.endswith(b"\n") else "is no JSON"
    return Block("broken", f"This line cannot be read, it {what} ({len(raw):,} bytes).")


def too_long() -> Block:
    """What stands for a line of more than conversation.MAX_LINE_BYTES."""
    return Block("broken", f"This line is longer than {conversation.MAX_LINE_BYTES >> 20} MB: it is not read.")


def blocks_of(entry: dict[str, Any]) -> list[Block]:
    """The blocks of a line, in its order, none for bookkeeping. Trusts no field's type."""
    kind = entry.get("type")
    if entry.get("isMeta"):
        return []
    if conversation.is_compaction(entry):
        return [_compaction(entry)]
    if kind == "assistant":
        blocks = _claude_s(entry)
    elif kind == "user":
        blocks = _user_s(entry)
    elif kind == "attachment":
        blocks = _attached(entry)
    else:
        return []
    if len(blocks) > MAX_BLOCKS:
        more = len(blocks) - MAX_BLOCKS
        blocks = [*blocks[:MAX_BLOCKS], Block("broken", f"{more:,} more parts of this line are not shown.")]
    return blocks


def _compaction(entry: dict[str, Any]) -> Block:
    facts = entry.get("compactMetadata")
    facts = facts if isinstance(facts, dict) else {}
    trigger, before, after = (facts.get(name) for name in ("trigger", "preTokens", "postTokens"))
    told = [{"manual": "asked for by the user", "auto": "the context was full"}.get(str(trigger), "")]
    if isinstance(before, int):
        told.append(f"{before:,} tokens before" + (f", {after:,} after" if isinstance(after, int) else ""))
    detail = "; ".join(filter(None, told))
    return Block("mark", "Conversation compacted here" + (f": {detail}" if detail else ""))


def _content(entry: dict[str, Any]) -> list[dict[str, Any]]:
    message = entry.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _claude_s(entry: dict[str, Any]) -> list[Block]:
    if conversation.is_api_error(entry):
        told = "\n".join(text for text in conversation.texts(entry) if text not in _NO_ANSWERS)
        return [Block("client", told, "An error instead of an answer")] if told else []
    blocks: list[Block] = []
    for content in _content(entry):
        kind, text = content.get("type"), content.get("text")
        if kind == "text" and isinstance(text, str):
            if text.strip() and text.strip() not in _NO_ANSWERS:
                blocks.append(Block("assistant", text.strip()))
        elif kind == "thinking" and isinstance(thought := content.get("thinking"), str) and thought.strip():
            blocks.append(Block("thinking", thought.strip()))
        elif kind == "tool_use" and isinstance(name := content.get("name"), str):
            blocks += _call(name, content.get("input"), content.get("id"))
        elif kind not in ("thinking", "redacted_thinking", "tool_use"):
            blocks += _named(content)
    return blocks


def _call(name: str, arguments: object, call_id: object) -> list[Block]:
    given = arguments if isinstance(arguments, dict) else {}
    block = Block("tool", tool_lines.tool_line(name, given), name[:_NAME_CHARS], str(call_id) if call_id else "")
    block.fields = [(str(key)[:_NAME_CHARS], _as_text(value)) for key, value in given.items()]
    if arguments is not None and not isinstance(arguments, dict):
        block.fields = [("input", _as_text(arguments))]
    said = tool_lines.said(name, given)
    return [block, Block("assistant", said)] if said else [block]


def _as_text(value: object) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    except (RecursionError, ValueError):
        return "(nested too deeply to show)"


def _user_s(entry: dict[str, Any]) -> list[Block]:
    if conversation.is_interruption(entry):
        return [*_results(entry), Block("mark", "Interrupted by the user")]
    blocks = _results(entry)
    turn = conversation.turn_of(0, entry)
    raw = "\n\n".join(conversation.texts(entry))
    if turn is not None and turn.is_compact_summary:
        blocks.append(Block("summary", turn.text))
    elif turn is not None:
        blocks.append(Block("user", turn.text))
        blocks += [Block("client", text, f"Added by Claude Code: {tag}") for tag, text in _injected(raw)]
    elif raw:
        blocks.append(Block("client", raw, "From Claude Code, in the user's place"))
    for content in _content(entry):
        if content.get("type") not in ("text", "tool_result"):
            blocks += _named(content)
    return blocks


def _injected(text: str) -> list[tuple[str, str]]:
    """(tag, text) of what Claude Code put into a user's message."""
    found = []
    for tag in _INJECTED:
        position = 0
        while (start := text.find(f"<{tag}>", position)) >= 0 and (end := text.find(f"</{tag}>", start)) >= 0:
            found.append((tag, text[start + len(tag) + 2 : end].strip()))
            position = end
    return found


def _results(entry: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    for content in _content(entry):
        if content.get("type") != "tool_result":
            continue
        texts, images = _output(content.get("content"))
        block = Block("output", "\n".join(texts), call_id=str(content.get("tool_use_id") or ""))
        block.failed = content.get("is_error") is True
        block.agent = _agent(entry)
        blocks += [block, *images]
        words = tool_lines.said_in_result(entry, texts)
        if words:
            blocks.append(Block("user", words))
    return blocks


def _output(content: object) -> tuple[list[str], list[Block]]:
    if isinstance(content, str):
        return [content], []
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [text for part in parts if isinstance(text := part.get("text"), str)]
    return texts, [image for part in parts if part.get("type") in ("image", "document") for image in _named(part)]


def _named(content: dict[str, Any]) -> list[Block]:
    """A block of a type that holds no text, by its name: a picture is `image, image/png, 34 KB`."""
    kind = content.get("type")
    if not isinstance(kind, str):
        return []
    source = content.get("source")
    source = source if isinstance(source, dict) else {}
    media, data = source.get("media_type"), source.get("data")
    told = [kind, media if isinstance(media, str) else ""]
    told.append(f"{max(1, len(data) * 3 // 4096):,} KB" if isinstance(data, str) else "")
    return [Block("image", ", ".join(part[:_NAME_CHARS] for part in told if part))]


def _agent(entry: dict[str, Any]) -> str:
    kept = entry.get("toolUseResult")
    agent = kept.get("agentId") if isinstance(kept, dict) else None
    return f"agent-{agent}" if isinstance(agent, str) and _AGENT.fullmatch(agent) else ""


def _attached(entry: dict[str, Any]) -> list[Block]:
    turn = conversation.turn_of(0, entry)
    if turn is not None:
        return [Block("user", turn.text)]
    attachment = entry.get("attachment")
    if not isinstance(attachment, dict):
        return []
    name = attachment.get("hookName") or attachment.get("hookEvent") or ""
    name = name[:_NAME_CHARS] if isinstance(name, str) else ""
    if attachment.get("type") == "hook_additional_context":
        content = attachment.get("content")
        parts = content if isinstance(content, list) else [content]
        told = "\n\n".join(part for part in parts if isinstance(part, str) and part.strip())
    elif attachment.get("type") == "hook_success" and name.partition(":")[0] in _TOLD_BY_STDOUT:
        told = _plain(attachment.get("stdout"))
    else:
        return []
    return [Block("told", told, name)] if told else []


def _plain(output: object) -> str:
    """A hook's output where Claude Code tells it as it is; an object in it holds additionalContext, which has a line of
    its own."""
    text = output.strip() if isinstance(output, str) else ""
    return "" if text.startswith("{") else text
