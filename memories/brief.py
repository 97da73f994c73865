"""What a session is told at its start, for whoever asks: the tool `memory_brief` and `llm-memory brief`."""

from __future__ import annotations

import os

from memories.core import briefing, budget, mirror, scope, transcripts
from memories.core.errors import ProjectError
from memories.core.paths import claude_projects_dir
from memories.core.settings import BRIEFING_LIMIT, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.services import Session

SOURCES = ("startup", "resume", "clear", "compact")
"""How a session starts, as Claude Code calls it."""

GOES_ON = ("resume", "compact")
"""The sources with which a session goes on rather than begins."""


def brief(folder: DataFolder, session: Session, project: str | None = None, source: str = "startup") -> dict[str, Any]:
    """brief_of the project that was named, or of the session's own. project: a name or id.

    Raises ProjectError, MirrorUnavailableError.
    """
    settings, _ = read_settings(folder)
    connection = mirror.connect(folder.mirror, read_only=True)
    try:
        where = _scope(connection, session, project, settings)
    finally:
        connection.close()
    own = session.project is not None and not session.project.ids.isdisjoint(where.ids)
    return brief_of(folder, where, source, session.session_id, with_auto_memory=not own)


def brief_of(
    folder: DataFolder,
    project: scope.Scope,
    source: str = "startup",
    session_id: str | None = None,
    *,
    with_auto_memory: bool = False,
) -> dict[str, Any]:
    """What a session of a project would get now: {text, units, tokens, limit, source, project}.

    units: UTF-16 code units, which Claude Code counts; tokens: about. With source compact or resume it is the session
    of session_id that goes on (without one, the project's last), as far as its transcript goes; with startup and clear
    a new one begins. with_auto_memory: also what a session gets from Claude's own auto memory, for one of another
    project. Nothing is changed: a handoff stays to be shown. Raises MirrorUnavailableError.
    """
    settings, _ = read_settings(folder)
    limit = min(settings["briefing_chars"], BRIEFING_LIMIT)
    connection = mirror.connect(folder.mirror, read_only=True)
    try:
        own = (session_id or _last_session(connection, project)) if source in GOES_ON else ""
        path = _transcript(folder, own)
        made = briefing.build(
            connection,
            folder,
            project,
            source=source,
            limit=limit,
            session_id=own,
            transcript_path=path,
            since=_ended_at(folder, path) if source == "resume" else None,
            upkeep=settings["narrative_upkeep"],
            with_auto_memory=with_auto_memory,
        )
    finally:
        connection.close()
    return {
        "text": made.text,
        "units": budget.units(made.text),
        "tokens": budget.tokens(made.text),
        "limit": limit,
        "source": source,
        "project": project.name,
    }


def headline(found: dict[str, Any]) -> str:
    """One line on a brief: for which project and source, how long."""
    return (
        f"What a session of {budget.label(found['project'])} gets at {found['source']}: {found['units']:,} characters "
        f"(at most {found['limit']:,}), about {found['tokens']:,} tokens"
    )


def _scope(connection: sqlite3.Connection, session: Session, name: str | None, settings: dict[str, Any]) -> scope.Scope:
    if name and name.strip():
        return scope.of_name(connection, name.strip(), session.project, settings)
    if session.project is None:
        raise ProjectError("No project is detected here: pass project.")
    if not session.project.enabled:
        raise ProjectError(f"Memory is switched off in this project: {session.project.reason}. Sessions get nothing.")
    return scope.of_project(session.project)


def _last_session(connection: sqlite3.Connection, project: scope.Scope) -> str:
    """The id of the project's newest session; "" where there is none."""
    condition, values = project.sql()
    row = connection.execute(
        f"SELECT session_id FROM memory WHERE type = 'session_log' AND session_id IS NOT NULL AND {condition} "
        "ORDER BY created_at DESC LIMIT 1",
        values,
    ).fetchone()
    return row[0] if row else ""


def _ended_at(folder: DataFolder, path: str) -> str | None:
    """When the session that goes on was last used, as its transcript has it; None where that does not say."""
    from memories.core import recovery, redaction

    return recovery.gather(path, redaction.of(folder)).ended_at


def _transcript(folder: DataFolder, session_id: str) -> str:
    """The transcript of a session, Claude's own before the archived; "" where there is none."""
    if not transcripts.is_session_id(session_id):
        return ""
    own = (source.path for source in transcripts.iter_sources(claude_projects_dir()) if source.session_id == session_id)
    archived = transcripts.archive_path(folder, session_id)
    return next(own, archived if os.path.exists(archived) else "")
