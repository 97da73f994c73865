"""Writing a bundle: what is in the data folder now, as one stream; sessions may go on meanwhile.

Records and transcripts are opened once each: a record is replaced whole, so what was opened stays what it was, and of a
transcript that grows the bytes it had when it was opened are taken. What looks like a secret in a record stays out of
the bundle; a transcript goes as the archive has it, unless masks are asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat

from memories.core import bundle, bundle_marks, copies, forgotten, new_file, records, redact, transcripts
from memories.core.bundle import Member
from memories.core.errors import InvalidRecordError, StorageError
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    from memories.core.paths import DataFolder

    Progress = Callable[[int, int], None]

CHUNK_BYTES = 1024 * 1024
COMPRESSED_SUFFIXES = (".gz", ".tgz")
COMPRESSION = 6
"""zlib's own default: level 9 takes twice the time for 1 % less of a transcript."""


class Chosen:
    """What an export takes. holds: says whether a record is one of them, None for all; sessions: ids of the sessions
    whose transcripts are, None for all; config: whether rules, settings and the marks of forgotten sessions are;
    masked: whether secrets in transcripts are overwritten."""

    __slots__ = ("config", "holds", "masked", "sessions")

    def __init__(
        self,
        holds: Callable[[dict[str, Any]], bool] | None = None,
        sessions: frozenset[str] | None = None,
        *,
        config: bool = True,
        masked: bool = False,
    ) -> None:
        self.holds, self.sessions, self.config, self.masked = holds, sessions, config, masked


class Contents:
    """What a bundle came to hold. counts: files by kind (bundle.KINDS); sessions: how many; size in bytes and sha256 of
    the bundle; left: (path below the data folder, reason) of what is not in it; secrets: how many were replaced;
    masked: how many files of the archive had secrets that were overwritten."""

    __slots__ = ("counts", "left", "masked", "secrets", "sessions", "sha256", "size")

    def __init__(self) -> None:
        self.counts = dict.fromkeys(bundle.KINDS, 0)
        self.sessions = self.secrets = self.masked = 0
        self.left: list[tuple[str, str]] = []
        self.sha256 = ""
        self.size = 0


def export(
    folder: DataFolder, path: str, chosen: Chosen, *, overwrite: bool = False, progress: Progress | None = None
) -> Contents:
    """Write a bundle to a file (0600, complete or not there at all), or to stdout for `-`.

    A name that ends in `.gz` or `.tgz` is compressed. progress(done, total) counts files. Raises StorageError: the file
    exists and overwrite is not set, or a disk refuses.
    """
    with new_file.writing(path, overwrite=overwrite) as file:
        return _write(folder, file, chosen, progress, compressed=path.endswith(COMPRESSED_SUFFIXES))


