"""Exports to read: Markdown, JSON lines, HTML. What was asked for is checked before anything is written."""

from __future__ import annotations

import os

from memories.core import archived_sessions, new_file
from memories.core.errors import StorageError
from memories.exporters import jsonl, material
from memories.exporters.formats import BUNDLE, HTML, JSONL, MARKDOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memories.core.archived_sessions import ArchivedTranscript
    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.exporters.material import Material

    Progress = Callable[[str, int, int], None]


class Asked:
    """What a command line asks for. format: of formats.FORMATS; session: as it was given; transcripts: whether they are
    wanted, None where nothing was said."""

    __slots__ = ("archived", "force", "format", "path", "project", "session", "transcripts")

    def __init__(
        self,
        format: str,  # noqa: A002 - what users call it
        path: str,
        *,
        project: str | None = None,
        session: str | None = None,
        transcripts: bool | None = None,
        archived: bool = False,
        force: bool = False,
    ) -> None:
        self.format, self.path = format, path
        self.project, self.session, self.transcripts = project, session, transcripts
        self.archived, self.force = archived, force


class Report:
    """What an export wrote. counts: what -> how many, in the order in which they are told; left_out: how many archived
    and superseded memories are not in it; left: (name, reason) of what could not be read; kept: paths of files in the
    folder that the user edited; hint: to be said where a name fitted several projects."""

    __slots__ = ("counts", "hint", "kept", "left", "left_out")

    def __init__(self, found: Material) -> None:
        self.counts: dict[str, int] = {}
        self.left_out = found.left_out
        self.left: list[tuple[str, str]] = list(found.unread)
        self.kept: list[str] = []
        self.hint = found.hint


def check(folder: DataFolder, asked: Asked) -> None:
    """Raise StorageError for what cannot be had together, and for a place in the data folder, where an export would be
    taken for a part of the memory or travel with it."""
    if asked.path != new_file.STDOUT:
        place, inside = new_file.place(asked.path), os.path.realpath(folder.root)
        if place == inside or place.startswith(inside + os.sep):
            raise StorageError(f"{place} is in the data folder: export to another place.")
    if asked.format == BUNDLE and asked.session:
        raise StorageError(
            "A bundle takes everything or one --project: for --session say --format html, markdown or jsonl."
        )
    if asked.format == HTML and bool(asked.session) == bool(asked.project):
        raise StorageError("A page is of one session or of one project: say --session S or --project P.")
    if asked.format == HTML and asked.session and asked.transcripts is False:
        raise StorageError("A page of a session is its transcript: leave --no-transcripts away.")
    if asked.transcripts and (asked.format == JSONL or (asked.format == HTML and asked.project)):
        raise StorageError(
            "Transcripts go into bundles, Markdown folders and pages of a session: leave --transcripts away."
        )
    if asked.format == MARKDOWN and asked.path == new_file.STDOUT:
        raise StorageError("A folder of Markdown files cannot go to stdout: name a folder.")


def export(
    folder: DataFolder,
    asked: Asked,
    own: Project | None,
    settings: dict[str, Any],
    progress: Progress | None = None,
) -> Report:
    """Write it. own: the project of the current folder. Raises StorageError (what is in the way, a disk that refuses),
    TranscriptError (no such session), ProjectError (nothing is of that project), LockTimeoutError,
    MirrorUnavailableError."""
    session = archived_sessions.find(folder, asked.session) if asked.session else None
    choice = material.Choice(
        asked.project,
        session.session_id if session else "",
        archived=asked.archived,
        conversations=bool(asked.transcripts or (session and asked.transcripts is None)),
    )
    with material.opened(folder, choice, own, settings) as found:
        report = Report(found)
        if asked.format == MARKDOWN:
            _markdown(folder, asked, found, report, progress)
        else:
            _one_file(folder, asked, found, report, session)
    return report


def _markdown(folder: DataFolder, asked: Asked, found: Material, report: Report, progress: Progress | None) -> None:
    from memories.exporters.markdown_folder import MarkdownExport
    from memories.exporters.vault import Vault

    with Vault(folder, asked.path, force=asked.force) as vault:
        work = MarkdownExport(folder, found, vault, progress)
        work.run()
    report.counts = {
        "memories": len(found.heads),
        "conversations": len(work.sessions) - len(work.left),
        "written": vault.written,
        "unchanged": vault.unchanged,
        "removed": vault.removed,
    }
    report.left += work.left
    report.kept = vault.kept


def _one_file(
    folder: DataFolder, asked: Asked, found: Material, report: Report, session: ArchivedTranscript | None
) -> None:
    with new_file.writing(asked.path, overwrite=asked.force) as file:
        if asked.format == JSONL:
            count, left = jsonl.write(folder, found, file)
            report.counts = {"memories": count}
            report.left += left
        elif session is not None:
            from memories.exporters import html_session  # needs libraries that the others do without

            report.counts = {"memories": len(found.heads), "lines": html_session.write(folder, found, session, file)}
        else:
            from memories.exporters import html_project

            report.counts = {"memories": html_project.write(found, file)}
