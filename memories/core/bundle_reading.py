"""Reading a bundle: a strict reader of the tar that bundles are, and the verification before anything is touched.

tarfile reads what this must refuse: links, devices and sparse files, headers as large as they say, and it takes damage
in the middle for the end. So only its decoding of a header's fields is used.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
import zlib

from memories.core import bundle
from memories.core.bundle import Manifest, Member
from memories.core.errors import BundleError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

CHUNK_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_PAX_BYTES = 8192
"""A pax header of ours holds one name; other tools add a few times."""

_MAX_TAIL = 1024 * 1024
"""Zeros after the last member: tar's blocking factor makes 10,240 bytes of them, a tape's up to half of this."""

_PAX_FIELD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n]+)=")
_SIZE = re.compile(rb"[0-9]{1,19}")
_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE)


class Reader:
    """The members of a bundle in order, from its first byte on; the stream need not be seekable."""

    def __init__(self, file: BinaryIO) -> None:
        """file: open for reading in binary, at its beginning; compressed or not. Raises what a read raises."""
        magic = file.read(len(_GZIP_MAGIC))
        file.seek(0)
        self._stream: BinaryIO | gzip.GzipFile = file
        if magic == _GZIP_MAGIC:
            self._stream = gzip.GzipFile(fileobj=file, mode="rb")
        self._left = self._padding = 0

    def next(self) -> tuple[str, int] | None:
        """(name, size) of the next member, None at the end of the archive. Raises BundleError, StorageError."""
        for _ in self.chunks():
            pass
        self._exactly(self._padding)
        fields: dict[bytes, bytes] = {}
        info = self._header()
        if info is not None and info.type == tarfile.XHDTYPE:
            fields = self._pax_fields(info.size)
            info = self._header()
        if info is None:
            return None
        name = fields[b"path"].decode("utf-8", "surrogateescape") if b"path" in fields else info.name
        if info.type not in _REGULAR:
            raise BundleError(
                f"It holds {name!r:.200}, which is no regular file: no bundle of ours does. Not imported."
            )
        size = info.size
        if b"size" in fields:
            size = int(fields[b"size"]) if _SIZE.fullmatch(fields[b"size"]) else -1
        if size < 0:
            raise BundleError(f"The size of {name!r:.200} cannot be read: the file is damaged. Export it again.")
        self._left, self._padding = size, -size % bundle.BLOCK
        return name, size

    def chunks(self) -> Iterator[bytes]:
        """The rest of the present member's content, piece by piece. Raises BundleError, StorageError."""
        while self._left:
            chunk = self._read(min(CHUNK_BYTES, self._left))
            if not chunk:
                raise BundleError(_CUT)
            self._left -= len(chunk)
            yield chunk

    def content(self) -> bytes:
        """The rest of the present member's content; the caller has looked at its size."""
        return b"".join(self.chunks())

    def end(self) -> None:
        """Read what follows the last member: at least two empty blocks, nothing else. Raises BundleError."""
        self._exactly(self._padding)
        tail = 0
        while chunk := self._read(CHUNK_BYTES):
            tail += len(chunk)
            if chunk.strip(b"\0") or tail > _MAX_TAIL:
                raise BundleError("Something follows its end: it was changed after it was made. Export it again.")
        if tail < 2 * bundle.BLOCK:
            raise BundleError(_CUT)

    def _header(self) -> tarfile.TarInfo | None:
        block = self._exactly(bundle.BLOCK)
        if not block.strip(b"\0"):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise BundleError(
                "It is no bundle, or it is damaged (a header does not have its checksum): "
                "check that it is the right file, or export it again."
            ) from error

    def _pax_fields(self, size: int) -> dict[bytes, bytes]:
        if not 0 <= size <= _MAX_PAX_BYTES:
            raise BundleError(f"It holds a header of {size:,} bytes: no bundle of ours does. Not imported.")
        data = self._exactly(size)
        self._exactly(-size % bundle.BLOCK)
        fields = {}
        while data:
            match = _PAX_FIELD.match(data)
            length = int(match[1]) if match else 0
            if match is None or length <= match.end() or data[length - 1 : length] != b"\n":
                raise BundleError("A header of it cannot be read: the file is damaged. Export it again.")
            fields[match[2]] = data[match.end() : length - 1]
            data = data[length:]
        return fields

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._read(size - len(data))
            if not chunk:
                raise BundleError(_CUT)
            data += chunk
        return data

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BundleError(f"Its compressed data are damaged ({error}): export it again.") from error
        except OSError as error:
            raise StorageError(f"The bundle cannot be read: {error.strerror or error}. Check the disk.") from error


_CUT = "It ends too early: a part is missing. Copy it again, or export it again."


def verify(file: BinaryIO, room: Callable[[str, int], None], progress: Callable[[int], None]) -> Manifest:
    """Read a bundle from its first to its last byte and give its manifest; writes nothing.

    room(name, size) is told each file's size before its content is read, and raises where there is no room for it.
    progress is told the bytes of contents read so far. Raises BundleError with the reason and the next step.
    """
    reader = Reader(file)
    found: list[Member] = []
    names = _Names()
    done = 0
    while True:
        member = reader.next()
        if member is None:
            raise BundleError("It has no manifest at its end: it is no bundle, or a part is missing. Export it again.")
        name, size = member
        if name == bundle.MANIFEST:
            break
        names.add(name)
        _check_size(name, size)
        room(name, size)
        digest = hashlib.sha256()
        for chunk in reader.chunks():
            digest.update(chunk)
            done += len(chunk)
            progress(done)
        found.append(Member(name, size, digest.hexdigest(), None))
    if size > bundle.max_manifest_bytes(len(found)):
        raise BundleError(f"Its manifest has {size:,} bytes, far too many for {len(found)} files. Not imported.")
    listed = bundle.parse_manifest(reader.content())
    reader.end()
    _compare(found, listed.members)
    return listed


class _Names:
    """The names seen so far; refuses one that no bundle may hold, or that does not go with the others."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, name: str) -> None:
        if bundle.kind_of(name) is None:
            raise BundleError(
                f"It holds {name!r:.200}, a name that no bundle of this version may hold: it was made by a newer "
                "LLM Memory, or not by LLM Memory. Nothing was imported."
            )
        parts = name.split("/")
        folders = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        if name in self._files or name in self._folders or folders & self._files:
            raise BundleError(f"It holds {name!r:.200} twice: it was not made by LLM Memory. Nothing was imported.")
        if len(self._files) >= bundle.MAX_FILES:
            raise BundleError(
                f"It holds more than {bundle.MAX_FILES:,} files: that is no memory. Nothing was imported."
            )
        self._files.add(name)
        self._folders |= folders


def _check_size(name: str, size: int) -> None:
    most = bundle.MAX_BYTES.get(bundle.kind_of(name) or "")
    if most is not None and size > most:
        raise BundleError(f"{name} in it has {size:,} bytes; at most {most:,} are read. Nothing was imported.")


def _compare(found: list[Member], listed: list[Member]) -> None:
    """Raise BundleError unless the contents are those that the manifest lists, in its order."""
    if len(found) != len(listed):
        raise BundleError(
            f"It holds {len(found)} files and its manifest lists {len(listed)}: it is damaged. Export it again."
        )
    for one, said in zip(found, listed, strict=True):
        if (one.name, one.size, one.sha256) != (said.name, said.size, said.sha256):
            raise BundleError(f"{said.name} in it is not what its manifest says: it is damaged. Export it again.")
