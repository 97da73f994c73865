"""The archive of transcripts with their secrets masked (setting redact_transcripts): same size, same lines, same JSON.

A last line without its end is archived once it is JSON or nothing was written to it for QUIET_SECONDS: of one that is
still being written a secret may be half there. Sizes are the source's, so the quick check (transcripts.is_archived)
says "complete" then. Two versions that differ only where one of them has `*` are one, masked by other rules or not yet;
of both masks the sum is kept.
"""

from __future__ import annotations

import json
import os
import time

from memories.core import files
from memories.core.errors import StorageError
from memories.core.masking import Masker, are_alike, with_stars_of
from memories.core.paths import make_private
from memories.core.transcripts import CHUNK_BYTES, COMPARED_BYTES, SUFFIX, files_beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor
    from memories.core.transcripts import Source

PIECE_BYTES = 64 * 1024 * 1024
"""A longer line, or a longer text that is no transcript, is masked in pieces of this size."""

MARKED_BYTES = 1_000_000
"""A smaller archive is compared with the whole of its source when that has grown (some 50 ms)."""

QUIET_SECONDS = 300
"""Nothing more comes of a line that was begun longer ago: its writer was stopped in the middle."""

_MAX_MARKS = 300
_OF_LINES = (SUFFIX, ".log", ".log.1")


def bring_up_to_date(
    folder: DataFolder, source: int, name: str, old: os.stat_result | None, redactor: Redactor
) -> bool:
    """Mask, or extend the mask of, one file; True when something was written.

    source: a descriptor of it. name: the archive's, below transcripts/, whose folder is there. old: its archive's
    stat. Raises OSError.
    """
    found, masker = os.fstat(source), Masker(redactor)
    is_lines = name.endswith(SUFFIX)
    end = _end(source, found) if is_lines else found.st_size
    if old is None and not end and found.st_size:
        return False
    marks = _Marks(folder, redactor.fingerprint)
    target = os.path.join(folder.transcripts, name)
    is_known = old is not None and is_lines and end >= old.st_size and marks.cover(name, old.st_size)
    if is_known and old is not None and _ends_alike(source, target, old.st_size, masker):
        _append(source, target, old.st_size, end, masker)
        os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))
        marks.note(name, end)
        return end > old.st_size
    temp = files.temp_path(target)
    try:
        _write(temp, masked_pieces(masker, source, 0, end, is_lines=is_lines))
        os.utime(temp, ns=(found.st_mtime_ns, found.st_mtime_ns))
        is_one = old is None or (_is_one(temp, target) and _goes_on(source, found, target, end))
        written = (
            _bring_in(folder, temp, name, old, found, masker) if is_one else _keep_both(folder, temp, name, masker)
        )
        marks.note(name, os.lstat(target).st_size)
        return written
    finally:
        files.remove_quietly(temp)


def _bring_in(
    folder: DataFolder, temp: str, name: str, old: os.stat_result | None, found: os.stat_result, masker: Masker
) -> bool:
    """Make a masked source, which has its mtime, the archive, of which it is another mask. found: the source's stat."""
    target = os.path.join(folder.transcripts, name)
    if old is None:
        _put(temp, target)
        return True
    is_longer = old.st_size > found.st_size  # else what it has more is a line that is still being written
    if _unite(temp, target, masker, is_lines=name.endswith(SUFFIX), with_rest=is_longer):
        if is_longer:
            os.utime(temp, ns=(old.st_mtime_ns, old.st_mtime_ns))
        _put(temp, target)
        return True
    if not is_longer:
        os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))
    return False


def pieces(fd: int, start: int, end: int, *, is_lines: bool) -> Iterator[bytes]:
    """What of a file is masked at a time, from one byte offset to another: each line, else the whole.

    Raises OSError.
    """
    held: list[bytes] = []
    while start < end and (chunk := os.pread(fd, min(CHUNK_BYTES, end - start), start)):
        start, at = start + len(chunk), 0
        while is_lines and (cut := chunk.find(b"\n", at) + 1):
            yield b"".join([*held, chunk[at:cut]])
            held, at = [], cut
        held.append(chunk[at:])
        if len(held) * CHUNK_BYTES >= PIECE_BYTES:
            yield b"".join(held)
            held = []
    if any(held):
        yield b"".join(held)


def masked_pieces(masker: Masker, fd: int, start: int, end: int, *, is_lines: bool) -> Iterator[bytes]:
    """pieces, masked."""
    return map(masker.masked, pieces(fd, start, end, is_lines=is_lines))


def secrets_in(path: str, masker: Masker) -> Iterator[tuple[int, str]]:
    """(1-based line, rule) of each secret in a file that is not masked yet. Raises OSError."""
    line, fd = 1, os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for piece in pieces(fd, 0, os.fstat(fd).st_size, is_lines=path.endswith(_OF_LINES)):
            for start, stop, rule in masker.spans(piece):
                if piece[start:stop].strip(b"*\n"):
                    yield line + piece.count(b"\n", 0, start), rule
            line += piece.count(b"\n")
    finally:
        os.close(fd)


