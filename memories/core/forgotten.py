"""Sessions that must not come back: a mark in trash/ for each, which travels to the other machines.

trash/forgotten/<session id>: its user wanted all of that session gone. trash/expired/<session id>: its archive
was let go by the retention settings while its log stays. A mark's content is the same wherever it is made, so that no
file sync ever finds two that differ.
"""

from __future__ import annotations

import os

from memories.core import files
from memories.core.transcripts import is_session_id, make_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

FORGOTTEN = "forgotten"
EXPIRED = "expired"
_KINDS = (FORGOTTEN, EXPIRED)


def mark(folder: DataFolder, session_id: str, kind: str) -> None:
    """Mark a session as FORGOTTEN or EXPIRED, durably; again is no matter. Raises StorageError, OSError, ValueError (no
    session id)."""
    if not is_session_id(session_id):
        raise ValueError(session_id)
    place = os.path.join(folder.trash, kind)
    make_folders(place)
    files.write_atomic(os.path.join(place, session_id), f"{kind}\n".encode())


def kind_of(folder: DataFolder, session_id: str) -> str | None:
    """FORGOTTEN (which outranks the other), EXPIRED, or None for a session that may be archived. Two stats."""
    for kind in _KINDS:
        if os.path.lexists(os.path.join(folder.trash, kind, session_id)):
            return kind
    return None


def marked(folder: DataFolder) -> dict[str, str]:
    """session id -> FORGOTTEN or EXPIRED, of every marked session: two listings for a whole sweep."""
    found: dict[str, str] = {}
    for kind in reversed(_KINDS):
        for entry in files.entries(os.path.join(folder.trash, kind)):
            if is_session_id(entry.name):
                found[entry.name] = kind
    return found
