"""PreCompact: archives the transcript while it is whole, and tells the summarizer what to keep."""

from __future__ import annotations

import os

from memories.core import forgotten, state, sweep, transcripts
from memories.core.errors import LLMMemoryError
from memories.core.projects import identify
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hooks.payload import Payload
    from memories.core.paths import DataFolder

GUIDANCE = (
    "Keep in the summary: decisions with their reasons, corrections by the user, open items and next steps, files in "
    "work."
)
"""Claude Code adds PreCompact's stdout to the summarizer's instructions, and shows it to the user: so it is short."""


ARCHIVED = " The full transcript stays archived by LLM Memory, so long tool output need not be repeated."
"""Said only where it is true."""


def handle(given: Payload, folder: DataFolder) -> tuple[str, str]:
    """(stdout, outcome)."""
    settings, _ = read_settings(folder)
    project = identify(given.folder, settings)
    if project is not None and not project.enabled:
        return "", "disabled"
    outcome = "archived"
    try:
        if not sweep.archive_session(folder, given.transcript_path, settings):
            is_forgotten = forgotten.kind_of(folder, given.session_id) == forgotten.FORGOTTEN
            outcome = "forgotten" if is_forgotten else "nothing new to archive"
    except (LLMMemoryError, OSError) as error:
        outcome = f"not archived: {error}"
    kept = state.session_state(folder, given.session_id)
    state.save_session_state(folder, given.session_id, {**kept, "compacted": True})
    archived = os.path.exists(transcripts.archive_path(folder, given.session_id or "-"))
    return GUIDANCE + ARCHIVED if archived else GUIDANCE, outcome