def kept_in(path: str, masker: Masker) -> Iterator[tuple[str, str]]:
    """(field, rule) of each secret in a transcript that masks leave. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for piece in pieces(fd, 0, os.fstat(fd).st_size, is_lines=True):
            yield from masker.kept(piece)
    finally:
        os.close(fd)


def mask_archived(path: str, masker: Masker) -> None:
    """Mask one file of the archive that is there. Whole or not at all; its mtime changes by a nanosecond, which a file
    sync takes for a change and the quick check does not see. Raises StorageError, OSError."""
    temp = files.temp_path(path)

    def attempt() -> None:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            _write(temp, masked_pieces(masker, fd, 0, found.st_size, is_lines=path.endswith(_OF_LINES)))
        finally:
            os.close(fd)
        mtime_ns = found.st_mtime_ns + (-1 if found.st_mtime_ns % 1000 == 999 else 1)  # noqa: PLR2004 - its last one
        os.utime(temp, ns=(mtime_ns, mtime_ns))
        files.Seen(path, found).check()
        _put(temp, path)

    try:
        files.retried(path, attempt)
    finally:
        files.remove_quietly(temp)


def mask_in_place(path: str, masker: Masker) -> None:
    """Mask a log to which others append meanwhile. Raises OSError."""
    position, fd = 0, os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for piece in pieces(fd, 0, os.fstat(fd).st_size, is_lines=True):
            masked = masker.masked(piece)
            if masked != piece:
                _write_at(fd, masked, position)
            position += len(piece)
        os.fsync(fd)
    finally:
        os.close(fd)


def is_quiet(mtime_ns: int) -> bool:
    """Whether a transcript that was last written to then is archived with a last line that is cut off."""
    return time.time_ns() - mtime_ns > QUIET_SECONDS * 1_000_000_000


def to_mask(folder: DataFolder, source: Source, redactor: Redactor) -> int:
    """How many bytes an archive of a session would have to mask now, about; no file of it is read."""
    marks = _Marks(folder, redactor.fingerprint)
    total = 0
    for path, name in [*files_beside(source), (source.path, source.session_id + SUFFIX)]:
        size, mtime_ns = _size_and_time(path)
        kept, kept_ns = _size_and_time(os.path.join(folder.transcripts, name))
        if (size, mtime_ns // 1000) != (kept, kept_ns // 1000):
            total += size - kept if marks.cover(name, kept) else size
    return total


def _size_and_time(path: str) -> tuple[int, int]:
    try:
        found = os.lstat(path)
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _end(fd: int, found: os.stat_result) -> int:
    """Up to which byte offset a transcript is archived: behind its last whole line, or all of it."""
    end = _end_of_lines(fd, found.st_size)
    if end == found.st_size or is_quiet(found.st_mtime_ns):
        return found.st_size
    tail = os.pread(fd, min(found.st_size - end, PIECE_BYTES), end)
    try:
        is_whole = isinstance(json.loads(tail), dict)  # nothing can be added to an object
    except (ValueError, RecursionError):
        is_whole = False
    return end + len(tail) if is_whole else end


def _end_of_lines(fd: int, size: int) -> int:
    """Behind the last line end before a byte offset; 0 where there is none."""
    while size > 0:
        start = max(0, size - COMPARED_BYTES)
        cut = os.pread(fd, size - start, start).rfind(b"\n") + 1
        if cut:
            return start + cut
        size = start
    return 0


def _ends_alike(source: int, target: str, size: int, masker: Masker) -> bool:
    """Whether an archive that ends with a line ends as its source's mask does there, judged by the last 64 KB."""
    start = max(0, size - COMPARED_BYTES)
    given = os.pread(source, size - start, start)
    if not given.endswith(b"\n"):
        return False
    start += given.find(b"\n") + 1 if start else 0
    if start == size:
        return False
    masked = b"".join(masked_pieces(masker, source, start, size, is_lines=True))
    fd = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return are_alike(masked, os.pread(fd, size - start, start))
    finally:
        os.close(fd)


def _append(source: int, target: str, position: int, end: int, masker: Masker) -> None:
    """Mask the source's further lines in place. Two processes at once write the same bytes to the same places."""
    fd = os.open(target, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for piece in masked_pieces(masker, source, position, end, is_lines=True):
            position += _write_at(fd, piece, position)
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_at(fd: int, data: bytes, position: int) -> int:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, position)
        view, position = view[written:], position + written
    return len(data)


