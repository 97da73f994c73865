"""Which session and project the server works for, and the start-up sync that its first call may wait for."""

from __future__ import annotations

import os
import threading
import time

from memories.core import mirror, projects, state
from memories.core.errors import LLMMemoryError, MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from memories.services import Session

FIRST_CALL_SECONDS = 5.0
"""How long a call that comes while the index is being built waits before it says so in its answer."""

RESYNC_SECONDS = 60.0
"""A full scan for in-place edits and files that a sync brought runs at start and then at most this often."""


def launch_folder() -> str:
    """The folder Claude Code was started in: CLAUDE_PROJECT_DIR, else the server's own working directory."""
    return os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd()


def current_session(folder: DataFolder) -> Session:
    """The session of the client that owns this server.

    The id is what session_start noted under the client's process id; the server's own variable goes stale after /clear
    and is only the fallback (a client without our hooks).
    """
    project = projects.identify(launch_folder(), read_settings(folder)[0])
    session_id = state.client_session(folder, os.getppid())
    client_pid = os.environ.get("CLAUDE_PID", "")
    if session_id is None and client_pid.isdigit():
        session_id = state.client_session(folder, int(client_pid))
    return Session(project, session_id or os.environ.get("CLAUDE_CODE_SESSION_ID"))


class BackgroundSync:
    """Keeps the mirror up to date beside the server: once at start, then when a call finds the last scan too old.

    Runs in a daemon thread with its own SQLite connection, so that `initialize` is answered at once and the process can
    end at any time; the mirror's update is one transaction and the lock falls with the process.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._thread: threading.Thread | None = None
        self._finished_at = 0.0
        self.problem: str | None = None

    def start(self) -> None:
        """Start an update unless one runs."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="mirror-sync", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            mirror.update(self._folder, wait_seconds=60.0)
            self.problem = None
        except LLMMemoryError as error:
            self.problem = str(error)
        self._finished_at = time.monotonic()

    def wait_until_usable(self) -> None:
        """Let a call begin: at once when the mirror can be read, else wait a bounded time for the build.

        Starts another update when the last one is older than RESYNC_SECONDS. Raises nothing: a mirror that is still not
        there is said by the call that reads it.
        """
        usable = self._usable()
        if not usable or time.monotonic() - self._finished_at > RESYNC_SECONDS:
            self.start()
        if self._thread is not None and (not usable or self._finished_at == 0.0):
            self._thread.join(FIRST_CALL_SECONDS)

    def _usable(self) -> bool:
        try:
            mirror.connect(self._folder.mirror).close()
        except MirrorUnavailableError:
            return False
        return True
