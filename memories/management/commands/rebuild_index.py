"""`manage.py rebuild_index`: make the mirror anew from the record files and the archived transcripts."""

from __future__ import annotations

import time
from typing import Any

from memories.core import conversation_index, mirror
from memories.management.base import MemoryCommand
from memories.management.progress import ProgressBars
from memories.management.shown import shown

WAIT_SECONDS = 600.0


class Command(MemoryCommand):
    """Rebuild in place: readers keep the old state until it is done."""

    help = "Make the index (memory.db) anew from the record files and the archived transcripts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild and report."""
        started = time.monotonic()
        with ProgressBars() as bars:
            done = mirror.update(
                self.folder,
                wait_seconds=WAIT_SECONDS,
                rebuild=True,
                progress=lambda count, total: bars("records", count, total),
            )
        seconds = time.monotonic() - started
        self.say(f"Index rebuilt: {done.total} records in {seconds:.1f} s, {len(done.skipped)} skipped")
        self._name_skipped(done.skipped)
        started = time.monotonic()
        with ProgressBars() as bars:
            indexed = conversation_index.update(
                self.folder,
                wait_seconds=WAIT_SECONDS,
                progress=lambda count, total: bars("conversations", count, total),
            )
        seconds = time.monotonic() - started
        self.say(f"Conversations indexed: {indexed.total} turns of {indexed.files} transcripts in {seconds:.1f} s")
        self._name_skipped(indexed.problems)

    def _name_skipped(self, files: list[tuple[str, str]]) -> None:
        for name, reason in files:
            self.say(f"  skipped: {shown(name)}: {shown(reason)}")