def _write(path: str, found: Iterable[bytes]) -> None:
    """A file with these bytes, 0600, on the disk."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb", buffering=CHUNK_BYTES) as file:
        file.writelines(found)
        file.flush()
        os.fsync(fd)


def _put(temp: str, target: str) -> None:
    os.replace(temp, target)
    files.fsync_folder(os.path.dirname(target))


def _is_one(path: str, other: str) -> bool:
    """Whether the first bytes of two files are alike, as many as both have."""
    with open(path, "rb") as one, open(other, "rb") as two:
        while (chunk := one.read(CHUNK_BYTES)) and (its := two.read(len(chunk))):
            if not are_alike(chunk[: len(its)], its):
                return False
    return True


def _goes_on(source: int, found: os.stat_result, target: str, end: int) -> bool:
    """Whether what an archive has behind the source's last whole line is the source's unfinished one, or an archive is
    longer than its source."""
    fd = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        rest = size - end if end < size <= found.st_size else 0
        return are_alike(os.pread(source, rest, end), os.pread(fd, rest, end))
    finally:
        os.close(fd)


def _unite(temp: str, other: str, masker: Masker, *, is_lines: bool, with_rest: bool) -> bool:
    """Bring into a masked file what another version of it has masked and, with_rest, what that has more; whether it
    differs from that then."""
    fd = os.open(temp, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(fd, "r+b", buffering=0), open(other, "rb") as kept:
        found, differs, position = os.fstat(fd), False, 0
        while chunk := os.pread(fd, CHUNK_BYTES, position):
            own = kept.read(len(chunk))
            united = with_stars_of(chunk, own)
            differs |= united != own
            position += _write_at(fd, united, position) if united != chunk else len(chunk)
        end = os.fstat(kept.fileno()).st_size
        differs |= not with_rest and end > position
        for piece in pieces(kept.fileno(), position, end if with_rest else 0, is_lines=is_lines):
            masked = masker.masked(piece)
            differs |= masked != piece
            position += _write_at(fd, masked, position)
        os.utime(fd, ns=(found.st_mtime_ns, found.st_mtime_ns))
        os.fsync(fd)
    return differs


def _keep_both(folder: DataFolder, temp: str, name: str, masker: Masker) -> bool:
    """Keep a masked source from which its archive differs, as transcripts does without masks; False where a version
    beside the archive has it already."""
    from memories.core import diverged

    size, continued = os.lstat(temp).st_size, []
    if not size:
        return False
    for version in diverged.versions(folder, name):
        path = os.path.join(folder.transcripts, version)
        if _is_one(temp, path):
            if os.lstat(path).st_size >= size:
                return False
            continued.append(path)
    for path in continued:
        _unite(temp, path, masker, is_lines=True, with_rest=False)
    target = os.path.join(folder.transcripts, name)
    own, old = diverged.digest_of(temp), diverged.digest_of(target)
    new_path = os.path.join(folder.transcripts, diverged.version_name(name, own))
    make_private(os.path.dirname(new_path))
    if (size, own) > (os.lstat(target).st_size, old):
        diverged.set_aside(target, os.path.join(folder.transcripts, diverged.version_name(name, old)))
        new_path = target
    _put(temp, new_path)
    for path in continued:
        if path != new_path:
            os.unlink(path)
            drop_empty_folder(folder, path)
    return True


def drop_empty_folder(folder: DataFolder, path: str) -> None:
    """Remove the folders above a file that is gone, up to the archive itself, as far as nothing is in them."""
    parent = os.path.dirname(path)
    while parent.startswith(folder.transcripts + os.sep):
        try:
            os.rmdir(parent)
        except OSError:
            return  # something is in it
        parent = os.path.dirname(parent)


class _Marks:
    """state/masked.json: large archives of which all is known to be masked, as {name: [fingerprint, size]}.

    Where one is missing (of an archive from before the setting was on, say), the whole source is masked once more.
    """

    def __init__(self, folder: DataFolder, fingerprint: int) -> None:
        self._path = os.path.join(folder.state, "masked.json")
        self._fingerprint = fingerprint

    def _read(self) -> dict[str, Any]:
        try:
            with open(self._path, "rb") as file:
                found = json.load(file)
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def cover(self, name: str, size: int) -> bool:
        """Whether that many bytes of an archive are known to be masked by the present rules."""
        return size >= MARKED_BYTES and bool(self._read().get(name) == [self._fingerprint, size])

    def note(self, name: str, size: int) -> None:
        """All of an archive is masked; where that cannot be noted, it is looked at once more."""
        if size >= MARKED_BYTES:
            marks = self._read()
            marks.pop(name, None)
            marks[name] = [self._fingerprint, size]
            newest = dict(list(marks.items())[-_MAX_MARKS:])
            try:
                files.write_atomic(self._path, json.dumps(newest).encode("ascii"), durable=False)
            except StorageError:
                pass
