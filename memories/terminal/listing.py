"""A memory as the commands list it: a line that says what and where it is, and one with how it begins."""

from __future__ import annotations

from memories.core import budget, records, session_log_parts
from memories.core.cleaning import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.terminal.command import Style

LINE_CHARS = 160
"""Of a text that stands for a whole memory."""


def head(style: Style, uuid: str, *parts: str | None) -> str:
    """The line above a memory: parts that are empty are left out, the id stands last."""
    said = " ".join(clean(" · ".join(filter(None, parts))).split())
    return f"{style.heading(said)}  {uuid}"


def of_memory(style: Style, memory: dict[str, Any]) -> list[str]:
    """Two lines on a memory as selectors.brief gives it, or a record."""
    what = f"{str(memory['created_at'])[:10]} {memory['type']}"
    status = memory.get("status")
    told = head(style, memory["uuid"], what, memory.get("project"), status and _unless_active(status))
    whence = clean(records.whence(memory))
    return [told + (f"  {whence}" if whence else ""), f"  {opening(memory)}"]


def opening(memory: dict[str, Any]) -> str:
    """How a memory begins, on one line. A session log begins with figures: what was asked first stands for it."""
    content = str(memory["content"])
    asked = session_log_parts.opening_request(content) if memory["type"] == "session_log" else ""
    return budget.one_line(clean(asked or content), LINE_CHARS)


def title(record: dict[str, Any]) -> str:
    """What a record is called, on one line."""
    from memories.core import mirror_rows  # only the lists of what is or was deleted

    return budget.one_line(clean(mirror_rows.title_of(record["content"], record["type"])), LINE_CHARS)


def _unless_active(status: object) -> str:
    return "" if status == "active" else str(status)
