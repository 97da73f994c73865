"""The sweep: from Claude Code's projects folder to the archive and the session logs.

For each session the log is written first and the archive last, whose mtime is the mark that all is done: a crash in
between leaves the session to be done again. A session that the archive holds from another machine is logged only where
its log is missing, so that two machines do not write it in turn. With nothing new a sweep costs one stat a transcript.
Sessions that are forgotten, or were let go as far as they go, are passed over (forgotten.py).
"""

from __future__ import annotations

import json
import os
import time

from memories.core import files, forgotten, projects, transcripts
from memories.core.errors import InvalidRecordError, LLMMemoryError, StorageError, TranscriptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.core.transcripts import Source


MASKED_INLINE = 500_000
"""Bytes to be masked beyond which a session waits for a sweep that may take its time (0.2 s at 2.5 MB/s)."""


class SweepResult:
    """What a sweep did.

    archived: ids of the sessions whose archive was made or grew. logged: session logs written. skipped: (path, reason)
    of transcripts that could not be kept. excluded: sessions of projects that must not be remembered, as far as looked
    at. kept_out: transcripts that Claude Code still has of sessions that were forgotten or let go. complete: False when
    the deadline came first.
    """

    __slots__ = ("archived", "complete", "excluded", "kept_out", "logged", "skipped")

    def __init__(self) -> None:
        self.archived: list[str] = []
        self.logged = 0
        self.skipped: list[tuple[str, str]] = []
        self.excluded = self.kept_out = 0
        self.complete = True


