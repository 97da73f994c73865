"""The archived transcripts: finding one by the name that a person or a search hit gives, and listing the newest.

A name is a session id, the beginning of one, or `<session id>/<file>` for a transcript beside it: `.../agent-x` for a
subagent's (subagents/agent-x.jsonl), `.../diverged-x` for a version of the session that differs (diverged.py).
"""

from __future__ import annotations

import os
import re
import stat

from memories.core import clock, gone_sessions, redaction, session_logs, transcripts
from memories.core.errors import LLMMemoryError, TranscriptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

MIN_PREFIX = 6
"""Hex digits of a session id's beginning that find it; as much as git asks for and more."""

_NAME = rf"([0-9a-fA-F-]{{{MIN_PREFIX},36}})(?:/([A-Za-z0-9_-]{{1,200}}))?"
_DIVERGED = "diverged-"
_SHOWN = 10


class ArchivedTranscript:
    """One file of the archive.

    name: as read_page takes it. path: absolute, no symlink in it below transcripts/. size in bytes. ended_at: when its
    source was last written to, a record's time string. is_subagent: the conversation in it is a subagent's.
    """

    __slots__ = ("_folder", "_redactor", "ended_at", "is_subagent", "name", "path", "session_id", "size")

    def __init__(self, folder: DataFolder, session_id: str, stem: str, path: str, size: int, modified: float) -> None:
        self._folder = folder
        self._redactor: Redactor | None = None
        self.session_id = session_id
        self.name = f"{session_id}/{stem}" if stem else session_id
        self.is_subagent = bool(stem) and not stem.startswith(_DIVERGED)
        self.path = path
        self.size = size
        self.ended_at = clock.format_time(modified)

    @property
    def redactor(self) -> Redactor:
        """What whoever shows the transcript takes secrets out with."""
        if self._redactor is None:
            self._redactor = redaction.of(self._folder)
        return self._redactor


def find(folder: DataFolder, name: str) -> ArchivedTranscript:
    """The transcript of that name. Raises TranscriptGoneError when its session was forgotten or its transcript let go,
    TranscriptError when none has it, several do, or it is no name."""
    match = re.fullmatch(_NAME, name.strip())
    if match is None:
        raise TranscriptError(
            f"{name[:80]!r} is no session: take a session id, or at least the first {MIN_PREFIX} characters of one. "
            "`llm-memory transcript` lists the newest."
        )
    session_id = _whole_id(folder, match[1])
    stem = match[2] or ""
    found = _open_to_reading(folder, session_id, stem)
    if found is not None:
        return found
    if not stem:
        raise TranscriptError(f"{session_id} is not a regular file in {folder.transcripts}: it is not read.")
    names = beside(folder, session_id)
    listed = f"has {', '.join(names[:_SHOWN])}" if names else "has no other transcripts"
    raise TranscriptError(f"No {stem} beside session {session_id}, which {listed}.")


def _whole_id(folder: DataFolder, prefix: str) -> str:
    if transcripts.is_session_id(prefix) and os.path.lexists(transcripts.archive_path(folder, prefix)):
        return prefix
    states = transcripts.archived_states(folder)
    found = sorted(session_id for session_id in states if session_id.lower().startswith(prefix.lower()))
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise TranscriptError(
            f"{len(found)} sessions begin with {prefix}: {', '.join(found[:_SHOWN])}{more}. Give more of the id."
        )
    if not found:
        gone_sessions.check(folder, prefix)
        raise TranscriptError(
            f"No session {prefix} is archived. One that still runs is archived when it ends or is compacted; "
            "`llm-memory sync` archives what is there now, `llm-memory transcript` lists the newest."
        )
    return found[0]


def _open_to_reading(folder: DataFolder, session_id: str, stem: str) -> ArchivedTranscript | None:
    """The file when it is a regular one reached without a symlink: a synced folder must not lead outside of it."""
    root = os.path.realpath(folder.transcripts)
    inside = [session_id] if not stem or stem.startswith(_DIVERGED) else [session_id, "subagents"]
    path = os.path.join(root, *inside, stem) if stem else os.path.join(root, session_id)
    path += transcripts.SUFFIX
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or os.path.realpath(path) != path:
        return None
    return ArchivedTranscript(folder, session_id, stem, path, status.st_size, status.st_mtime)


def beside(folder: DataFolder, session_id: str) -> list[str]:
    """Names of the transcripts beside a session's, `agent-x` and `diverged-x`, sorted."""
    root = os.path.join(os.path.realpath(folder.transcripts), session_id)
    names = [name for name in _listed(root) if name.startswith(_DIVERGED)]
    names += [name for name in _listed(os.path.join(root, "subagents")) if not name.startswith(_DIVERGED)]
    stems = [name.removesuffix(transcripts.SUFFIX) for name in names if name.endswith(transcripts.SUFFIX)]
    return sorted(stem for stem in stems if _open_to_reading(folder, session_id, stem) is not None)


def _listed(path: str) -> list[str]:
    """Names in a folder that is reached without a symlink, given as the path that it has then; else none."""
    try:
        return os.listdir(path) if os.path.realpath(path) == path else []
    except OSError:
        return []


def newest(folder: DataFolder, limit: int) -> list[ArchivedTranscript]:
    """The sessions that were written to last, newest first."""
    states = transcripts.archived_states(folder)
    found = sorted(states, key=lambda session_id: (states[session_id][1], session_id), reverse=True)[:limit]
    return [one for session_id in found if (one := _open_to_reading(folder, session_id, "")) is not None]


def project_name(folder: DataFolder, session_id: str) -> str:
    """The project of a session, as its log says; "" where there is no log or none is named."""
    try:
        project = redaction.load(folder, session_logs.log_uuid(session_id)).get("project")
    except LLMMemoryError:
        return ""
    return project if isinstance(project, str) else ""
