"""Sessions that must not come back: a mark in trash/ for each, which travels to the other machines.

trash/forgotten/<session id>: its user wanted all of that session gone. trash/expired/<session id>: its archive was let
go by the retention settings while its log stays. A mark's content is the same wherever it is made, so that no file sync
ever finds two that differ.

A mark of the second kind carries the time up to which the session was let go as its mtime, as an archive carries its
source's: one that goes on after that is archived again, whole.
"""

from __future__ import annotations

import os

from memories.core import files
from memories.core.paths import make_private
from memories.core.transcripts import is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

FORGOTTEN = "forgotten"
EXPIRED = "expired"
KINDS = (FORGOTTEN, EXPIRED)


def mark(folder: DataFolder, session_id: str, kind: str, ended_ns: int | None = None) -> None:
    """Mark a session as FORGOTTEN or EXPIRED, durably; again is no matter.

    ended_ns: the mtime of what an EXPIRED session's archive was; a mark that says later stays so. None: now. Raises
    StorageError, OSError, ValueError (no session id).
    """
    if not is_session_id(session_id):
        raise ValueError(session_id)
    place = os.path.join(folder.trash, kind)
    if not os.path.isdir(place):
        make_private(place)
        files.fsync_folder(folder.trash)
    path = os.path.join(place, session_id)
    before = _mtime_ns(path) if ended_ns is not None else None
    files.write_atomic(path, f"{kind}\n".encode())
    if ended_ns is not None:
        ended_ns = max(ended_ns, before or 0)
        os.utime(path, ns=(ended_ns, ended_ns))


def _mtime_ns(path: str) -> int | None:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return None


def kind_of(folder: DataFolder, session_id: str, mtime_ns: int | None = None) -> str | None:
    """FORGOTTEN (which outranks the other), EXPIRED, or None for a session that may be archived. Two stats.

    mtime_ns: of a transcript of it, in question: what is later than an EXPIRED mark says is not meant by it.
    """
    if not is_session_id(session_id):
        return None
    if os.path.lexists(os.path.join(folder.trash, FORGOTTEN, session_id)):
        return FORGOTTEN
    until = _mtime_ns(os.path.join(folder.trash, EXPIRED, session_id))
    if until is None or (mtime_ns is not None and mtime_ns // 1000 > until // 1000):
        return None  # microseconds, as transcripts compares archives with their sources
    return EXPIRED


def marked(folder: DataFolder) -> dict[str, str]:
    """session id -> FORGOTTEN or EXPIRED, of every marked session: two listings for a whole sweep."""
    found: dict[str, str] = {}
    for kind in reversed(KINDS):
        found.update((session_id, kind) for session_id in of_kind(folder, kind))
    return found


def of_kind(folder: DataFolder, kind: str) -> list[str]:
    """The ids of the sessions with a mark of one kind, by one listing, in no particular order."""
    try:
        names = os.listdir(os.path.join(folder.trash, kind))
    except OSError:
        return []
    return [name for name in names if is_session_id(name)]


def told_apart(folder: DataFolder, session_ids: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Sessions that the archive lacks: (those that are missing, those that were forgotten, those that were let go)."""
    kinds = {one: kind_of(folder, one) for one in session_ids}
    missing, gone, let_go = ([one for one in session_ids if kinds[one] == kind] for kind in (None, *KINDS))
    return missing, gone, let_go


def beginning_with(folder: DataFolder, prefix: str) -> dict[str, str]:
    """The marked sessions whose ids begin so, as marked gives them. prefix: in any case."""
    return {one: kind for one, kind in marked(folder).items() if one.lower().startswith(prefix.lower())}


def sweep_marks(folder: DataFolder) -> None:
    """Remove temp files of dead processes and a file sync's copies from beside the marks: all marks are alike."""
    from memories.core import copies  # few folders have marks at all

    for kind in KINDS:
        place = os.path.join(folder.trash, kind)
        others = [entry for entry in files.entries(place) if not is_session_id(entry.name)]
        files.remove_dead_temp_files(place, [entry.name for entry in others])
        for entry in others:
            original = copies.original_name(entry.name)
            if original is not None and is_session_id(original):
                if not os.path.lexists(os.path.join(place, original)):
                    mark(folder, original, kind)
                files.remove_quietly(entry.path)


def is_settled(folder: DataFolder) -> bool:
    """Whether this machine has removed all that its FORGOTTEN marks stand for, also from the index. One listing; none
    marked: settled."""
    ids = of_kind(folder, FORGOTTEN)
    if not ids:
        return True
    try:
        with files.open_plain(_settled_path(folder)) as file:
            return file.read(100) == _fingerprint(ids)
    except OSError:
        return False


def note_settled(folder: DataFolder, ids: list[str]) -> None:
    """Note that nothing of these sessions is left. ids: what of_kind gave before the work. Raises StorageError."""
    files.write_atomic(_settled_path(folder), _fingerprint(ids), durable=False)


def unsettle(folder: DataFolder) -> None:
    """Note, before something of a forgotten session is removed, that the index is to be cleaned of it.

    Raises OSError where the disk refuses: nothing may be removed then."""
    try:
        os.unlink(_settled_path(folder))
        files.fsync_folder(folder.state)
    except FileNotFoundError:
        pass


def _settled_path(folder: DataFolder) -> str:
    return os.path.join(folder.state, "forgotten-settled")


def _fingerprint(ids: list[str]) -> bytes:
    import zlib

    return f"{len(ids)} {zlib.crc32(','.join(sorted(ids)).encode('ascii')):08x}".encode("ascii")
