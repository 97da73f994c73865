"""Versions of an archived file that differ from it: two machines continued one session, each its own way.

The longest is the archive; each other is kept beside it under a name with the first 12 hex digits of its sha256:
`<sid>/diverged-<hash>.jsonl` of `<sid>.jsonl`, and `<stem>-diverged-<hash><ext>` of any file in `<sid>/`. Names here
are paths below transcripts/, with `/`.
"""

from __future__ import annotations

import errno
import os
import re
import stat

from memories.core import files
from memories.core.transcripts import CHUNK_BYTES, SUFFIX, is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

HASH_DIGITS = 12
"""Hex digits of the sha256 in a version's name: two versions of one file with the same are not to be expected."""

_NO_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems without hard links answer (FAT, some network and FUSE ones)."""

_HASH = rf"[0-9a-f]{{{HASH_DIGITS}}}(?:[0-9a-f]{{{64 - HASH_DIGITS}}})?"
_OF_SESSION = re.compile(rf"(?P<session>[^/]+)/diverged-{_HASH}{re.escape(SUFFIX)}")
_BESIDE = re.compile(rf"(?P<stem>.*[^/])-diverged-{_HASH}(?P<extension>\.[^./]*)?", re.DOTALL)


def is_session_file(name: str) -> bool:
    """Whether a name is a session's own transcript, `<session id>.jsonl`."""
    return name.endswith(SUFFIX) and is_session_id(name[: -len(SUFFIX)])


def version_name(name: str, digest: str, digits: int = HASH_DIGITS) -> str:
    """Where a version of a file is kept. digest: its sha256 in hex."""
    if is_session_file(name):
        return f"{name[: -len(SUFFIX)]}/diverged-{digest[:digits]}{SUFFIX}"
    stem, extension = os.path.splitext(name)
    return f"{stem}-diverged-{digest[:digits]}{extension}"


def original(name: str) -> str:
    """The name of the file that a file is a kept version of; the same name where it is none."""
    match = _OF_SESSION.fullmatch(name)
    if match and is_session_id(match["session"]):
        return match["session"] + SUFFIX
    match = _BESIDE.fullmatch(name)
    return match["stem"] + (match["extension"] or "") if match and "/" in name else name


def versions(folder: DataFolder, name: str) -> list[str]:
    """The kept versions of a file: those that are regular files, sorted."""
    parent = os.path.dirname(version_name(name, ""))
    place = os.path.join(folder.transcripts, parent)
    try:
        beside = sorted(os.listdir(place))
    except OSError:
        return []
    names = [f"{parent}/{one}" for one in beside if "diverged-" in one]
    return [one for one in names if one != name and original(one) == name and _is_regular(folder, one)]


def _is_regular(folder: DataFolder, name: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(os.path.join(folder.transcripts, name)).st_mode)
    except OSError:
        return False


def digest(fd: int, size: int) -> str:
    """The sha256, in hex, of an open file's first bytes."""
    import hashlib

    sums, position = hashlib.sha256(), 0
    while position < size and (chunk := os.pread(fd, min(CHUNK_BYTES, size - position), position)):
        sums.update(chunk)
        position += len(chunk)
    return sums.hexdigest()


def digest_of(path: str) -> str:
    """The sha256 of a file in hex. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return digest(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def is_beginning(path: str, longer: str) -> bool:
    """Whether a file's bytes, all of them compared, are the first of another's. Raises OSError."""
    with open(path, "rb") as one, open(longer, "rb") as other:
        if os.fstat(one.fileno()).st_size > os.fstat(other.fileno()).st_size:
            return False
        while chunk := one.read(CHUNK_BYTES):
            if chunk != other.read(len(chunk)):
                return False
    return True


def order(path: str, other: str) -> int:
    """Which of two files comes first by its bytes: below 0 the first (also where the other begins with it), 0 where
    they are equal, else above. Raises OSError."""
    with open(path, "rb") as one, open(other, "rb") as two:
        while True:
            chunk, other_chunk = one.read(CHUNK_BYTES), two.read(CHUNK_BYTES)
            if chunk != other_chunk:
                return -1 if chunk < other_chunk else 1
            if not chunk:
                return 0


def set_aside(path: str, beside: str) -> None:
    """Keep a file under a second name, so that another can take its place in one step.

    Raises OSError, also where other bytes have that name; then the file is where it was.
    """
    try:
        os.link(path, beside, follow_symlinks=False)
    except FileExistsError:
        if not (is_beginning(path, beside) and is_beginning(beside, path)):
            raise  # else it was set aside before, by a run that was killed
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.replace(path, beside)  # for a moment it is under its new name only
    files.fsync_folder(os.path.dirname(beside))
