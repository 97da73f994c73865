"""`llm-memory import FILE` (a Python module cannot be called import): merge a bundle into the memory."""

from __future__ import annotations

import sqlite3
import sys
from argparse import ArgumentParser
from contextlib import closing
from typing import Any

from hooks.shipped_files import shipped_order
from memories import forget_listing
from memories.core import bundle, bundle_import, mirror
from memories.core.bundle_import import ImportResult
from memories.core.errors import BundleError, LLMMemoryError, StorageError
from memories.core.paths import claude_projects_dir
from memories.management.base import MemoryCommand
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.named import counted

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
        parser.add_argument(
            "--forget",
            action="store_true",
            help="also let marks in the bundle remove sessions that are here, without asking",
        )
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
                    result = self._import(bundle_file, options)
            except BundleError as error:
                raise BundleError(f"{shown(name)}: {error}") from error
        elif sys.stdin.isatty():
            raise StorageError("No bundle comes in: name a file, or send one in with `|` or `<`.")
        else:
            result = self._import(sys.stdin.buffer, options)
        self._report(result, dry_run=options["dry_run"])

    def _import(self, file: Any, options: dict[str, Any]) -> ImportResult:
        with ProgressBars() as bars:

            def agree(session_ids: list[str]) -> bool:
                bars.pause()
                return self._agreed(session_ids, options)

            return bundle_import.run(
                self.folder,
                file,
                shipped_rules=shipped_order,
                dry_run=options["dry_run"],
                progress=bars,
                projects_dir=claude_projects_dir(),
                agree=agree,
            )

    def _agreed(self, session_ids: list[str], options: dict[str, Any]) -> bool:
        """List the sessions that marks in the bundle would remove here, and ask where somebody can be asked."""
        self.say(f"Marks in the bundle say that {counted(len(session_ids), 'session')} must go, of which this is here:")
        for line in self._lines(session_ids):
            self.say(f"  {line}")
        if options["forget"] or options["dry_run"] or not sys.stdin.isatty():
            return bool(options["forget"])
        self.stdout.flush()
        try:
            said = input("Remove them here, too? It cannot be undone. All else is imported either way. [y/N] ")
        except EOFError:
            said = ""
        return said.strip().lower() in {"y", "yes"}

    def _lines(self, session_ids: list[str]) -> list[str]:
        try:
            with closing(mirror.connect(self.folder.mirror, read_only=True)) as connection:
                listed = forget_listing.Known(self.folder, claude_projects_dir(), connection).listed(session_ids)
        except (LLMMemoryError, sqlite3.Error):
            return session_ids  # no index: their ids say which they are
        return [line for one in listed for line in forget_listing.head_of(one)]

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
        if result.spared:
            for session_id in result.spared:
                self.say(f"  not taken: the mark that would remove session {session_id} here")
            self.say("To remove what is here of them, too: import it again with --forget.")
        for name in result.kept:
            self.say(f"  kept because it differs: {shown(name)}")
        for path, reason in result.left:
            self.say(f"  not merged: {shown(path)}: {shown(reason)}")
