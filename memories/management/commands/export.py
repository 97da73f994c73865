"""`manage.py export FILE`: the memory as one file."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from hooks.shipped_files import shipped_order
from memories import bundle_scope
from memories.core import bundle, bundle_export, merge_copies, projects
from memories.core.bundle_export import STDOUT, Chosen, Contents
from memories.core.errors import StorageError
from memories.core.settings import read_settings
from memories.management.base import MemoryCommand
from memories.management.progress import ProgressBars
from memories.management.shown import shown

WAIT_SECONDS = 60.0


class Command(MemoryCommand):
    """Merge what waits to be merged, write the bundle, say what is in it."""

    help = (
        "Write the memory to one file: every memory (deleted ones too), every transcript, the rules and the settings. "
        "`llm-memory import` merges it into another."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and what goes into it."""
        parser.add_argument("file", metavar="FILE", help="the bundle to write; .gz is compressed; - is stdout")
        parser.add_argument(
            "--project",
            help="only this project: its memories, deleted ones too, and its sessions' logs and transcripts; "
            "no rules, no settings",
        )
        parser.add_argument("--no-transcripts", action="store_true", help="without the transcripts: much smaller")
        parser.add_argument(
            "--redact",
            action="store_true",
            help="also overwrite what looks like a secret in transcripts, which else go as the archive has them",
        )
        parser.add_argument("--force", action="store_true", help="replace FILE where it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write and report; on stderr where stdout takes the bundle."""
        to_stdout = options["file"] == STDOUT
        if to_stdout and sys.stdout.isatty():
            raise StorageError("A bundle is no text for a terminal: name a file, or send it on with `|` or `>`.")
        self._to_stderr = to_stdout
        merged = merge_copies.run(self.folder, shipped_rules=shipped_order, wait_seconds=WAIT_SECONDS)
        chosen, hint = Chosen(), None
        if options["project"]:
            settings, _ = read_settings(self.folder)
            own = projects.identify(os.getcwd(), settings)
            chosen, hint = bundle_scope.chosen(self.folder, options["project"], own, settings)
        if options["no_transcripts"]:
            chosen.sessions = frozenset()
        chosen.masked = options["redact"]
        with ProgressBars() as bars:
            contents = bundle_export.export(
                self.folder,
                options["file"],
                chosen,
                overwrite=options["force"],
                progress=lambda done, total: bars("files", done, total),
            )
        self._report("stdout" if to_stdout else options["file"], contents, hint)
        is_raw = not (chosen.masked or read_settings(self.folder)[0]["redact_transcripts"])
        if is_raw and contents.counts[bundle.TRANSCRIPT]:
            self._tell("Transcripts went in raw, with any secrets they hold: --redact overwrites what looks like one")
        known = dict(contents.left)
        for path, reason in merged.left:
            if path not in known:
                self._tell(f"  not merged: {shown(path)}: {shown(reason)}")

    def _report(self, where: str, contents: Contents, hint: str | None) -> None:
        counts = contents.counts
        parts = [
            _counted(counts[bundle.RECORD], "memory", "memories"),
            _counted(counts[bundle.TOMBSTONE], "deleted memory", "deleted memories"),
            f"{_counted(contents.sessions, 'session')} ({_counted(counts[bundle.TRANSCRIPT], 'file')})",
            *(kind for kind in (bundle.RULES, bundle.SETTINGS) if counts[kind]),
        ]
        if counts[bundle.MARK]:
            parts.append(f"{_counted(counts[bundle.MARK], 'mark')} of sessions that must not come back")
        self._tell(f"Exported to {where}: {', '.join(parts)}")
        self._tell(f"{contents.size} bytes, sha256 {contents.sha256}")
        if contents.secrets:
            self._tell(f"{_counted(contents.secrets, 'secret')} in memories replaced in the bundle, not here")
        if contents.masked:
            self._tell(f"Secrets overwritten in {_counted(contents.masked, 'transcript file')} in the bundle, not here")
        if hint:
            self._tell(shown(hint))
        for path, reason in contents.left:
            self._tell(f"  left out: {shown(path)}: {shown(reason)}")

    def _tell(self, line: str) -> None:
        (self.stderr if self._to_stderr else self.stdout).write(line)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
