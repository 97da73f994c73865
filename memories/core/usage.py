"""How full the conversation is, from the tail of a transcript. The hottest hook imports this: os and json only."""

from __future__ import annotations

import json
import os

from memories.core import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIRST_WINDOW = 64 * 1024
MAX_WINDOW = 4 * 1024 * 1024
"""Bytes read from the end at first, and at most. A client of 2026 writes about 165 KB around one short exchange."""

_FIELDS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


class Usage:
    """The newest answer's token count. context_tokens: the whole conversation as the API billed it, answer included."""

    __slots__ = ("context_tokens",)

    def __init__(self, context_tokens: int) -> None:
        self.context_tokens = context_tokens


def _usage_of(line: bytes) -> Usage | None:
    if b'"usage"' not in line or b'"assistant"' not in line:
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("type") != "assistant" or entry.get("isSidechain"):
        return None
    message: Any = entry.get("message")
    usage = message.get("usage") if isinstance(message, dict) else None
    if not isinstance(usage, dict):
        return None
    counts = [usage.get(name) for name in _FIELDS]
    total = sum(count for count in counts if isinstance(count, int) and not isinstance(count, bool) and count > 0)
    return Usage(total) if total else None  # the client's own error messages carry a usage of zeros


def tail_usage(path: str) -> Usage | None:
    """The usage of the newest main-chain assistant line, reading backwards; None when the last 4 MB hold none.

    A file that is missing or cannot be read gives None too: the client writes it late.
    """
    try:
        with files.open_plain(path) as file:
            size = end = file.seek(0, os.SEEK_END)
            partial = b""
            window = FIRST_WINDOW
            while end > 0 and size - end < MAX_WINDOW:
                start = max(0, end - window)
                file.seek(start)
                lines = (file.read(end - start) + partial).split(b"\n")
                partial = lines.pop(0) if start else b""
                for line in reversed(lines):
                    found = _usage_of(line)
                    if found is not None:
                        return found
                end = start
                window = size - start  # so that what has been read doubles
    except OSError:
        pass
    return None
