"""Which records and transcripts a bundle of one project holds: those that searches and the dashboard count to it."""

from __future__ import annotations

from typing import Any

from memories import selectors
from memories.core import conversation_index, mirror, mirror_rows
from memories.core.bundle_export import Chosen
from memories.core.errors import ProjectError
from memories.core.paths import DataFolder
from memories.core.projects import Project, fold_name

WAIT_SECONDS = 60.0


def chosen(
    folder: DataFolder, name: str, session: Project | None, settings: dict[str, Any]
) -> tuple[Chosen, str | None]:
    """What export takes for a project: its records of every kind, deleted ones too, and its sessions' transcripts;
    neither rules nor settings. With a hint where the name fitted several projects.

    name: as selectors.named_scope takes it. Brings the index up to date first. Raises ProjectError (no such project),
    LockTimeoutError, MirrorUnavailableError, StorageError.
    """
    mirror.update(folder, wait_seconds=WAIT_SECONDS)
    conversation_index.update(folder, wait_seconds=WAIT_SECONDS)
    scope = selectors.named_scope(folder, name, session, settings)
    raw = selectors.mirror_connection(folder)
    condition, values = scope.sql("session")
    rows = raw.execute(f"SELECT DISTINCT session_id FROM session WHERE {condition}", values)
    sessions = frozenset(session_id for (session_id,) in rows)
    condition, values = scope.sql()
    if not sessions and not raw.execute(f"SELECT 1 FROM memory WHERE {condition} LIMIT 1", values).fetchone():
        raise ProjectError(
            f"No memory and no session is of a project called {name!r}: `llm-memory search` shows names."
        )

    def holds(record: dict[str, Any]) -> bool:
        project_id, project = (mirror_rows.clean(record.get(field) or "") for field in ("project_id", "project"))
        return scope.holds(project_id or None, fold_name(project) if project else None)

    return Chosen(holds, sessions, config=False), selectors.several_projects_hint(scope)
