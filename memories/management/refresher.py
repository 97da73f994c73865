"""Keeps the mirror up to date while the dashboard runs: its views only read, so a thread of its own writes."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from threading import Event, Thread

from memories import facets
from memories.core import conversation_index, mirror
from memories.core.errors import LLMMemoryError, LockTimeoutError, MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.management.progress import ProgressBars

CHECK_SECONDS = 10.0
"""Between two looks at the folders' mtimes: a few milliseconds while nothing changed, whatever they hold."""

LOOK_SECONDS = 1.0
"""Between two looks whether the mirror has changed, while somebody looks at the dashboard: one PRAGMA."""

SCAN_SECONDS = 60.0
"""Between two looks at every file: an edit in place and a transcript that grew do not show in their folder's mtime."""

LOCK_SECONDS = 2.0
"""How long a round waits for another process that updates; the next round tries again."""

STOP_SECONDS = 5.0
"""How long the end of the dashboard waits for a round to be given up; what was not committed is left undone."""


TIDY_TRIES = 10
TIDY_SECONDS = 0.05
"""How often, and how far apart, the end tries to be the mirror's last connection."""


class _StoppedError(Exception):
    """Raised out of an update's progress: the dashboard ends."""


class Refresher:
    """Rounds of mirror.update and conversation_index.update in a thread. The first one builds a mirror that is missing
    or of another version, with a progress bar on a terminal.

    say: gets one line when a round fails, once for each reason in a row.
    """

    def __init__(self, folder: DataFolder, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._said = ""
        self._stop = Event()
        self._usable = Event()
        self._scan_at = 0.0
        self._archive_mtime_ns = -1
        self._thread = Thread(target=self._run, name="refresher", daemon=True)

    def start(self, wait_seconds: float) -> None:
        """Start, and wait a bounded time for the first update of the records, so that a small memory is shown whole."""
        self._thread.start()
        self._usable.wait(wait_seconds)

    def stop(self) -> None:
        """End a round that runs, at its next file, and the thread; at most STOP_SECONDS. SQLite's -wal and -shm go too
        where nobody else uses the mirror: readers leave them, a last connection that may write takes them away."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        facets.close()
        for _ in range(TIDY_TRIES):  # a last request may still have its connection
            try:
                mirror.connect(self._folder.mirror, busy_seconds=0.0).close()
            except MirrorUnavailableError:
                return  # nothing to tidy: it is not there, or not built yet
            if not os.path.exists(f"{self._folder.mirror}-wal"):
                return
            time.sleep(TIDY_SECONDS)

    def _run(self) -> None:
        with ProgressBars() as bars:
            self._round(bars)
        checked_at = time.monotonic()
        while not self._stop.wait(LOOK_SECONDS):
            if time.monotonic() - checked_at >= CHECK_SECONDS:
                self._round(None)
                checked_at = time.monotonic()
            try:
                facets.warm(self._folder)
            except MirrorUnavailableError:
                pass  # the page that needs it says so

    def _round(self, bars: ProgressBars | None) -> None:
        """One update. What keeps it from succeeding is only said: the last index is better than none."""

        def progress(what: str) -> Callable[[int, int], None]:
            def report(done: int, total: int) -> None:
                if self._stop.is_set():
                    raise _StoppedError
                if bars is not None:
                    bars(what, done, total)

            return report

        try:
            self._update(progress)
            self._said = ""
        except _StoppedError:
            pass
        except (LLMMemoryError, OSError, sqlite3.Error) as error:
            if str(error) != self._said:
                self._said = str(error)
                self._say(f"The newest memories may be missing: {error}")
        finally:
            self._usable.set()

    def _update(self, progress: Callable[[str], Callable[[int, int], None]]) -> None:
        scan = time.monotonic() >= self._scan_at
        found = mirror.update(
            self._folder, wait_seconds=LOCK_SECONDS, trust_above=None if scan else 0, progress=progress("records")
        )
        self._usable.set()
        archive_mtime_ns = os.stat(self._folder.transcripts).st_mtime_ns
        if scan or found.rebuilt or archive_mtime_ns != self._archive_mtime_ns:
            try:
                conversation_index.update(self._folder, progress=progress("conversations"))
            except LockTimeoutError:
                return  # another process does our work; the next round looks whether it has
            self._archive_mtime_ns = archive_mtime_ns
        if scan:
            self._scan_at = time.monotonic() + SCAN_SECONDS