class _Hashed:
    """A file that is written to, with the sha256 and the number of the bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()


def _write(
    folder: DataFolder, file: BinaryIO, chosen: Chosen, progress: Progress | None, *, compressed: bool
) -> Contents:
    hashed = _Hashed(file)
    contents = Contents()
    if compressed:
        with gzip.GzipFile("", "wb", COMPRESSION, hashed, mtime=0) as packed:
            _Export(folder, packed.write, chosen, contents, progress).run()
    else:
        _Export(folder, hashed.write, chosen, contents, progress).run()
    contents.size = hashed.size
    contents.sha256 = hashed.digest.hexdigest()
    return contents


class _Export:
    """One run over the data folder."""

    def __init__(
        self,
        folder: DataFolder,
        write: Callable[[bytes], object],
        chosen: Chosen,
        contents: Contents,
        progress: Progress | None,
    ) -> None:
        self._folder = folder
        self._write = write
        self._chosen = chosen
        self._contents = contents
        self._progress = progress
        self._members: list[Member] = []
        self._written: set[str] = set()
        self._total = 0
        self._redactor = redact.redactor(read_settings(folder)[0])

    def run(self) -> None:
        """Write every member, by name, then the manifest and the end."""
        fixed = [*self._names_in("config"), *self._mark_names()] if self._chosen.config else []
        # A memory deleted while this runs goes from records/ to trash/, a restored one the other way: with trash/
        # listed before and after records/, each is found in one of them.
        buried = set(self._names_in("trash"))
        alive = self._names_in("records")
        archived = list(self._transcript_names())
        self._total = len(fixed) + len(alive) + len(archived) + len(buried)
        for name in sorted([*fixed, *alive, *archived]):
            self._add(name)
        for name in sorted(buried.union(self._names_in("trash"))):
            if not self._add(name):
                self._add("records/" + name.removeprefix("trash/"))
        self._finish()

    def _finish(self) -> None:
        data = bundle.manifest_bytes(self._members, bundle.exporter(records.machine_name()))
        self._write(bundle.header(bundle.MANIFEST, len(data)))
        self._write(data + bundle.padding(len(data)) + bytes(2 * bundle.BLOCK))
        self._contents.left.sort()

    def _names_in(self, top: str) -> list[str]:
        """Member names of the files in records/, trash/ or config/; what else is there is noted as left."""
        found = []
        for entry in _listed(os.path.join(self._folder.root, top)):
            name = f"{top}/{entry}"
            if bundle.kind_of(name) is not None:
                found.append(name)
            elif name not in _MARK_FOLDERS:
                self._leave_unknown(name)
        return found

    def _mark_names(self) -> list[str]:
        """Member names of the marks of sessions that must not come back."""
        return [name for place in _MARK_FOLDERS for name in self._names_in(place)]

    def _transcript_names(self) -> Iterator[str]:
        """Member names of the archived transcripts and of what is beside them, as far as they were chosen."""
        sessions = self._chosen.sessions
        pending = ["transcripts"]
        while pending:
            above = pending.pop()
            for entry in _listed(os.path.join(self._folder.root, above)):
                name = f"{above}/{entry}"
                session_id = name.split("/")[1].removesuffix(transcripts.SUFFIX)
                if sessions is not None and session_id not in sessions:
                    continue
                path = os.path.join(self._folder.root, name)
                if os.path.isdir(path) and not os.path.islink(path):
                    pending.append(name)
                elif bundle.kind_of(name) is None or copies.original_name(entry, dated=True) is not None:
                    self._leave_unknown(name)
                else:
                    yield name

    def _leave_unknown(self, name: str) -> None:
        entry = os.path.basename(name)
        if copies.original_name(entry) is not None:
            self._leave(name, "a copy that waits to be merged: `llm-memory sync` merges it or says why not")
        elif not entry.startswith((".", "~")):  # hidden are the partial files of transfers, and other programs' own
            self._leave(name, "no file of ours by its name")

    def _leave(self, name: str, reason: str) -> None:
        if (name, reason) not in self._contents.left:
            self._contents.left.append((name, reason))

    def _add(self, name: str) -> bool:
        """Write a file if it was chosen and can be read; False when it is not there (any more)."""
        if name in self._written:
            return True
        kind = bundle.kind_of(name) or ""
        path = os.path.join(self._folder.root, name)
        try:
            content = _opened(path) if kind == bundle.TRANSCRIPT else _read_small(path, name, kind)
        except FileNotFoundError:
            return False
        except InvalidRecordError as error:
            self._leave(name, str(error))
        except OSError as error:
            self._leave(name, f"cannot be read: {error.strerror or error}")
        else:
            if isinstance(content, int):
                self._add_transcript(name, path, content)
            elif kind == bundle.MARK:
                self._add_bytes(name, content, bundle_marks.time_of(path, name))
            elif kind not in bundle.OF_RECORDS:
                self._add_bytes(name, content)
            else:
                self._add_record(name, content)
        return True

    def _add_record(self, name: str, data: bytes) -> None:
        """Write a record or tombstone if it was chosen: the file's own bytes unless there is a secret in it."""
        record = records.parse(data, bundle.uuid_of(name))
        if self._chosen.holds is not None and not self._chosen.holds(record):
            return
        secrets = redacted(record, data, self._redactor)
        self._contents.secrets += secrets
        self._add_bytes(name, records.dump(record) if secrets else data)

    def _add_bytes(self, name: str, data: bytes, mtime_ns: int | None = None) -> None:
        self._write(bundle.header(name, len(data)) + data + bundle.padding(len(data)))
        self._note(Member(name, len(data), hashlib.sha256(data).hexdigest(), mtime_ns))

    def _add_transcript(self, name: str, path: str, fd: int) -> None:
        """Write as much of an open file as it has now; the descriptor is closed. What it grows by meanwhile waits."""
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            self._write(bundle.header(name, found.st_size))
            digest = hashlib.sha256()
            left = found.st_size
            pieces = self._masked(name, fd, left) if self._chosen.masked else _pieces(file, left)
            for chunk in pieces:
                digest.update(chunk)
                self._write(chunk)
                left -= len(chunk)
            if left:
                raise StorageError(f"{path} became shorter while it was read: export again.")
        self._write(bundle.padding(found.st_size))
        self._note(Member(name, found.st_size, digest.hexdigest(), found.st_mtime_ns))

    def _masked(self, name: str, fd: int, size: int) -> Iterator[bytes]:
        """A file's bytes with its secrets overwritten, piece by piece: as many bytes as it has."""
        from memories.core import masked_archive, masking

        masker = masking.Masker(self._redactor)
        has_secrets = False
        for piece in masked_archive.pieces(fd, 0, size, is_lines=name.endswith(transcripts.SUFFIX)):
            masked = masker.masked(piece)
            has_secrets = has_secrets or masked != piece
            yield masked
        self._contents.masked += has_secrets

    def _note(self, member: Member) -> None:
        """Count a file that is written."""
        self._members.append(member)
        self._written.add(member.name)
        kind = member.kind or ""
        self._contents.counts[kind] += 1
        self._contents.sessions += kind == bundle.TRANSCRIPT and member.name.count("/") == 1
        if self._progress is not None:
            self._progress(len(self._members), max(self._total, len(self._members)))


