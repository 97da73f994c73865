"""Claude Code's transcripts: finding them, and keeping copies in transcripts/ (the archive), byte for byte or masked.

The client deletes transcripts after a month; the archive keeps them. A transcript only ever grows, so the archive grows
in place; its mtime is set to the source's last of all and says "complete up to there" (the quick check of rsync).
Where another machine continued the same session, the longer version is the archive and the other is beside (diverged).
"""

from __future__ import annotations

import os
import stat

from memories.core import files
from memories.core.errors import LLMMemoryError, StorageError, TranscriptError
from memories.core.paths import make_private
from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

SUFFIX = ".jsonl"
SLUG_CHARS = 200
"""Claude Code cuts a launch folder's slug here and appends a hash, which is not documented."""

COMPARED_BYTES = 64 * 1024
"""How much of an archive's end is compared with the same range of its source before more is appended."""

CHUNK_BYTES = 1024 * 1024
_SESSION_ID = lazy(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LAST_OF_BASIC_PLANE = 0xFFFF


class Source:
    """One transcript as Claude Code keeps it. path and folder (its slug folder) are absolute; size in bytes."""

    __slots__ = ("folder", "mtime_ns", "path", "session_id", "size")

    def __init__(self, path: str, folder: str, session_id: str, found: os.stat_result) -> None:
        self.path = path
        self.folder = folder
        self.session_id = session_id
        self.size = found.st_size
        self.mtime_ns = found.st_mtime_ns


def is_session_id(text: object) -> bool:
    """True for a session id: a UUID with dashes."""
    return isinstance(text, str) and _SESSION_ID.fullmatch(text) is not None


def slug(path: str) -> str:
    """The name of the folder in which Claude Code files the sessions launched in path (a real path).

    Over 200 characters: the first 200, to which the client appends `-` and a hash; see in_slug_folder.
    """
    return "".join(map(_slug_part, path))[:SLUG_CHARS]


def _slug_part(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return "-" if ord(character) <= _LAST_OF_BASIC_PLANE else "--"  # beyond it, two UTF-16 units


def in_slug_folder(path: str, folder_name: str) -> bool:
    """Whether sessions launched in path are filed in the slug folder of that name."""
    own = slug(path)
    return folder_name == own or (len(own) == SLUG_CHARS and folder_name.startswith(own + "-"))


def iter_sources(projects_dir: str) -> Iterator[Source]:
    """Every session's transcript below Claude Code's projects folder, in no particular order.

    Regular files `<slug>/<session id>.jsonl` only; what cannot be listed is passed over.
    """
    for folder in files.entries(projects_dir):
        if folder.is_dir(follow_symlinks=False):
            for path, session_id, found in _transcripts_in(folder.path):
                yield Source(path, folder.path, session_id, found)


def _transcripts_in(folder: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """(path, session id, stat) of each regular file in a folder that is named like a transcript."""
    for entry in files.entries(folder):
        session_id = entry.name[: -len(SUFFIX)]
        if entry.name.endswith(SUFFIX) and _SESSION_ID.fullmatch(session_id):
            try:
                if entry.is_file(follow_symlinks=False):
                    yield entry.path, session_id, entry.stat()
            except OSError:
                pass  # deleted meanwhile


def source_at(path: str) -> Source | None:
    """The source with that path; None unless it is a regular file named `<session id>.jsonl`."""
    parent, name = os.path.split(os.path.abspath(path))
    session_id = name[: -len(SUFFIX)]
    if not name.endswith(SUFFIX) or not is_session_id(session_id):
        return None
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    return Source(os.path.join(parent, name), parent, session_id, found) if stat.S_ISREG(found.st_mode) else None


def launch_cwd(path: str) -> str | None:
    """The folder a session was launched in: the first cwd that its slug folder stands for, else the first in the file.

    Raises TranscriptError when the file cannot be read.
    """
    from memories.core import conversation  # a sweep that finds nothing new reads no transcript

    folder_name = os.path.basename(os.path.dirname(path))
    return conversation.first_cwd(path, lambda cwd: in_slug_folder(cwd, folder_name))


def archive_path(folder: DataFolder, session_id: str) -> str:
    """Where a session's archived transcript is."""
    return os.path.join(folder.transcripts, session_id + SUFFIX)


def archived_states(folder: DataFolder) -> dict[str, tuple[int, int]]:
    """session id -> (size, mtime in microseconds) of every archived transcript: one listing for a whole sweep."""
    return {
        session_id: _state(found.st_size, found.st_mtime_ns)
        for _, session_id, found in _transcripts_in(folder.transcripts)
    }


def _state(size: int, mtime_ns: int) -> tuple[int, int]:
    return size, mtime_ns // 1000  # finer than this not every file system keeps


def is_archived(folder: DataFolder, source: Source, states: dict[str, tuple[int, int]] | None = None) -> bool:
    """The quick check: whether the archive is complete up to the source's present state. One stat, none with states."""
    if states is None:
        try:
            found = os.lstat(archive_path(folder, source.session_id))
        except OSError:
            return False
        return _state(found.st_size, found.st_mtime_ns) == _state(source.size, source.mtime_ns)
    return states.get(source.session_id) == _state(source.size, source.mtime_ns)


def is_held(folder: DataFolder, source: Source, states: dict[str, tuple[int, int]] | None = None) -> bool:
    """Whether the archive holds all of a source: is_archived, or in a longer archive, or in a version beside it."""
    if is_archived(folder, source, states):
        return True
    from memories.core import diverged  # for sessions that are new or have grown only

    name = source.session_id + SUFFIX
    try:
        fd = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        for one in (name, *diverged.versions(folder, name)):
            path = os.path.join(folder.transcripts, one)
            if _size(path) >= source.size and _begins_with(path, fd, source.size):
                return True
    except OSError:
        pass  # then it is archived, which says what is wrong
    finally:
        os.close(fd)
    return False


def _size(path: str) -> int:
    """A regular file's size in bytes; -1 where there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else -1


def archive_redactor(settings: dict[str, Any]) -> Redactor | None:
    """What archive masks with by these settings (read_settings); None where transcripts are kept byte for byte."""
    if not settings.get("redact_transcripts"):
        return None
    from memories.core import redact  # its rules are not for those who keep their transcripts as they are

    return redact.redactor(settings)


def archive(folder: DataFolder, source_path: str, redactor: Redactor | None = None) -> bool:
    """Bring a session's archive up to date; True when anything was written.

    Copies `<sid>/` (subagents, tool results; regular files at any depth) first and `<sid>.jsonl` last. An archive that
    is longer than its source and begins with it is kept. Of two that differ the longer is the archive and the other is
    kept beside; a source that the archive or a version beside it begins with is there already. redactor: what it finds
    is masked (masked_archive), without one the bytes are kept as they are; what is masked already stays so either way.
    Raises TranscriptError (a source cannot be read) or StorageError (the archive cannot be written); all that can be
    copied is copied first.
    """
    source = source_at(source_path)
    if source is None:
        raise TranscriptError(f"{source_path} is not a transcript: a file named <session id>.jsonl is needed.")
    written = False
    failure: LLMMemoryError | None = None
    for path, name in files_beside(source):
        try:
            written |= _bring_up_to_date(folder, path, name, redactor)
        except TranscriptError as error:
            failure = error
    written |= _bring_up_to_date(folder, source.path, source.session_id + SUFFIX, redactor)
    if failure is not None:
        raise failure
    return written


def files_beside(source: Source) -> Iterator[tuple[str, str]]:
    """(path, its archive's below transcripts/) of every regular file in the session's own folder."""
    root = source.path[: -len(SUFFIX)]
    pending = [] if os.path.islink(root) else [root]
    while pending:
        for entry in files.entries(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry.path, f"{source.session_id}/{os.path.relpath(entry.path, root)}"


def _bring_up_to_date(folder: DataFolder, source_path: str, name: str, redactor: Redactor | None) -> bool:
    """Copy or extend one file. name: the archive's, below transcripts/."""
    target = os.path.join(folder.transcripts, name)
    try:
        source = os.open(source_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise TranscriptError(f"Cannot read {source_path}: {error.strerror}. Check its permissions.") from error
    try:
        found = os.fstat(source)
        make_private(os.path.dirname(target))
        try:
            old = os.lstat(target)
        except FileNotFoundError:
            old = None
        if old and _state(old.st_size, old.st_mtime_ns) == _state(found.st_size, found.st_mtime_ns):
            return False
        if redactor is not None:
            from memories.core import masked_archive

            return masked_archive.bring_up_to_date(folder, source, name, old, redactor)
        if old is None:
            return _copy_whole(source, found, target)
        if found.st_size > old.st_size:
            is_same = _same_beginning(source, target, old.st_size)
        else:  # nothing of the source is written any more: then all of it must be there
            is_same = _begins_with(target, source, found.st_size)
        if is_same:
            return found.st_size >= old.st_size and _append(source, found, target, old.st_size)
        return _keep_both(folder, source, found, name)
    except OSError as error:
        raise StorageError(
            f"Cannot archive {source_path} as {target}: {error.strerror}. Check free space and permissions."
        ) from error
    finally:
        os.close(source)


def _keep_both(folder: DataFolder, source: int, found: os.stat_result, name: str) -> bool:
    """Keep a source from which its archive differs; False where a version beside the archive has it already."""
    from memories.core import diverged

    continued = []
    for version in diverged.versions(folder, name):
        path = os.path.join(folder.transcripts, version)
        size = os.lstat(path).st_size
        if size >= found.st_size and _begins_with(path, source, found.st_size):
            return False
        if size < found.st_size and _same_beginning(source, path, size):
            continued.append(path)
    target = os.path.join(folder.transcripts, name)
    own, old = diverged.digest(source, found.st_size), diverged.digest_of(target)
    new_path = target
    if (found.st_size, own) > (os.lstat(target).st_size, old):
        beside = os.path.join(folder.transcripts, diverged.version_name(name, old))
        make_private(os.path.dirname(beside))
        diverged.set_aside(target, beside)
    else:
        new_path = os.path.join(folder.transcripts, diverged.version_name(name, own))
        make_private(os.path.dirname(new_path))
    _copy_whole(source, found, new_path)
    for path in continued:
        if path != new_path and diverged.is_beginning(path, new_path):
            os.unlink(path)
    return True


def _is_kept(given: bytes, kept: bytes) -> bool:
    """Whether a part of the archive is that of a source: the same bytes, or `*` in their place (a masked archive)."""
    if given == kept:
        return True
    from memories.core import masking  # only where they differ

    return masking.with_stars_of(given, kept) == kept


def _same_beginning(source: int, target: str, length: int) -> bool:
    """Whether both files hold the same bytes before length, judged by the last 64 KB of that range."""
    start = max(0, length - COMPARED_BYTES)
    fd = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return _is_kept(os.pread(source, length - start, start), os.pread(fd, length - start, start))
    finally:
        os.close(fd)


def _begins_with(target: str, source: int, length: int) -> bool:
    """Whether a file's first bytes are those of a source before length, all of them compared."""
    fd = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        position = 0
        while position < length:
            chunk = os.pread(source, min(CHUNK_BYTES, length - position), position)
            if not chunk or not _is_kept(chunk, os.pread(fd, len(chunk), position)):
                return False  # no chunk: the source was cut meanwhile
            position += len(chunk)
        return True
    finally:
        os.close(fd)


def _append(source: int, found: os.stat_result, target: str, position: int) -> bool:
    """Write what the source has more. Two processes doing this at once write the same bytes to the same places."""
    fd = os.open(target, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _copy_range(source, fd, position, found.st_size)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))
    return found.st_size > position


def _copy_whole(source: int, found: os.stat_result, target: str) -> bool:
    temp = files.temp_path(target)
    try:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            _copy_range(source, fd, 0, found.st_size)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.utime(temp, ns=(found.st_mtime_ns, found.st_mtime_ns))
        os.replace(temp, target)
    except OSError:
        files.remove_quietly(temp)
        raise
    files.fsync_folder(os.path.dirname(target))
    return True


def _copy_range(source: int, target: int, position: int, end: int) -> None:
    """Copy bytes [position, end) in chunks, to the same place; what is written after the source was looked at waits."""
    while position < end:
        chunk = os.pread(source, min(CHUNK_BYTES, end - position), position)
        if not chunk:
            return  # the source was cut meanwhile: sizes differ, so the next archive looks again
        position += os.pwrite(target, chunk, position)
