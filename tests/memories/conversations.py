"""Archived conversations for the tests of searching: small ones, indexed at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memories.core import conversation_index, mirror, session_logs, transcripts
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import Script

WAIT_SECONDS = 60.0


def session_id(number: int) -> str:
    """A session id that is another for each number."""
    return f"7b1e2f04-0000-4000-8000-{number:012x}"


def talk(*said: str, number: int = 1, cwd: str = "/", day: str = "2026-03-14", **more: Any) -> Script:
    """A session in which user and Claude say these in turns, the first at 09:00:00 of a day, each a second later."""
    script = Script(cwd, session_id(number), start=f"{day}T09:00", **more)
    for place, text in enumerate(said):
        line = script.answer(text) if place % 2 else script.user(text)
        line["uuid"] = f"{number}-{place}"  # sessions that are no copies of each other share no message
    return script


def archive(folder: DataFolder, *scripts: Script) -> None:
    """Put sessions into the archive and bring the index up to date."""
    for script in scripts:
        Path(transcripts.archive_path(folder, script.session_id)).write_bytes(script.dump())
    index(folder)


def archive_subagent(folder: DataFolder, script: Script, agent: str) -> None:
    """Put a subagent's transcript beside its session's."""
    for line in script.lines:
        line["isSidechain"] = True
        line["uuid"] = f"{agent}-{line['uuid']}"
    place = Path(folder.transcripts, script.session_id, "subagents")
    place.mkdir(parents=True)
    (place / f"agent-{agent}.jsonl").write_bytes(script.dump())
    index(folder)


def index(folder: DataFolder) -> None:
    """Bring records and conversations up to date; a server that runs may be at it."""
    mirror.update(folder, wait_seconds=WAIT_SECONDS)
    conversation_index.update(folder, wait_seconds=WAIT_SECONDS)


def log(make_record: MakeRecord, number: int, project: str, project_id: str | None = None) -> None:
    """A session log, which says the session's project."""
    found = session_id(number)
    ids = {} if project_id is None else {"project_id": project_id}
    make_record(
        f"Log of session {number}", type="session_log", uuid=session_logs.log_uuid(found), session_id=found,
        project=project, **ids,
    )  # fmt: skip
