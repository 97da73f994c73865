"""`llm-memory rebuild_index`: make the mirror anew from the record files and the archived transcripts."""

from __future__ import annotations

import time

from memories.core import conversation_index, mirror
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.named import counted
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

WAIT_SECONDS = 600.0


class Command(command.Command):
    """Rebuild in place: readers keep the old state until it is done."""

    help = "Make the index anew from the record files and the archived transcripts."
    examples = ("rebuild_index", "rebuild_index --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json for programs."""
        parser.add_argument("--json", action="store_true", help="what was done as JSON")

    def handle(self, **options: Any) -> None:
        """Rebuild and report. Raises LockTimeoutError, MirrorUnavailableError, StorageError."""
        folder, started = self.folder, time.monotonic()
        with ProgressBars(shown=not options["json"]) as bars:
            done = mirror.update(
                folder, wait_seconds=WAIT_SECONDS, rebuild=True, progress=lambda *counts: bars("records", *counts)
            )
        took = time.monotonic() - started
        if not options["json"]:
            self.say(f"Index rebuilt: {done.total} records in {took:.1f} s, {len(done.skipped)} skipped")
            self._name_skipped(done.skipped)
        started = time.monotonic()
        with ProgressBars(shown=not options["json"]) as bars:
            indexed = conversation_index.update(
                folder, wait_seconds=WAIT_SECONDS, progress=lambda *counts: bars("conversations", *counts)
            )
        also = time.monotonic() - started
        if options["json"]:
            skipped = [{"path": name, "reason": why} for name, why in [*done.skipped, *indexed.problems]]
            counts = {"records": done.total, "turns": indexed.total, "transcripts": indexed.files}
            self.say_json({**counts, "skipped": skipped, "seconds": round(took + also, 3)})
            return
        turns = f"{counted(indexed.total, 'turn')} of {counted(indexed.files, 'transcript')}"
        self.say(f"Conversations indexed: {turns} in {also:.1f} s")
        self._name_skipped(indexed.problems)

    def _name_skipped(self, files: list[tuple[str, str]]) -> None:
        for name, reason in files:
            self.say(f"  skipped: {shown(name)}: {shown(reason)}")
