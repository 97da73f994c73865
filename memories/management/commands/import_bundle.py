"""`llm-memory import FILE` (a Python module cannot be called import): merge a bundle into the memory."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from hooks.shipped_files import shipped_order
from memories.core import bundle, bundle_import
from memories.core.bundle_import import ImportResult
from memories.core.errors import BundleError, StorageError
from memories.management.base import MemoryCommand
from memories.management.progress import ProgressBars
from memories.management.shown import shown

STDIN = "-"
NAMES = {
    bundle.RECORD: "Memories",
    bundle.TOMBSTONE: "Deleted memories",
    bundle.TRANSCRIPT: "Transcript files",
    bundle.RULES: "Rules",
    bundle.SETTINGS: "Settings",
    bundle.MARK: "Marks of sessions that must not come back",
}


class Command(MemoryCommand):
    """Exit 0 also with files that could not be merged, which it names; 1 where the bundle was refused."""

    help = (
        "Merge a file that `llm-memory export` wrote into this memory: nothing is overwritten, what differs is kept. "
        "It is verified first, and refused whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The bundle."""
        parser.add_argument("file", metavar="FILE", help="the bundle, compressed or not; - is stdin")
        parser.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and report."""
        name = options["file"]
        if name != STDIN:
            try:
                bundle_file = open(name, "rb")  # noqa: SIM115 - closed below
            except OSError as error:
                raise StorageError(f"Cannot read {name}: {error.strerror}. Check its name and permissions.") from error
            try:
                with bundle_file:
                    result = self._import(bundle_file, dry_run=options["dry_run"])
            except BundleError as error:
                raise BundleError(f"{shown(name)}: {error}") from error
        elif sys.stdin.isatty():
            raise StorageError("No bundle comes in: name a file, or send one in with `|` or `<`.")
        else:
            result = self._import(sys.stdin.buffer, dry_run=options["dry_run"])
        self._report(result, dry_run=options["dry_run"])

    def _import(self, file: Any, *, dry_run: bool) -> ImportResult:
        with ProgressBars() as bars:
            return bundle_import.run(self.folder, file, shipped_rules=shipped_order, dry_run=dry_run, progress=bars)

    def _report(self, result: ImportResult, *, dry_run: bool) -> None:
        done = "Would import" if dry_run else "Imported"
        self.say(f"{done} {result.files} files, {result.bytes} bytes, exported by {shown(result.machine)}")
        for kind, counts in result.counts.items():
            if any(counts.values()):
                self.say(f"  {NAMES[kind]}: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}")
        if result.secrets:
            self.say(f"  {result.secrets} secret{'s' * (result.secrets != 1)} replaced in memories")
        for session_id in sorted(result.forgotten):
            self.say(f"  left out: session {session_id}, which was forgotten or let go")
        for session_id in result.removed:
            self.say(f"  removed here, as a mark in the bundle says: session {session_id}")
        for name in result.kept:
            self.say(f"  kept because it differs: {shown(name)}")
        for path, reason in result.left:
            self.say(f"  not merged: {shown(path)}: {shown(reason)}")
