"""SessionEnd: archives the raw transcript and writes the session log.

An installation's entry has a timeout of its own. A plugin's hooks get 1.5 s together, whatever they ask for: there, a
large transcript is left to a process that outlives this one. Whatever is cut short, the next start's sweep does again.
"""

from __future__ import annotations

import os

from memories.core import forgotten, sweep
from memories.core.errors import LLMMemoryError, MirrorUnavailableError
from memories.core.projects import identify
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hooks.payload import Payload
    from memories.core.paths import DataFolder

MIRROR_BUSY_SECONDS = 0.2
"""How long to wait for another process's transaction: the next start repairs the mirror anyway."""

LARGEST_IN_TIME = 1_000_000
"""Bytes of a transcript that the plugin's hook archives and logs itself: 0.13 s on a busy machine, 0.4 s more where
they are masked, 0.7 s more where no bytecode is there yet."""


def handle(given: Payload, folder: DataFolder) -> tuple[str, str]:
    """(stdout, outcome). Prints nothing; of a project that must not be remembered not even the transcript is opened."""
    settings, _ = read_settings(folder)
    project = identify(given.folder, settings)
    if project is not None and not project.enabled:
        return "", "disabled"
    if forgotten.kind_of(folder, given.session_id) == forgotten.FORGOTTEN:
        return "", "forgotten"
    if _is_left_behind(given.transcript_path):
        return "", "left to a process of its own"
    try:
        written = sweep.archive_session(folder, given.transcript_path, settings)
    except (LLMMemoryError, OSError) as error:
        return "", f"not archived: {error}"
    if not written:
        return "", "nothing to archive"
    from memories.core import mirror
    from memories.core.session_logs import log_uuid

    try:
        mirror.apply_records(folder, [log_uuid(given.session_id)], busy_seconds=MIRROR_BUSY_SECONDS)
    except MirrorUnavailableError:
        return "", "archived; the index follows at the next start"
    return "", "archived"


def _is_left_behind(transcript: str) -> bool:
    """Whether another process does the rest. It is a copy of this one, in which the answer is False."""
    if not os.environ.get("LLM_MEMORY_PLUGIN"):
        return False
    from hooks import detached

    try:
        return os.stat(transcript).st_size > LARGEST_IN_TIME and not detached.fork()
    except OSError:
        return False  # no transcript, or no process to be had
