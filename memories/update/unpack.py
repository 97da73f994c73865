"""A release's tarball into a folder: plain files and folders below one root, nothing else, and only so much.

Standard library alone and nothing of ours: install.sh runs it out of the tarball itself, once its checksum is verified.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 200_000_000
"""Of all that a tarball holds, unpacked: some forty times what a release has."""

MAX_MEMBERS = 20_000
_MAX_DEPTH = 30
_CHUNK = 1 << 20
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


class _Bounded:
    """A stream that ends with an error where it gives more than MAX_BYTES: headers are read into memory whole."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._room = MAX_BYTES

    def read(self, size: int) -> bytes:
        """The next bytes. Raises ValueError."""
        data: bytes = self._stream.read(min(size, self._room + 1))
        self._room -= len(data)
        if self._room < 0:
            raise ValueError(f"it holds more than {MAX_BYTES // 1_000_000} MB")
        return data


def unpack(archive: str, into: str) -> str:
    """Unpack a .tar.gz into an empty folder; the path of the one folder that it holds.

    Raises ValueError with what is wrong with it (nothing outside of `into` was written), OSError of the disk.
    """
    root = ""
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=_Bounded(stream), mode="r|") as tar:  # type: ignore[call-overload]
            for number, member in enumerate(tar):
                if number >= MAX_MEMBERS:
                    raise ValueError(f"it holds more than {MAX_MEMBERS} files")
                parts = _parts(member)
                root = root or parts[0]
                if parts[0] != root:
                    raise ValueError(f"{member.name[:200]!r} is outside of its folder {root}/")
                _write(tar, member, os.path.join(into, *parts))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, OverflowError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    if not root:
        raise ValueError("it is empty")
    return os.path.join(into, root)


def _parts(member: tarfile.TarInfo) -> list[str]:
    """The folders and the name of a member. Raises ValueError for all but plain files and folders in plain places."""
    shown = repr(member.name[:200])
    if not (member.type in _PLAIN or member.isdir()):
        raise ValueError(f"{shown} is neither a file nor a folder")
    parts = member.name.split("/")
    if parts[-1] == "" and member.isdir():
        parts.pop()
    if not parts or len(parts) > _MAX_DEPTH or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"{shown} is no place below a folder")
    if any(ord(char) < 32 or char in "\\\x7f" for char in member.name) or not member.name.isprintable():  # noqa: PLR2004
        raise ValueError(f"{shown} has characters that no file of a release has")
    if member.isdir() is False and len(parts) == 1:
        raise ValueError(f"{shown} is beside the folder that a release is in")
    return parts


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    os.makedirs(path if member.isdir() else os.path.dirname(path), mode=0o700, exist_ok=True)
    if member.isdir():
        return
    mode = 0o700 if member.mode & 0o100 else 0o600
    source = tar.extractfile(member)
    if source is None:
        raise ValueError(f"{member.name[:200]!r} holds nothing")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError:
        raise ValueError(f"{member.name[:200]!r} is in it twice") from None
    with open(descriptor, "wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
