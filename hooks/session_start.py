"""SessionStart: catches up with what happened since, and gives the session its briefing.

Bounded: this project's sessions first, then others and the mirror, at most CATCH_UP_SECONDS in all and never waiting
for another process; what is left is done by one detached `sync`.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time

from memories.core import mirror, redaction, scope, state
from memories.core.errors import LLMMemoryError, LockTimeoutError, MirrorUnavailableError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import claude_projects_dir
from memories.core.projects import identify
from memories.core.settings import BRIEFING_LIMIT, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hooks.payload import Payload
    from memories.core.paths import DataFolder
    from memories.core.projects import Project

_PID = re.compile(r"[0-9]{1,9}")
CATCH_UP_SECONDS = 0.3
SWEEP_SHARE = 0.6
"""Part of the time that the sweep may take, so that the mirror is brought up to date too."""

INLINE_REBUILD_RECORDS = 500
"""A missing mirror of more records than this is built by the detached sync: a rebuild cannot stop half-way."""

TRUST_ABOVE = 2_000
"""Records from which unchanged folder mtimes spare looking at each file (45 ms at 10,000). An edit made in place then
reaches the mirror by the MCP server's full scan, which every session starts at the same moment."""

ONE_SHOT_ENTRYPOINT = "sdk"
"""How CLAUDE_CODE_ENTRYPOINT begins in a `claude -p` run (`sdk-cli`): it is shown a handoff, but does not use it up."""

LARGEST_INLINE = 8_000_000
"""Bytes of a transcript beyond which the detached sync archives it: one file must not take the whole time."""


def handle(given: Payload, folder: DataFolder) -> tuple[str, str]:
    """(stdout, outcome). What stops it is said to the user: a memory that fails in silence is worse than none."""
    try:
        return _start(given, folder)
    except (LLMMemoryError, OSError, sqlite3.Error) as error:
        told = redaction.of(folder).text(str(error))
        return _output("", f"LLM Memory is not working: {told}; `llm-memory doctor` says more"), f"failed: {told}"


def _start(given: Payload, folder: DataFolder) -> tuple[str, str]:
    settings, problems = read_settings(folder)
    project = identify(given.folder, settings)
    if project is not None and not project.enabled:
        state.switch_off(folder, given.session_id, off=True)
        return _output("", f"LLM Memory is off in this project: {project.reason}"), "disabled"
    deadline = time.monotonic() + CATCH_UP_SECONDS
    folder.create()
    _note_session(given, folder)
    state.switch_off(folder, given.session_id, off=False)
    caught_up = catch_up(given, folder, settings, deadline)
    if not caught_up:
        start_detached_sync()
    text, message, handoffs = _briefing(given, folder, project, settings)
    if problems:
        message += f" · settings: {problems[0]}"
    if os.environ.get("LLM_MEMORY_PLUGIN"):
        from hooks import plugin

        message += plugin.readiness(os.environ["LLM_MEMORY_PLUGIN"])
    else:
        message += _about_updates(folder, settings)
    output = _output(text, message)
    if handoffs and not _is_one_shot():
        from memories.core import handoff

        handoff.take(folder, handoffs)
    return output, "caught up" if caught_up else "the rest goes to a detached sync"


def _is_one_shot() -> bool:
    return os.environ.get("CLAUDE_CODE_ENTRYPOINT", "").startswith(ONE_SHOT_ENTRYPOINT)


def _about_updates(folder: DataFolder, settings: dict[str, Any]) -> str:
    """What the user is told of a newer version, once a day. Whether there is one is asked by a process of its own."""
    from memories.core import update_state

    if update_state.claim(folder, settings):
        from hooks import detached

        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        detached.start([*detached.python(), os.path.join(root, "manage.py"), "update", "--detached"])
    return "" if _is_one_shot() else update_state.line(folder, settings)


def _note_session(given: Payload, folder: DataFolder) -> None:
    client_pid = os.environ.get("CLAUDE_PID", "")
    if given.session_id:
        state.note_client(folder, int(client_pid) if _PID.fullmatch(client_pid) else os.getppid(), given.session_id)


