"""The steps of `llm-memory demo`, each on a data folder of its own and through the same functions as the real thing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator

from memories import search, selectors, services
from memories.core import briefing, mirror, projects, scope, sync
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.core.transcripts import slug

SESSION = "5f0c2a1e-7d34-4c1b-9a55-0d3e8b6f1c20"
LAUNCH_FOLDER = "/home/demo/orders-api"
"""Where the sample session says it ran; it need not exist."""

NOTE = (
    "Invoices are made unique by an index on invoices (order_id, payment_id), not by a lock in Redis: Redis is not "
    "backed up, and a lock would only hide the webhook's retry."
)
QUESTION = "why did we not use redis for the duplicate invoices?"
_HERE = os.path.dirname(os.path.abspath(__file__))


def steps(root: str) -> Iterator[tuple[str, str]]:
    """Run the example below root, a folder that is ours alone; yields (what happens, what it gives) step by step."""
    folder = DataFolder(os.path.join(root, "memory"))
    claude_projects = os.path.join(root, "claude", "projects")
    transcript = os.path.join(claude_projects, slug(LAUNCH_FOLDER), f"{SESSION}.jsonl")
    os.makedirs(os.path.dirname(transcript))
    shutil.copyfile(os.path.join(_HERE, f"{SESSION}.jsonl"), transcript)
    settings = dict(DEFAULTS)

    result = sync.run(folder, claude_projects, settings, wait_seconds=1.0)
    archived = len(result.swept.archived) if result.swept else 0
    yield "A Claude Code session has ended: its transcript is archived and logged", f"{archived} session archived"

    log = selectors.memory_recent(folder, type="session_log")["results"][0]
    yield "The session log, made from the transcript without any model", log["content"]

    project = projects.identify(LAUNCH_FOLDER, settings)
    session = services.Session(project, SESSION)
    stored = services.memory_store(folder, session, content=NOTE, type="note", importance=8, tags="decision")
    yield "Claude kept the decision with memory_store", json.dumps(stored, indent=2)

    with open(os.path.join(_HERE, "narrative.md"), encoding="utf-8") as file:
        text = file.read()
    told = services.memory_store(folder, session, content=text, type="narrative", transcript_ref=[SESSION])
    yield "Claude wrote the project's narrative from the transcript", json.dumps(told, indent=2)

    found = search.memory_search(folder, QUESTION)
    hits = "\n".join(f"{hit['type']:<12} {hit['snippet']}" for hit in found["results"])
    yield f"memory_search: {QUESTION}", hits

    connection = mirror.connect(folder.mirror)
    assert project is not None  # noqa: S101 - LAUNCH_FOLDER is no home folder
    limit = settings["briefing_chars"]
    given = briefing.build(connection, folder, scope.of_project(project), source="startup", limit=limit)
    connection.close()
    yield "The next session in this project starts with this briefing", f"{given.text}\n\n({given.message})"
