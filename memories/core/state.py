"""This machine's own state (state/, never synced): hook log and heartbeats, which client runs which session, reminders.

All of it may be lost at any time without losing a memory, so nothing here is fsynced and no failure is raised further.
What a loss does cost: sessions that ran with LLM_MEMORY_DISABLE=1 (ignored/) are no longer known as such.
"""

from __future__ import annotations

import json
import os
import re
import time

from memories.core import clock, files
from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder

LOG_LIMIT = 256_000
"""Bytes of state/hooks.log before it becomes hooks.log.1; so the two never hold more than twice this."""

_ERRORS = ("failed:", "not archived:")
"""How the outcomes begin that quote an error, and with it perhaps a path or a value that nobody else may read."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
OFF = "off"
"""What session_state holds where the session's project must not be remembered: post_tool_use cannot afford to look."""


def is_session_name(text: str) -> bool:
    """Whether a session id can name a file under state/ and stand in the log."""
    return _SAFE_NAME.fullmatch(text) is not None


def _file(folder: DataFolder, *parts: str) -> str | None:
    """A path under state/, whose folders are made; None for a name that could leave it and without a data folder (state
    alone is no reason to make one)."""
    if not (all(map(is_session_name, parts)) and os.path.isdir(folder.root)):
        return None
    path = os.path.join(folder.state, *parts)
    try:
        for place in (folder.state, os.path.dirname(path)):
            os.makedirs(place, mode=0o700, exist_ok=True)
    except OSError:
        return None
    return path


def log_hook(folder: DataFolder, event: str, outcome: str, seconds: float, session_id: str | None) -> None:
    """Append one line to state/hooks.log: time, event, outcome, milliseconds, session. No content, no environment."""
    path = os.path.join(folder.state, "hooks.log")
    session = session_id if session_id and is_session_name(session_id) else "-"
    if outcome.startswith(_ERRORS):
        from memories.core import redaction  # not for the hooks that go well

        outcome = redaction.of(folder).text(outcome)
    line = f"{clock.now()} {event} {' '.join(outcome.split())[:200]} {seconds * 1000:.0f}ms {session}\n"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            os.write(fd, line.encode("utf-8", "replace"))
            if os.fstat(fd).st_size > LOG_LIMIT:
                os.replace(path, path + ".1")
        finally:
            os.close(fd)
    except OSError:
        pass


def beat(folder: DataFolder, event: str) -> None:
    """Stamp an event's heartbeat: the mtime of state/heartbeat/<event>."""
    path = _file(folder, "heartbeat", event)
    if path is None:
        return
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600))
        os.utime(path)
    except OSError:
        pass


def heartbeats(folder: DataFolder) -> dict[str, float]:
    """Event -> Unix seconds of its last run on this machine."""
    try:
        with os.scandir(os.path.join(folder.state, "heartbeat")) as entries:
            return {entry.name: entry.stat().st_mtime for entry in entries}
    except OSError:
        return {}


def _read(path: str | None) -> dict[str, Any]:
    try:
        with files.open_plain(path or "") as file:
            value = json.loads(file.read(100_000))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _write(path: str | None, value: dict[str, Any]) -> bool:
    if path is None:
        return False
    try:
        files.write_atomic(path, json.dumps(value).encode(), durable=False)
    except StorageError:
        return False
    return True


def note_client(folder: DataFolder, client_pid: int, session_id: str) -> None:
    """Remember which session a client process runs: the MCP server's own variable goes stale after /clear.

    Notes of clients that are gone are dropped.
    """
    _write(_file(folder, "clients", str(client_pid)), {"session_id": session_id})
    parent = os.path.join(folder.state, "clients")
    try:
        names = os.listdir(parent)
    except OSError:
        return
    for name in names:
        if name.isdigit() and not files.process_alive(int(name)):
            files.remove_quietly(os.path.join(parent, name))


def client_session(folder: DataFolder, client_pid: int) -> str | None:
    """The session that a client process runs, as session_start noted it."""
    session_id = _read(os.path.join(folder.state, "clients", str(client_pid))).get("session_id")
    return session_id if isinstance(session_id, str) else None


def session_state(folder: DataFolder, session_id: str) -> dict[str, Any]:
    """What the hooks remember of a session: `baseline` (context tokens at the last store or compaction), `reminded`."""
    return _read(os.path.join(folder.state, "sessions", session_id)) if is_session_name(session_id) else {}


def save_session_state(folder: DataFolder, session_id: str, value: dict[str, Any]) -> bool:
    """Replace what the hooks remember of a session; False when it could not be kept."""
    return _write(_file(folder, "sessions", session_id), value)


def switch_off(folder: DataFolder, session_id: str, *, off: bool) -> None:
    """Note for the hotter hooks that a session's project must not be remembered, or that it may be again."""
    if off:
        save_session_state(folder, session_id, {OFF: True})
    elif session_state(folder, session_id).get(OFF):
        save_session_state(folder, session_id, {})


def ignore_session(folder: DataFolder, session_id: str) -> None:
    """Mark a session that ran with LLM_MEMORY_DISABLE=1: no sweep archives or logs it."""
    path = _file(folder, "ignored", session_id)
    if path is not None:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600))
        except OSError:
            pass


def drop_old_sessions(folder: DataFolder, days: int = 60) -> None:
    """Forget reminders of sessions that have not run for a while."""
    limit = time.time() - days * 86400
    try:
        with os.scandir(os.path.join(folder.state, "sessions")) as entries:
            for entry in entries:
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    files.remove_quietly(entry.path)
    except OSError:
        pass