_MARK_FOLDERS = (f"trash/{forgotten.EXPIRED}", f"trash/{forgotten.FORGOTTEN}")


def redacted(record: dict[str, Any], data: bytes, redactor: redact.Redactor) -> int:
    """Replace the secrets in a record (data: its file's bytes), in place; how many there were, 0 where it is as
    before."""
    if not redactor.record(record):
        return 0
    marks = (b"[redacted: ", b"[private]")
    return max(sum(records.dump(record).count(mark) - data.count(mark) for mark in marks), 1)


def _listed(path: str) -> list[str]:
    """Names in a folder, none where there is no such folder. Raises StorageError."""
    try:
        return os.listdir(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from error


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The first so many bytes of a file, piece by piece; fewer where it has become shorter."""
    while size and (chunk := file.read(min(CHUNK_BYTES, size))):
        yield chunk
        size -= len(chunk)


def _read_small(path: str, name: str, kind: str) -> bytes:
    """The bytes of a record, tombstone, rules text or settings file. Raises InvalidRecordError with why they stay out;
    OSError as it comes."""
    data, _ = records.read_file(path)
    if len(data) > bundle.MAX_BYTES[kind]:
        raise InvalidRecordError(f"more than {bundle.MAX_BYTES[kind]:,} bytes")
    if kind == bundle.RECORD:
        records.parse(data, bundle.uuid_of(name))
    elif kind == bundle.TOMBSTONE:
        records.parse_tombstone(data, bundle.uuid_of(name))
    return data


def _opened(path: str) -> int:
    """A descriptor of a plain file. Raises InvalidRecordError for what is none; OSError as it comes."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise InvalidRecordError("a symbolic link, folder or special file")
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):  # replaced between the two looks
        os.close(fd)
        raise InvalidRecordError("a special file")
    return fd
