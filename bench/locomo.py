"""Reads LoCoMo: long conversations with questions and the turns that answer them (Maharana et al. 2024).

The data is CC BY-NC and no part of the project: it is read from a path that the user names.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.dialogues import Conversation, Question, Said

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}

_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_SESSION = re.compile(r"session_(\d+)")
_WHEN = "%I:%M %p on %d %B, %Y"


def read(path: Path, limit: int | None = None) -> list[Conversation]:
    """The first limit conversations of a LoCoMo file. Raises OSError, ValueError (not such a file)."""
    data = json.loads(path.read_text("utf-8"))
    if not isinstance(data, list) or not all(isinstance(one, dict) and "conversation" in one for one in data):
        raise ValueError(f"{path} is not a LoCoMo file: a JSON list of objects with `conversation` is needed.")
    return [_conversation(item, number) for number, item in enumerate(data[:limit])]


def _conversation(item: dict[str, Any], number: int) -> Conversation:
    raw = item["conversation"]
    named = [(_SESSION.fullmatch(key), turns) for key, turns in raw.items()]
    numbers = sorted(int(name[1]) for name, turns in named if name and turns)
    sessions = []
    for session in numbers:
        began = datetime.strptime(raw[f"session_{session}_date_time"], _WHEN).replace(tzinfo=timezone.utc)
        sessions.append((began, [_said(turn, raw["speaker_a"]) for turn in raw[f"session_{session}"]]))
    known = {said.key for _, turns in sessions for said in turns}
    questions = [
        Question(str(one["question"]), CATEGORIES[int(one["category"])], found)
        for one in item.get("qa", [])
        if (found := evidence(one.get("evidence"), known))
    ]
    return Conversation(str(item.get("sample_id") or f"conversation-{number}"), sessions, questions)


def _said(turn: dict[str, Any], first_speaker: str) -> Said:
    """A turn; a transcript has no place for the speaker's name and for what a picture shows but the text."""
    text = f"{turn['speaker']}: {turn['text']}"
    if turn.get("blip_caption"):
        text += f" [image: {turn['blip_caption']}]"
    return Said(str(turn["dia_id"]), turn["speaker"] == first_speaker, text.strip())


def evidence(entries: object, known: set[str]) -> list[str]:
    """The turn ids in a question's evidence that the conversation holds.

    An entry may hold several ("D8:6; D9:17"), one with a stray colon or zeros ("D:11:26", "D30:05"), or none ("D").
    """
    found: dict[str, None] = {}
    for entry in entries if isinstance(entries, list) else []:
        for session, turn in _EVIDENCE.findall(str(entry)):
            found[f"D{int(session)}:{int(turn)}"] = None
    return [one for one in found if one in known]
