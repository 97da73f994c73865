"""SessionEnd: archives the raw transcript and writes the session log, within the 1.5 s that Claude Code may give."""

from __future__ import annotations

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


def handle(given: Payload, folder: DataFolder) -> tuple[str, str]:
    """(stdout, outcome). Prints nothing; of a project that must not be remembered not even the transcript is opened."""
    settings, _ = read_settings(folder)
    project = identify(given.folder, settings)
    if project is not None and not project.enabled:
        return "", "disabled"
    if forgotten.kind_of(folder, given.session_id) == forgotten.FORGOTTEN:
        return "", "forgotten"
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