def catch_up(given: Payload, folder: DataFolder, settings: dict[str, Any], deadline: float) -> bool:
    """Archive what is new and refresh the mirror until the deadline (time.monotonic()); True when nothing is left.

    Another process that syncs is left to it: that counts as done.
    """
    from memories.core import sweep

    sweep_deadline = deadline - CATCH_UP_SECONDS * (1 - SWEEP_SHARE)
    try:
        with FileLock(os.path.join(folder.state, "sync.lock")):
            swept = sweep.sweep(
                folder,
                claude_projects_dir(),
                settings,
                deadline=sweep_deadline,
                first=given.folder,
                largest=LARGEST_INLINE,
            ).complete
    except LockTimeoutError:
        swept = True
    except (StorageError, OSError):
        return True  # a disk that refuses now would refuse the detached sync too; doctor tells
    return _refresh_mirror(folder, deadline) and swept and not _wants_a_whole_sync(folder, settings)


def _wants_a_whole_sync(folder: DataFolder, settings: dict[str, Any]) -> bool:
    """Whether something is to be done that only a sync does: to remove what forgotten sessions or the retention
    settings leave, to mirror Claude's auto memory."""
    from memories.core import forgotten

    if not forgotten.is_settled(folder):
        return True
    if settings["auto_memory"]:
        from memories.core import auto_memory_folders

        if auto_memory_folders.wants_a_look(folder, claude_projects_dir()):
            return True
    if not (settings["transcripts_keep_days"] or settings["transcripts_keep_mb"]):
        return False
    from memories.core import retention

    return retention.wants_a_run(folder, settings)


def _refresh_mirror(folder: DataFolder, deadline: float) -> bool:
    try:
        mirror.connect(folder.mirror, redactor=redaction.of(folder)).close()
    except MirrorUnavailableError:
        if len(os.listdir(folder.records)) > INLINE_REBUILD_RECORDS:
            return False
    try:
        return mirror.update(folder, deadline=deadline, trust_above=TRUST_ABOVE).complete
    except (LockTimeoutError, StorageError):
        return True


def _briefing(
    given: Payload, folder: DataFolder, project: Project | None, settings: dict[str, Any]
) -> tuple[str, str, list[str]]:
    """(text for the model, line for the user, the handoffs that the text shows)."""
    if project is None:
        return "", "LLM Memory: no project here (the home folder or a hidden one); search covers all projects", []
    try:
        return _built(given, folder, project, settings)
    except MirrorUnavailableError:
        from memories.core.budget import label

        name = label(project.name)
        if not os.access(folder.root, os.W_OK):
            return "", f"LLM Memory: cannot write {folder.root}; `llm-memory doctor` says more", []
        if mirror.is_full(folder.root):
            return "", f"LLM Memory: the disk that holds {folder.root} is full: nothing is kept until there is room", []
        text = f"LLM Memory is building its index; memory_search will find what is known about {name} shortly."
        return text, f"LLM Memory: {name} · the index is being built", []
    except sqlite3.Error as error:
        if not mirror.is_damage(error):
            raise
        mirror.update(folder, rebuild=True)  # rows that no update touches: nobody else would notice
        return _built(given, folder, project, settings)


def _built(
    given: Payload, folder: DataFolder, project: Project, settings: dict[str, Any]
) -> tuple[str, str, list[str]]:
    from memories.core import briefing

    connection = mirror.connect(folder.mirror, redactor=redaction.of(folder))
    try:
        made = briefing.build(
            connection,
            folder,
            scope.of_project(project),
            source=given.source,
            limit=min(settings["briefing_chars"], BRIEFING_LIMIT),
            session_id=given.session_id,
            transcript_path=given.transcript_path,
            since=_last_seen(given, folder) if given.source in {"resume", "fork"} else None,
            upkeep=settings["narrative_upkeep"],
        )
    finally:
        connection.close()
    return made.text, made.message, made.handoffs


def _last_seen(given: Payload, folder: DataFolder) -> str | None:
    """When a resumed session last spoke, as a record time: the client says how long ago, else its transcript does."""
    from memories.core import clock, recovery

    seconds, now = given.raw.get("seconds_since_last_response"), time.time()
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= now:
        return clock.format_time(now - seconds)
    return recovery.gather(given.transcript_path, redaction.of(folder)).ended_at


def _output(text: str, message: str) -> str:
    output: dict[str, Any] = {"systemMessage": " ".join(message.split())}
    if text:
        output["hookSpecificOutput"] = {"hookEventName": "SessionStart", "additionalContext": text}
    return json.dumps(output, ensure_ascii=False)


def start_detached_sync() -> None:
    """Start a sync in a process of its own and return at once. Where none can be made, the next start tries again."""
    from hooks import detached

    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    detached.start([*detached.python(), os.path.join(root, "manage.py"), "sync", "--detached"])
