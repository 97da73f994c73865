"""Where a session is in transcripts/: its archive, what lies beside it, and a file sync's copies of the archive, also
those that are arriving."""

from __future__ import annotations

import os
import re
import stat

from memories.core import copies, files
from memories.core.transcripts import SUFFIX, archive_path, is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memories.core.paths import DataFolder

ARRIVING = re.compile(r"(?:\.syncthing\.|~syncthing~)(?P<name>.+)\.tmp", re.DOTALL)
"""What Syncthing calls a file that it receives (https://docs.syncthing.net/users/syncing), and leaves for a day when
it gave up. Nobody touches such files, but where a session is forgotten."""

_ID_CHARS = 36


class Place:
    """One session's entries. names: what is directly in transcripts/. size: bytes of all files, those in `<sid>/` too;
    files: how many. archive_size: of `<sid>.jsonl`, None without one. ended_ns: the latest mtime of its files, which is
    when the session was last written to: archives have their sources' mtimes."""

    __slots__ = ("archive_size", "ended_ns", "files", "names", "session_id", "size")

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.names: list[str] = []
        self.size = self.files = self.ended_ns = 0
        self.archive_size: int | None = None


def session_of(name: str) -> str | None:
    """The session to which an entry of transcripts/ belongs: `<sid>.jsonl`, `<sid>`, a copy of the first, or one of
    these that is arriving; else None."""
    name = original(name)
    session_id = name[:_ID_CHARS]
    if not is_session_id(session_id):
        return None
    rest = name[_ID_CHARS:]
    if rest in {"", SUFFIX} or copies.original_name(name) in {session_id, session_id + SUFFIX}:
        return session_id
    return None


def original(name: str) -> str:
    """The name that a file gets when it has arrived; the same for any other."""
    arriving = ARRIVING.fullmatch(name)
    return arriving["name"] if arriving else name


def grouped(folder: DataFolder) -> dict[str, list[str]]:
    """session id -> its entries in transcripts/, by one listing."""
    found: dict[str, list[str]] = {}
    for entry in files.entries(folder.transcripts):
        session_id = session_of(entry.name)
        if session_id is not None:
            found.setdefault(session_id, []).append(entry.name)
    return found


def place_of(folder: DataFolder, session_id: str, names: list[str]) -> Place:
    """All of a session, each file looked at once. names: what grouped gave for it."""
    place = Place(session_id)
    place.names = names
    archive = archive_path(folder, session_id)
    for path, found in _files(folder, names):
        place.files += 1
        place.size += found.st_size
        place.ended_ns = max(place.ended_ns, found.st_mtime_ns)
        if path == archive:
            place.archive_size = found.st_size
    return place


def _files(folder: DataFolder, names: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """(path, stat) of every file of these entries; symlinks count as files and are not followed."""
    pending = [os.path.join(folder.transcripts, name) for name in names]
    while pending:
        path = pending.pop()
        try:
            found = os.lstat(path)
        except OSError:
            continue  # gone meanwhile
        if stat.S_ISDIR(found.st_mode):
            pending += [entry.path for entry in files.entries(path)]
        else:
            yield path, found


def remove(folder: DataFolder, names: list[str]) -> list[tuple[str, str]]:
    """Remove entries of transcripts/ with all that is in them; symlinks are removed, not followed.

    Gives (path below the data folder, reason) of what could not be; all else is gone.
    """
    left: list[tuple[str, str]] = []
    folders: list[str] = []
    pending = [os.path.join(folder.transcripts, name) for name in names]
    while pending:
        path = pending.pop()
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                with os.scandir(path) as inside:
                    pending += [entry.path for entry in inside]
                folders.append(path)
            else:
                os.unlink(path)
        except OSError as error:
            _leave(path, error, folder, left)
    for path in reversed(folders):  # each after what is in it
        try:
            os.rmdir(path)
        except OSError as error:
            if not left:  # else it holds what was named
                _leave(path, error, folder, left)
    return left


def _leave(path: str, error: OSError, folder: DataFolder, left: list[tuple[str, str]]) -> None:
    if not isinstance(error, FileNotFoundError):  # gone meanwhile
        why = f"cannot be removed ({error.strerror}): check its permissions, then run `llm-memory sync`"
        left.append((os.path.relpath(path, folder.root), why))
