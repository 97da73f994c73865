"""Which project each conversation belongs to: its session log says; without one, the folder it was held in."""

from __future__ import annotations

import os

from memories.core import projects, settings
from memories.core.conversation_rows import Transaction
from memories.core.errors import TranscriptError
from memories.core.mirror_rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from memories.core.paths import DataFolder

_LOGGED = """
SELECT session.id, session.project, session.project_id, memory.project, memory.project_id FROM session
CROSS JOIN memory ON memory.session_id = session.session_id AND memory.type = 'session_log'
ORDER BY memory.created_at, memory.id
"""
"""CROSS JOIN keeps SQLite from walking through all memories in the order of their times."""
_UNLOGGED = """
SELECT id, path, cwd FROM session WHERE project_key IS NULL AND turns > 0 AND problem IS NULL AND NOT EXISTS (
    SELECT 1 FROM memory WHERE memory.session_id = session.session_id AND memory.type = 'session_log'
)
"""


def refresh(connection: sqlite3.Connection, folder: DataFolder) -> None:
    """Give every session its project: a log may be written or arrive after the transcript was read, and wins.

    A session without a log in a folder that may not be remembered, or that is no project, gets none; it is looked at
    again each time. Raises sqlite3.Error.
    """
    _from_logs(connection)
    _from_folders(connection, folder)


def _from_logs(connection: sqlite3.Connection) -> None:
    changes = {}
    for session, project, project_id, named, named_id in connection.execute(_LOGGED).fetchall():
        changes[session] = ((project, project_id), (named, named_id))  # of several logs, the latest
    rows = [
        (named, projects.fold_name(named) if named else None, named_id, session)
        for session, (now, (named, named_id)) in changes.items()
        if now != (named, named_id)
    ]
    if rows:
        with Transaction(connection):
            connection.executemany("UPDATE session SET project = ?, project_key = ?, project_id = ? WHERE id = ?", rows)


def _from_folders(connection: sqlite3.Connection, folder: DataFolder) -> None:
    unlogged = connection.execute(_UNLOGGED).fetchall()
    values = settings.read_settings(folder)[0] if unlogged else {}
    known: dict[str, tuple[str | None, str | None, str | None]] = {"": (None, None, None)}
    rows = []
    for session, path, cwd_before in unlogged:
        cwd = _first_cwd(os.path.join(folder.transcripts, path)) if cwd_before is None else cwd_before
        if cwd not in known:
            project = projects.identify(cwd, values)
            known[cwd] = known[""]
            if project is not None and project.enabled:
                known[cwd] = (project.name, projects.fold_name(project.name), project.id)
        if cwd != cwd_before or known[cwd] != known[""]:
            rows.append((cwd, *known[cwd], session))
    if rows:
        with Transaction(connection):
            connection.executemany(
                "UPDATE session SET cwd = ?, project = ?, project_key = ?, project_id = ? WHERE id = ?", rows
            )


def _first_cwd(path: str) -> str:
    """The first working folder in a transcript; "" where it names none."""
    from memories.core import conversation  # for sessions without a log only

    try:
        return clean(conversation.first_cwd(path, lambda _: True) or "")
    except (TranscriptError, OSError):
        return ""  # the next update that can read it looks again
