"""Conversations as notes, one a turn, with importance, age, type and project drawn at random: what the boosts cost.

Boosts that have nothing to do with the question can only do harm; the less they cost here, the more safely they may
settle ties elsewhere.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from pathlib import Path

from bench.dialogues import NAMESPACE, Conversation, Place
from memories.core import clock, mirror, scope
from memories.core.paths import DataFolder

SEED = 20260314
SPREAD_SECONDS = 2 * 365 * 86_400
NARRATIVES = 0.05
"""Share of the notes that are written as narratives."""

OWN = scope.Scope("here", frozenset({"marker:here"}), frozenset())
"""The project that is preferred; half of the notes belong to it."""


def write(conversation: Conversation, folder: DataFolder) -> tuple[dict[str, Place], dict[str, Place]]:
    """Write every turn as a record and index them: turn's key -> place, and record's uuid -> place. Raises OSError."""
    draw = random.Random(SEED)  # noqa: S311 - the same notes on every run
    by_key: dict[str, Place] = {}
    by_uuid: dict[str, Place] = {}
    for position, (_, turns) in enumerate(conversation.sessions):
        for number, said in enumerate(turns):
            place = (conversation.session_id(position), number)
            name = uuid.uuid5(NAMESPACE, f"note/{conversation.name}/{said.key}").hex
            project = draw.choice(("here", "there"))
            record = {
                "schema_version": 1,
                "uuid": name,
                "type": "narrative" if draw.random() < NARRATIVES else "note",
                "content": said.text,
                "project": project,
                "project_id": f"marker:{project}",
                "importance": draw.randint(1, 10),
                "created_at": clock.format_time(time.time() - draw.random() * SPREAD_SECONDS),
                "connections": [],
                "status": "active",
            }
            Path(folder.records, f"{name}.json").write_text(json.dumps(record), "utf-8")
            by_key[said.key] = by_uuid[name] = place
    mirror.update(folder)
    return by_key, by_uuid
