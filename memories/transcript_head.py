"""What stands above a transcript: which session it is, its log, the memories made from it, the files beside it."""

from __future__ import annotations

from dataclasses import dataclass

from memories import selectors
from memories.core import archived_sessions, clock, records
from memories.core.archived_sessions import ArchivedTranscript
from memories.core.paths import DataFolder
from memories.facets import current
from memories.models import Memory
from memories.project_groups import ProjectGroup
from memories.shown_text import plain_line

MAX_MEMORIES = 12
_NARRATIVES = 5


@dataclass(frozen=True)
class Mention:
    """A memory that names the session."""

    uuid: str
    type: str
    title: str


@dataclass(frozen=True)
class TranscriptHead:
    """A transcript. Times are record times, "" where unknown. turns: None where it is not indexed. machine: "" where no
    memory says. log: the session's own; memories: others that were stored in it or written from it (more: there are
    others). agents, diverged: the names of transcripts beside it, without the session's id. problem: why it could not
    be indexed, or "".
    """

    found: ArchivedTranscript
    project: ProjectGroup | None
    branch: str
    started_at: str
    ended_at: str
    turns: int | None
    machine: str
    log: Mention | None
    memories: list[Mention]
    more: bool
    agents: list[str]
    diverged: list[str]
    problem: str


def transcript_head(folder: DataFolder, found: ArchivedTranscript) -> TranscriptHead:
    """All of it, by index. A fixed number of queries. Raises MirrorUnavailableError."""
    raw = selectors.mirror_connection(folder)
    row = raw.execute(
        "SELECT project_id, project_key, branch, started_at, ended_at, turns, problem FROM session "
        "WHERE session_id = ? AND part = ?",
        (found.session_id, found.name.partition("/")[2]),
    ).fetchone()
    project_id, key, branch, started, ended, turns, problem = row or (None,) * 7
    fields = ("uuid", "type", "title", "origin")
    own = list(
        Memory.objects.filter(session_id=found.session_id).order_by("-created_at")[: MAX_MEMORIES + 2].values(*fields)
    )
    own += [one for one in _narratives(found.session_id, project_id) if one not in own]
    mentions = [Mention(one["uuid"], one["type"], plain_line(one["title"]) or one["uuid"]) for one in own]
    log_uuid = next((one.uuid for one in mentions if one.type == "session_log"), "")
    others = [one for one in mentions if one.uuid != log_uuid]
    beside = archived_sessions.beside(folder, found.session_id)
    return TranscriptHead(
        found=found,
        project=next((one for one in current(folder).groups if one.scope and one.holds((project_id, key))), None),
        branch=branch or "",
        started_at=clock.format_time(started) if started is not None else "",
        ended_at=clock.format_time(ended) if ended is not None else "",
        turns=turns,
        machine=next((one["origin"] for one in own if one["origin"]), ""),
        log=next((one for one in mentions if one.uuid == log_uuid), None),
        memories=others[:MAX_MEMORIES],
        more=len(others) > MAX_MEMORIES,
        agents=[stem for stem in beside if not stem.startswith("diverged-")],
        diverged=[stem for stem in beside if stem.startswith("diverged-")],
        problem=problem or "",
    )


def _narratives(session_id: str, project_id: str | None) -> list[dict[str, str]]:
    """The newest narratives of the project that were written from the session: transcript_ref has no index, the
    project's narratives do."""
    if project_id is None:
        return []
    found = Memory.objects.filter(project_id=project_id, type="narrative").order_by("-created_at")[:_NARRATIVES]
    rows = found.values("uuid", "type", "title", "origin", "transcript_ref")
    return [
        {name: row[name] for name in ("uuid", "type", "title", "origin")}
        for row in rows
        if session_id in records.session_refs(row["transcript_ref"])
    ]
