"""Sessions of Claude Code as their transcripts have them; each message has its own id, wherever it was said."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tests.core.transcript_lines import Script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_IDS = uuid.UUID("0b0ce5a0-7d11-4c58-8d53-52f3a3c70b55")


def session_id(name: str) -> str:
    """The id of a session that a test calls by a name."""
    return str(uuid.uuid5(_IDS, name))


def conversation(cwd: Path, name: str, said: Sequence[str], start: str = "2026-03-14T09:00") -> Script:
    """A session in which the user said this and Claude answered each; start: its first minute (UTC).

    The same beginning of `said` gives the same bytes.
    """
    script = Script(str(cwd), session_id(name), start=start)
    for request in said:
        for line in (script.user(request), script.answer(f"Done: {request}")):
            line["uuid"] = str(uuid.uuid5(_IDS, f"{name}: {line['type']}: {request}"))
            line["parentUuid"] = script.lines[-2]["uuid"] if len(script.lines) > 1 else None
    return script
