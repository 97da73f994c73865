"""What the mirror and the files hold for a project's briefing."""

from __future__ import annotations

from memories.core import coverage, digest, handoff, narrative_sections, records, redaction, scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.digest import Log
    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

NOTES = 20
IMPORTANT = 8
AUTO_MEMORY = "Claude auto memory"
"""What notes made of Claude's auto memory carry as imported_from (auto_memory.SOURCE, whose module no hook loads)."""

_COLUMNS = (
    "uuid",
    "type",
    "content",
    "created_at",
    "updated_at",
    "importance",
    "session_id",
    "one_shot",
    "origin",
    "imported_from",
)


class Material:
    """A project's narrative with its sections, how far it has come, its notes, its newest session logs.

    logs: of other sessions than the one that starts, newest first. with_auto_memory: whether notes made of Claude's
    auto memory on this machine are among the notes; a session of the project here gets that from Claude itself.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        folder: DataFolder,
        project: scope.Scope,
        session: str,
        *,
        with_auto_memory: bool = False,
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._session = session
        self.project = project
        self._left_out = (AUTO_MEMORY, "" if with_auto_memory else records.machine_name())
        self.narrative = coverage.narrative(connection, folder, project)
        self.sections = narrative_sections.sections(self.narrative.content) if self.narrative else []
        self.coverage = coverage.coverage_of(self.narrative, connection, folder, project, own_session=session or None)
        rows = self._newest("type = 'session_log'", digest.ROWS)
        self.logs = digest.newest([row for row in rows if row["session_id"] != session])
        important = self._newest(f"type = 'note' AND importance >= {IMPORTANT}", NOTES + 1)
        known = {row["uuid"] for row in important}
        recent = [row for row in self._newest("type = 'note'", NOTES + 1) if row["uuid"] not in known]
        self.notes = (important + recent)[:NOTES]
        self.more_notes = len(important) + len(recent) > NOTES

    @property
    def uncovered(self) -> list[Log]:
        """The newest logs that the narrative does not cover, or not to their end, without one-shot runs, which it need
        not cover; all where there is none."""
        if self.narrative is None:
            return self.logs
        grown = {entry["session_id"] for entry in self.coverage["grown"]}
        covered = set(self.narrative.refs) - grown
        return [log for log in self.logs if not log.one_shot and log.session_id not in covered]

    @property
    def redactor(self) -> Redactor:
        """What secrets are taken out with of what is not in the mirror."""
        return redaction.of(self._folder)

    def handoffs(self) -> list[dict[str, Any]]:
        """The handoffs that wait for another session than the one that stored them, newest first."""
        return handoff.waiting(self._connection, self._folder, self.project, self._session)

    def _newest(self, condition: str, limit: int, values: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """The project's newest visible rows that meet a condition. One query per id and name, each along an index in
        its order: with an OR between them SQLite would sort the whole project (30 ms at 10,000 records)."""
        found: list[dict[str, Any]] = []
        for where, value in self.project.conditions():
            rows = self._connection.execute(
                f"SELECT {', '.join(_COLUMNS)} FROM memory WHERE {where} AND {condition} AND {scope.VISIBLE} "
                "AND NOT (imported_from IS ? AND origin IS ?) "
                f"ORDER BY created_at DESC LIMIT {limit}",
                (value, *values, *self._left_out),
            )
            found.extend(dict(zip(_COLUMNS, row, strict=True)) for row in rows)
        return sorted(found, key=lambda row: (row["created_at"], row["uuid"]), reverse=True)[:limit]

    def own_notes(self) -> list[dict[str, Any]]:
        """The notes that the session stored, newest first."""
        return self._newest("type = 'note' AND session_id = ?", NOTES, (self._session,)) if self._session else []

    def own_decisions(self) -> list[str]:
        """What the session's log says was decided, without the places, oldest first: it was read from the beginning."""
        rows = self._newest("type = 'session_log' AND session_id = ?", 1, (self._session,)) if self._session else []
        return [digest.without_place(entry) for row in rows for entry in digest.Log(row).entries("Decided")]

    def since(self, time: str) -> list[dict[str, Any]]:
        """What other sessions added or changed after a time, newest first; one more than is shown tells of more."""
        condition = "max(created_at, coalesce(updated_at, '')) > ? AND session_id IS NOT ?"
        return self._newest(condition, NOTES + 1, (time, self._session))
