"""`llm-memory export PATH`: the memory as one file for another LLM Memory, or as Markdown, JSON lines, HTML to read."""

from __future__ import annotations

import os
import sys

from hooks.shipped_files import shipped_order
from memories import bundle_scope
from memories.core import bundle, bundle_export, merge_copies, projects
from memories.core.bundle_export import Chosen
from memories.core.errors import StorageError
from memories.core.new_file import STDOUT
from memories.core.settings import read_settings
from memories.exporters import formats, reading
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.terminal import command
from memories.terminal.packages import make_importable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.core.bundle_export import Contents
    from memories.core.merge_copies import MergeResult
    from memories.exporters.reading import Asked, Report

WAIT_SECONDS = 60.0
_FILES = (("written", "written"), ("unchanged", "as before"), ("removed", "removed"))


class Command(command.Command):
    """Merge what waits to be merged, write the export, say what is in it."""

    help = (
        "Write the memory to PATH. A bundle (.tar.gz, .tar, -) holds every memory (deleted ones too), "
        "every transcript, the rules and the settings; `llm-memory import` merges it into another. To read: "
        "a folder (name/) of Markdown files that opens in Obsidian, .jsonl with a record a line, .html with one "
        "session or project."
    )
    examples = (
        "export memory.tar.gz",
        "export notes/ --format markdown",
        "export session.html --session 7b1e2f04",
        "export orders.html --project orders-api",
        "export memories.jsonl --include-archived",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and what goes into it."""
        parser.add_argument(
            "path", metavar="PATH", help="the file or folder; a bundle's .gz is compressed; - is stdout"
        )
        parser.add_argument("--format", choices=formats.FORMATS, help="instead of the one that PATH's ending means")
        parser.add_argument(
            "--project",
            metavar="PROJECT",
            help="only this project: its memories, in a bundle deleted ones too, and its sessions' logs and "
            "transcripts; no rules, no settings",
        )
        parser.add_argument(
            "--session", metavar="SESSION", help="only this session: its conversation and the memories made in it"
        )
        kept = parser.add_mutually_exclusive_group()
        kept.add_argument(
            "--no-transcripts", action="store_true", help="a bundle without the transcripts: much smaller"
        )
        kept.add_argument(
            "--transcripts", action="store_true", help="in a Markdown folder, every conversation as a file too"
        )
        parser.add_argument(
            "--redact",
            action="store_true",
            help="also overwrite what looks like a secret in a bundle's transcripts, which else go as the archive has "
            "them; what the other formats show is always redacted",
        )
        parser.add_argument(
            "--include-archived",
            action="store_true",
            help="archived and superseded memories too; a bundle has them all",
        )
        parser.add_argument(
            "--force", action="store_true", help="replace PATH where it exists; into a folder that has other files too"
        )
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, **options: Any) -> None:
        """Write and report; on stderr where stdout takes the export."""
        asked = _asked(options)
        reading.check(self.folder, asked)
        self._to_stderr = asked.path == STDOUT
        if self._to_stderr and sys.stdout.isatty():
            raise StorageError("An export is no text for a terminal: name a file, or send it on with `|` or `>`.")
        merged = merge_copies.run(self.folder, shipped_rules=shipped_order, wait_seconds=WAIT_SECONDS)
        if asked.format == formats.BUNDLE:
            self._bundle(asked, merged, masked=options["redact"], as_json=options["json"])
        else:
            self._to_read(asked, merged, as_json=options["json"])

    def _to_read(self, asked: Asked, merged: MergeResult, *, as_json: bool) -> None:
        make_importable()  # what renders HTML
        settings, _ = read_settings(self.folder)
        with ProgressBars(shown=not as_json) as bars:
            own = projects.identify(os.getcwd(), settings)
            report = reading.export(self.folder, asked, own, settings, bars)
        if as_json:
            self._tell_json(
                {
                    "format": asked.format,
                    "path": asked.path,
                    "counts": report.counts,
                    "archived_left_out": report.left_out,
                    "edited": report.kept,
                    "left_out": _listed(report.left),
                    "not_merged": _listed(merged.left),
                    "hint": report.hint,
                }
            )
            return
        self._tell_reading(asked, report)
        self._tell_unmerged(merged, {name for name, _ in report.left})

    def _tell_reading(self, asked: Asked, report: Report) -> None:
        counts = report.counts
        parts = [_counted(counts["memories"], "memory", "memories")]
        if counts.get("conversations"):
            parts.append(_counted(counts["conversations"], "conversation"))
        if "lines" in counts:
            parts.append(f"{_counted(counts['lines'], 'line')} of the conversation")
        self._tell(f"Exported to {_where(asked.path)}: {', '.join(parts)}")
        if "written" in counts:
            self._tell(f"Files: {', '.join(f'{counts[name]} {said}' for name, said in _FILES)}")
        if report.left_out:
            hidden = _counted(report.left_out, "archived or superseded memory", "archived or superseded memories")
            self._tell(f"{hidden} left out: --include-archived takes them too")
        if report.hint:
            self._tell(shown(report.hint))
        for path in report.kept:
            self._tell(f"  left as you edited it: {shown(path)}")
        for name, reason in report.left:
            self._tell(f"  left out: {shown(name)}: {shown(reason)}")

    def _bundle(self, asked: Asked, merged: MergeResult, *, masked: bool, as_json: bool) -> None:
        chosen, hint = Chosen(), None
        settings, _ = read_settings(self.folder)
        if asked.project:
            own = projects.identify(os.getcwd(), settings)
            chosen, hint = bundle_scope.chosen(self.folder, asked.project, own, settings)
        if asked.transcripts is False:
            chosen.sessions = frozenset()
        chosen.masked = masked
        with ProgressBars(shown=not as_json) as bars:
            contents = bundle_export.export(
                self.folder,
                asked.path,
                chosen,
                overwrite=asked.force,
                progress=lambda done, total: bars("files", done, total),
            )
        is_raw = not (masked or settings["redact_transcripts"]) and bool(contents.counts[bundle.TRANSCRIPT])
        if as_json:
            self._tell_json(
                {
                    "format": asked.format,
                    "path": asked.path,
                    "counts": contents.counts,
                    "sessions": contents.sessions,
                    "bytes": contents.size,
                    "sha256": contents.sha256,
                    "secrets_replaced": contents.secrets,
                    "transcripts_masked": contents.masked,
                    "transcripts_raw": is_raw,
                    "left_out": _listed(contents.left),
                    "not_merged": _listed(merged.left),
                    "hint": hint,
                }
            )
            return
        self._tell_bundle(asked.path, contents, hint)
        if is_raw:
            self._tell("Transcripts went in raw, with any secrets they hold: --redact overwrites what looks like one")
        self._tell_unmerged(merged, {name for name, _ in contents.left})

    def _tell_bundle(self, path: str, contents: Contents, hint: str | None) -> None:
        counts = contents.counts
        parts = [
            _counted(counts[bundle.RECORD], "memory", "memories"),
            _counted(counts[bundle.TOMBSTONE], "deleted memory", "deleted memories"),
            f"{_counted(contents.sessions, 'session')} ({_counted(counts[bundle.TRANSCRIPT], 'file')})",
            *(kind for kind in (bundle.RULES, bundle.SETTINGS) if counts[kind]),
        ]
        if counts[bundle.MARK]:
            parts.append(f"{_counted(counts[bundle.MARK], 'mark')} of sessions that must not come back")
        self._tell(f"Exported to {_where(path)}: {', '.join(parts)}")
        self._tell(f"{contents.size} bytes, sha256 {contents.sha256}")
        if contents.secrets:
            self._tell(f"{_counted(contents.secrets, 'secret')} in memories replaced in the bundle, not here")
        if contents.masked:
            self._tell(f"Secrets overwritten in {_counted(contents.masked, 'transcript file')} in the bundle, not here")
        if hint:
            self._tell(shown(hint))
        for name, reason in contents.left:
            self._tell(f"  left out: {shown(name)}: {shown(reason)}")

    def _tell_unmerged(self, merged: MergeResult, known: set[str]) -> None:
        for path, reason in merged.left:
            if path not in known:
                self._tell(f"  not merged: {shown(path)}: {shown(reason)}")

    def _tell(self, line: str) -> None:
        (self.warn if self._to_stderr else self.say)(line)

    def _tell_json(self, value: dict[str, Any]) -> None:
        command.Command(self.stderr if self._to_stderr else self.stdout).say_json(value)


def _asked(options: dict[str, Any]) -> Asked:
    """The command line as what it asks for. Raises StorageError where the path does not tell the format."""
    transcripts = True if options["transcripts"] else False if options["no_transcripts"] else None
    return reading.Asked(
        options["format"] or formats.of_path(options["path"]),
        options["path"],
        project=options["project"],
        session=options["session"],
        transcripts=transcripts,
        archived=options["include_archived"],
        force=options["force"],
    )


def _where(path: str) -> str:
    return "stdout" if path == STDOUT else path


def _listed(left: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"path": path, "reason": reason} for path, reason in left]


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