class _Sweeper:
    """One sweep's settings and what it has looked up so far."""

    def __init__(self, folder: DataFolder, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.settings = settings
        self.result = SweepResult()
        self.logs_are_new = True
        self._projects: dict[str, Project | None] = {}

    def project_of(self, cwd: str) -> Project | None:
        if cwd not in self._projects:
            self._projects[cwd] = projects.identify(cwd, self.settings)
        return self._projects[cwd]

    def keep(self, source: Source, *, log_if_missing_only: bool = False) -> bool:
        """Log and archive one session; False when there is nothing to keep: excluded, forgotten, nobody said anything.

        Raises LLMMemoryError when its transcript cannot be read or the data folder not be written.
        """
        if self.is_kept_out(source):
            return False
        try:
            return self._keep(source, log_if_missing_only=log_if_missing_only)
        finally:
            if self.is_kept_out(source):  # marked meanwhile: whoever marked it may have looked before all was written
                from memories.core import forgetting

                forgetting.remove(self.folder, source.session_id)
                self.result.archived = [one for one in self.result.archived if one != source.session_id]

    def is_kept_out(self, source: Source) -> bool:
        """Whether nothing of it may be kept: its session is forgotten, or was let go as far as it goes."""
        return forgotten.kind_of(self.folder, source.session_id, source.mtime_ns) is not None

    def _keep(self, source: Source, *, log_if_missing_only: bool) -> bool:
        from memories.core import redaction, session_logs  # not for the session starts that find nothing new

        if os.path.lexists(os.path.join(self.folder.state, "ignored", source.session_id)):
            self.result.excluded += 1
            return False
        cwd = transcripts.launch_cwd(source.path)
        if cwd is None:
            return False
        project = self.project_of(cwd)
        if project is not None and not project.enabled:
            self.result.excluded += 1
            return False
        if not (log_if_missing_only and self._has_its_log(source)):
            log = session_logs.build(source.path, project, redaction.of(self.folder))
            if log is None:
                return False
            try:
                self.result.logged += session_logs.store(self.folder, log)
            except InvalidRecordError as error:  # somebody's broken file in its place: the archive is kept all the same
                self.result.skipped.append((source.path, str(error)))
        try:
            written = transcripts.archive(self.folder, source.path, transcripts.archive_redactor(self.settings))
        except TranscriptError:
            if transcripts.is_archived(self.folder, source):  # only a file beside the transcript could not be read
                self.result.archived.append(source.session_id)
            raise
        if written:
            self.result.archived.append(source.session_id)
        return True

    def masks_more_than(self, limit: int, source: Source) -> bool:
        """Whether archiving it takes masking of more bytes than that."""
        redactor = transcripts.archive_redactor(self.settings)
        if redactor is None:
            return False
        from memories.core import masked_archive

        return masked_archive.to_mask(self.folder, source, redactor) > limit

    def waits(self, source: Source) -> bool:
        """Whether its last line is not archived as it may be half written: the next sweep looks again."""
        if not self.settings.get("redact_transcripts") or transcripts.is_archived(self.folder, source):
            return False
        from memories.core import masked_archive

        return not masked_archive.is_quiet(source.mtime_ns)

    def _has_its_log(self, source: Source) -> bool:
        """Whether a session's log needs not be written: it is there, and not of an older form (or was deleted)."""
        from memories.core import session_logs

        if not session_logs.exists(self.folder, source.session_id):
            return False
        try:
            return self.logs_are_new or not session_logs.is_of_older_form(self.folder, source.session_id)
        except LLMMemoryError:  # somebody's broken file in its place: doctor names it
            return True


class _FormMark:
    """state/session-logs-form: the form of session logs (session_logs.FORM) that all of this machine's have.

    Without it each sync would read every log to see whether it is of an older form.
    """

    def __init__(self, folder: DataFolder) -> None:
        from memories.core import session_logs

        self._path = os.path.join(folder.state, "session-logs-form")
        self._form = str(session_logs.FORM).encode("ascii")

    def is_reached(self) -> bool:
        try:
            with files.open_plain(self._path) as file:
                return file.read(len(self._form) + 1) == self._form
        except OSError:
            return False

    def save(self) -> None:
        files.write_atomic(self._path, self._form, durable=False)


def sweep(
    folder: DataFolder,
    projects_dir: str,
    settings: dict[str, Any],
    *,
    deadline: float | None = None,
    first: str | None = None,
    largest: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    thorough: bool = False,
) -> SweepResult:
    """Archive and log every session that is new or has grown.

    deadline: time.monotonic() seconds after which no further session is begun. first: the launch folder whose sessions
    come first; newest first otherwise. largest: bytes of a transcript beyond which it is left for another sweep (one
    file must not take a hook's whole time), as are those of which more than MASKED_INLINE is to be masked. progress:
    called with (sessions done, sessions to do). thorough: look again at sessions that were passed over before, and
    check that archived ones have their log, in its present form, and their `<sid>/` files. Never raises for one
    session: what fails is in skipped. Raises OSError when the data folder cannot be made.
    """
    folder.create()
    sweeper = _Sweeper(folder, settings)
    result = sweeper.result
    form = _FormMark(folder) if thorough else None
    sweeper.logs_are_new = form is None or form.is_reached()
    marks = _Marks(folder)
    states = transcripts.archived_states(folder)
    sources = _without_marked(folder, _in_order(transcripts.iter_sources(projects_dir), first), result)
    todo = [
        one for one in sources if thorough or not (transcripts.is_archived(folder, one, states) or marks.covers(one))
    ]
    for done, source in enumerate(todo):
        if deadline is not None and time.monotonic() >= deadline:
            result.complete = False
            break
        if largest is not None and (source.size > largest or sweeper.masks_more_than(MASKED_INLINE, source)):
            result.complete = False
            continue
        try:
            sweeper.keep(source, log_if_missing_only=transcripts.is_held(folder, source, states))
            if not sweeper.waits(source):
                marks.note(source, passed_over=not transcripts.is_archived(folder, source))
        except LLMMemoryError as error:
            result.skipped.append((source.path, str(error)))
        if progress is not None:
            progress(done + 1, len(todo))
    reached = form if result.complete and not sweeper.logs_are_new else None
    _save(result, folder, marks, {source.path for source in sources}, reached)
    return result


def _without_marked(folder: DataFolder, sources: list[Source], result: SweepResult) -> list[Source]:
    """The sources that may be kept; two listings where no session was ever forgotten or let go."""
    kinds = forgotten.marked(folder)
    if not kinds:
        return sources
    allowed = [
        one
        for one in sources
        if one.session_id not in kinds or forgotten.kind_of(folder, one.session_id, one.mtime_ns) is None
    ]
    result.kept_out = len(sources) - len(allowed)
    return allowed


def _save(result: SweepResult, folder: DataFolder, marks: _Marks, present: set[str], reached: _FormMark | None) -> None:
    """Keep what the next sweep may rely on. reached: the form that all session logs have now; None: not known."""
    try:
        marks.save(present)
        if reached is not None:
            reached.save()
    except StorageError as error:
        result.skipped.append((folder.state, str(error)))


def archive_session(folder: DataFolder, transcript_path: str, settings: dict[str, Any]) -> bool:
    """Log and archive one session now; True when its log or its archive was written.

    False also where there is no such transcript or nothing of it may be kept (forgotten, also just now). Raises
    LLMMemoryError, OSError.
    """
    source = transcripts.source_at(transcript_path)
    if source is None:
        return False
    folder.create()
    sweeper = _Sweeper(folder, settings)
    sweeper.keep(source)
    return bool(sweeper.result.archived or sweeper.result.logged) and not sweeper.is_kept_out(source)


def _in_order(sources: Iterable[Source], first: str | None) -> list[Source]:
    """The sources to look at, those launched in first before the others, then the newest.

    A session resumed from another folder is there twice: the longer transcript goes on where the other stopped.
    """
    longest: dict[str, Source] = {}
    for source in sources:
        other = longest.get(source.session_id)
        if other is None or (source.size, source.mtime_ns) > (other.size, other.mtime_ns):
            longest[source.session_id] = source
    real = os.path.realpath(first) if first else ""
    folders = {source.folder for source in longest.values()}
    own = {folder for folder in folders if real and transcripts.in_slug_folder(real, os.path.basename(folder))}
    return sorted(longest.values(), key=lambda source: (source.folder not in own, -source.mtime_ns))


class _Marks:
    """state/sweep.json: sources that were looked at and are not the archive, as {path: [size, mtime_ns]}.

    Without it an excluded project's transcripts would be opened at every session start, and those of sessions that
    another machine took further.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._path = os.path.join(folder.state, "sweep.json")
        self._marks: dict[str, Any] = {}
        try:
            with files.open_plain(self._path) as file:
                found = json.load(file)
        except (OSError, ValueError, RecursionError):
            found = {}
        if isinstance(found, dict):
            self._marks = found
        self._before = dict(self._marks)

    def covers(self, source: Source) -> bool:
        return bool(self._marks.get(source.path) == [source.size, source.mtime_ns])

    def note(self, source: Source, *, passed_over: bool) -> None:
        if passed_over:
            self._marks[source.path] = [source.size, source.mtime_ns]
        else:
            self._marks.pop(source.path, None)

    def save(self, present: set[str]) -> None:
        marks = {path: mark for path, mark in self._marks.items() if path in present}
        if marks != self._before:
            data = json.dumps(marks).encode("ascii")
            files.write_atomic(self._path, data, durable=False)
