"""What is said of a session whose transcript is not kept any more because somebody wanted it so."""

from __future__ import annotations

from memories.core import forgotten, records, session_logs
from memories.core.errors import LLMMemoryError, TranscriptGoneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder


def check(folder: DataFolder, prefix: str) -> None:
    """Raise TranscriptGoneError where the one marked session whose id begins so was forgotten, or its transcript let
    go. To be asked when the archive has none that begins so."""
    marked = forgotten.beginning_with(folder, prefix)
    if len(marked) != 1:
        return
    (session_id, kind), *_ = marked.items()
    if kind == forgotten.FORGOTTEN:
        raise TranscriptGoneError(
            f"Session {session_id} was forgotten by its user, here or on another machine: neither its transcript nor "
            "its log is kept."
        )
    text = (
        f"The transcript of session {session_id} was let go by the retention settings (transcripts_keep_days, "
        "transcripts_keep_mb)."
    )
    uuid = session_logs.log_uuid(session_id)
    try:
        ended = records.load(folder, uuid)["created_at"][:10]
    except LLMMemoryError:
        raise TranscriptGoneError(text) from None
    raise TranscriptGoneError(f"{text} It ended on {ended}; what happened in it stands in its log, {uuid}.", uuid)
