"""The last lines of Claude Code's transcripts, for what doctor wants to know of the sessions that ran lately."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from memories.core.transcripts import Source

TAIL_BYTES = 2_000_000
"""How much of a transcript's end is looked through: hours of work, and a few milliseconds each."""


def lines_with(source: Source, words: tuple[bytes, ...]) -> Iterator[dict[str, Any]]:
    """The lines, last first, in which one of the words occurs and that are JSON objects; nothing of what cannot be
    read."""
    try:
        fd = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            file.seek(max(0, source.size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except OSError:
        return
    for line in reversed(tail.split(b"\n")):
        if any(word in line for word in words):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue  # the first one may be cut
            if isinstance(found, dict):
                yield found
