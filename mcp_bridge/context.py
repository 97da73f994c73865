"""Which session and project the server works for, and the start-up sync that its first call may wait for."""

from __future__ import annotations

import logging
import math
import os
import threading
import time

from hooks.shipped_files import shipped_order
from memories.core import conversation_index, merge_copies, mirror, projects, state
from memories.core.errors import LLMMemoryError, MirrorUnavailableError
from memories.core.paths import DataFolder, check_private
from memories.core.settings import read_settings
from memories.services import Session

logger = logging.getLogger(__name__)

FIRST_CALL_SECONDS = 5.0
"""How long a call that comes while the index is being built waits before it says so in its answer."""

LOCK_SECONDS = 60.0
"""How long an update waits for another process that updates the same mirror; a rebuild of 100,000 records takes 5 s."""

RESYNC_SECONDS = 60.0
"""A full scan for in-place edits and files that a sync brought runs at start and then at most this often."""


def launch_folders(roots: list[str]) -> list[str]:
    """The folders that the client may work in, the likeliest first: CLAUDE_PROJECT_DIR alone where that is set, else
    the client's roots, then the server's own working directory unless that has been removed."""
    named = os.environ.get("CLAUDE_PROJECT_DIR")
    if named:
        return [named]
    try:
        return [*roots, os.getcwd()]
    except FileNotFoundError:
        return roots


def current_session(folder: DataFolder, roots: list[str]) -> Session:
    """The session of the client that owns this server; its project is the first of launch_folders that is one.

    The id is what session_start noted under the client's process id; the server's own variable goes stale after /clear
    and is only the fallback (a client without our hooks).
    """
    settings, _ = read_settings(folder)
    found = (projects.identify(one, settings) for one in launch_folders(roots))
    project = next(filter(None, found), None)
    session_id = state.client_session(folder, os.getppid())
    client_pid = os.environ.get("CLAUDE_PID", "")
    if session_id is None and client_pid.isdigit():
        session_id = state.client_session(folder, int(client_pid))
    return Session(project, session_id or os.environ.get("CLAUDE_CODE_SESSION_ID"))


class BackgroundSync:
    """Merges what a file sync brought and keeps the mirror up to date, beside the server: once at start, then when a
    call finds the last scan too old.

    Two daemon threads, each with its own SQLite connection, so that `initialize` is answered at once and the process
    can end at any time: one for the records, for which a call may wait, and after it one for the conversations, for
    which none does. What they write is written in whole transactions, and their locks fall with the process.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._thread: threading.Thread | None = None
        self._made_at = time.monotonic()
        self._started_at = 0.0
        self._finished_at: float | None = None
        self._problem: str | None = None
        self._guard = threading.Lock()
        self._is_indexing = False
        self._index_again = False
        self._indexed = threading.Event()

    def start(self, *, rebuild: bool = False) -> None:
        """Start an update unless one runs. rebuild: make the mirror anew, which mends one damaged in the middle."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, args=(rebuild,), name="mirror-sync", daemon=True)
            self._started_at = time.monotonic()
            self._thread.start()

    @property
    def is_indexing(self) -> bool:
        """Whether conversations are being brought into the index, here or by a process that this one waits for."""
        return self._is_indexing or self._finished_at is None

    def _run(self, rebuild: bool) -> None:
        try:
            check_private(self._folder)
            self._merge()
            mirror.update(self._folder, wait_seconds=LOCK_SECONDS, rebuild=rebuild)
            self._problem = None
        except LLMMemoryError as error:
            self._problem = str(error)
        except OSError as error:
            self._problem = f"{self._folder.root}: {error.strerror}. Check its permissions."
        finally:
            self._start_indexing()  # before calls may go on, so that they know of it
            self._finished_at = time.monotonic()

    def _merge(self) -> None:
        """Merge what a file sync brought; where another process is at it, it does our work."""
        try:
            left = merge_copies.run(self._folder, shipped_rules=shipped_order).left
        except Exception:  # the boundary: no memory may go unfound because another's copies could not be merged
            logger.exception("Merging what a file sync brought crashed")
            return
        for path, reason in left:
            logger.info("Not merged: %r: %s", path, reason)

    def _start_indexing(self) -> None:
        with self._guard:
            self._index_again = True
            if self._is_indexing:
                return
            self._is_indexing = True
        threading.Thread(target=self._index_conversations, name="conversations", daemon=True).start()

    def _index_conversations(self) -> None:
        """Bring the conversations up to date, and once more when meanwhile the mirror was: it may be another file."""
        while True:
            with self._guard:
                if not self._index_again:
                    self._is_indexing = False
                    return
                self._index_again = False
            try:
                check_private(self._folder)
                conversation_index.update(self._folder, wait_seconds=math.inf)  # who holds the lock does our work
            except (LLMMemoryError, OSError) as error:
                logger.info("Conversations were not indexed: %s", error)  # a search says what it cannot read
            except Exception:  # the boundary: a thread that ends in silence would count as indexing for ever
                logger.exception("Indexing the conversations crashed")
            self._indexed.set()

    def wait_until_usable(self) -> None:
        """Let a call begin: at once when the mirror can be read and its first update is done, else wait a bounded time.

        A mirror that cannot be read is waited for by every call; the start-up update of one that can, only until
        FIRST_CALL_SECONDS after its start. Starts another update when the last one is older than RESYNC_SECONDS. Raises
        nothing: a mirror that is still not there is said by the call that reads it.
        """
        usable = self._usable()
        if not usable or (self._finished_at is not None and time.monotonic() - self._finished_at > RESYNC_SECONDS):
            self.start()
        if not usable:
            self.wait(FIRST_CALL_SECONDS)
        elif self._finished_at is None:
            self.wait(self._started_at + FIRST_CALL_SECONDS - time.monotonic())

    def wait_for_conversations(self) -> None:
        """Wait until the conversations were first brought up to date, at most until FIRST_CALL_SECONDS after start."""
        self._indexed.wait(max(0.0, self._made_at + FIRST_CALL_SECONDS - time.monotonic()))

    def wait(self, seconds: float) -> None:
        """Wait for the update that runs, at most so many seconds."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def explain(self, error: MirrorUnavailableError) -> str:
        """What a call that found no usable mirror tells the model: the error, and why the update could not help."""
        return f"{error} Its last update failed: {self._problem}" if self._problem else str(error)

    def _usable(self) -> bool:
        try:
            mirror.connect(self._folder.mirror).close()
        except MirrorUnavailableError:
            return False
        return True
