"""Conversations with questions about them, and how they are written as Claude Code transcripts."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from memories.core.transcripts import slug

SECONDS_PER_TURN = 30
NAMESPACE = uuid.UUID("2f4f6a52-6f0b-5d53-9f64-0c6d3d0fb6c1")
"""Session and message ids are uuid5 in it: the same data gives the same files."""

Place = tuple[str, int]
"""(session id, 1-based line of its transcript): one turn."""


@dataclass
class Said:
    """One turn. key: its id among the conversation's turns. user: said by the user, else by Claude."""

    key: str
    user: bool
    text: str


@dataclass
class Question:
    """A question, the category that its figures are counted under, and the keys of the turns that answer it."""

    text: str
    category: str
    evidence: list[str]


@dataclass
class Conversation:
    """One conversation: sessions are (when it began, turns) in order; each question has evidence in it."""

    name: str
    sessions: list[tuple[datetime, list[Said]]]
    questions: list[Question]

    def session_id(self, position: int) -> str:
        """The id under which a session is filed."""
        return str(uuid.uuid5(NAMESPACE, f"{self.name}/{position}"))


def write(conversation: Conversation, projects_dir: Path, launch_folder: Path) -> dict[str, Place]:
    """Write every session as a transcript below Claude Code's projects folder; where each turn (by its key) stands.

    launch_folder is the sessions' working folder; its name becomes the project's. Raises OSError.
    """
    folder = projects_dir / slug(str(launch_folder))
    folder.mkdir(parents=True, exist_ok=True)
    places: dict[str, Place] = {}
    for position, (began, turns) in enumerate(conversation.sessions):
        session_id = conversation.session_id(position)
        lines: list[dict[str, Any]] = [{"type": "mode", "mode": "normal", "sessionId": session_id}]
        for number, said in enumerate(turns):
            lines.append(
                {
                    "parentUuid": lines[-1].get("uuid"),
                    "isSidechain": False,
                    "uuid": str(uuid.uuid5(NAMESPACE, f"{session_id}/{said.key}")),
                    "timestamp": f"{began + timedelta(seconds=SECONDS_PER_TURN * number):%Y-%m-%dT%H:%M:%S}.000Z",
                    "cwd": str(launch_folder),
                    "sessionId": session_id,
                    "version": "2.1.330",
                    "gitBranch": "HEAD",
                    "userType": "external",
                    "entrypoint": "cli",
                    **_message(said),
                }
            )
            places[said.key] = (session_id, len(lines))
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
        (folder / f"{session_id}.jsonl").write_text(text, "utf-8")
    return places


def _message(said: Said) -> dict[str, Any]:
    if said.user:
        return {"type": "user", "message": {"role": "user", "content": said.text}}
    content = [{"type": "text", "text": said.text}]
    return {"type": "assistant", "message": {"role": "assistant", "model": "claude-opus-5-5", "content": content}}
