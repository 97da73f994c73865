"""Copies that a file sync left in transcripts/, merged into the archive without losing a byte.

Of all versions of a file (itself, its copies, what is kept beside it) those that another one begins with go; of the
others the longest, then the one with the greater sha256, is the file, and the rest is kept beside it (diverged has the
names). What comes out depends on the bytes alone, so every machine comes to the same files.
"""

from __future__ import annotations

import os
import stat

from memories.core import diverged, files
from memories.core.copies import Outcome, original_name
from memories.core.errors import LLMMemoryError, StorageError, TranscriptError
from memories.core.paths import make_private
from memories.core.transcripts import is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memories.core.paths import DataFolder

_MAIN, _BESIDE, _COPY, _BROUGHT = range(4)
"""What a version's file is; of equal bytes the first of these stays."""


class _ChangedMeanwhileError(LLMMemoryError):
    """A file is no longer what was read of it, or another one has come to its place."""


class _Version:
    """One file with a version in it. Raises OSError where it cannot be opened, TranscriptError for no regular file."""

    __slots__ = ("_digest", "_state", "path", "role", "size")

    def __init__(self, path: str, role: int) -> None:
        self.path = path
        self.role = role
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            raise TranscriptError("not a regular file: move it away")
        os.close(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
        self.size = found.st_size
        self._state = (found.st_ino, found.st_size, found.st_mtime_ns)
        self._digest = ""

    @property
    def digest(self) -> str:
        if not self._digest:
            self._digest = diverged.digest_of(self.path)
        return self._digest

    def is_unchanged(self) -> bool:
        """Whether nobody wrote to the file since it was looked at."""
        try:
            found = os.lstat(self.path)
        except OSError:
            return False
        return (found.st_ino, found.st_size, found.st_mtime_ns) == self._state

    def make_durable(self) -> None:
        """Bring the bytes to the disk: another file goes on their account."""
        fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError:
            pass  # some network file systems refuse for a file that is only read
        finally:
            os.close(fd)


def with_copies(folder: DataFolder) -> list[str]:
    """The files below transcripts/ that have copies beside them, sorted: `<sid>.jsonl`, or a path in `<sid>/`.

    A folder that is a symlink is not looked into.
    """
    found: set[str] = set()
    for entry in files.entries(folder.transcripts):
        name = entry.name
        if is_session_id(name):
            if entry.is_dir(follow_symlinks=False):
                found.update(_with_copies_in(folder, name))
        elif not diverged.is_session_file(name) and diverged.is_session_file(original_name(name) or ""):
            found.add(original_name(name) or "")
    return sorted(found)


def _with_copies_in(folder: DataFolder, session_id: str) -> Iterator[str]:
    pending = [session_id]
    while pending:
        place = pending.pop()
        for entry in files.entries(os.path.join(folder.transcripts, place)):
            original = original_name(entry.name, dated=True)  # Claude Code itself may name a file `x (1).txt` or `x~`
            if original is not None:
                yield diverged.original(f"{place}/{original}")
            elif entry.is_dir(follow_symlinks=False):
                pending.append(f"{place}/{entry.name}")


def settle(folder: DataFolder, relative: str, brought: str | None = None) -> Outcome:
    """Merge the versions of one archived file.

    relative: its path below transcripts/, as with_copies gives it (or that of a version kept beside it). brought: the
    absolute path of one more version, on the same file system; it is moved or removed. Outcome.kept: paths below the
    data folder. mtimes stay with their bytes. Left alone and named: what is no regular file or cannot be read; all,
    where that is the file itself. A kill at any point loses nothing, and the next settle comes to the same end.
    Raises TranscriptError (no such place in an archive, brought is no file), StorageError.
    """
    outcome = Outcome()
    name = diverged.original(relative)
    if not _is_place(name):
        raise TranscriptError(f"{relative!r} is no place in an archive: <session id>.jsonl or a file in <session id>/.")
    try:
        if _is_linked(folder, name):
            outcome.left.append((f"transcripts/{name}", "is in a folder that is a symlink: it is not followed"))
            return outcome
        versions = _gather(folder, name, outcome)
        if brought is not None and versions is not None:
            versions.append(_Version(brought, _BROUGHT))
        if versions:
            _merge(folder, name, versions, outcome)
    except OSError as error:
        raise StorageError(
            f"Cannot merge transcripts/{name}: {error.strerror or error}. Check free space and permissions, then sync."
        ) from error
    return outcome


def _is_place(name: str) -> bool:
    parts = name.split("/")
    if len(parts) == 1:
        return diverged.is_session_file(name)
    return is_session_id(parts[0]) and not {"", ".", ".."}.intersection(parts) and "\0" not in name


def _is_linked(folder: DataFolder, name: str) -> bool:
    place = os.path.dirname(diverged.version_name(name, ""))
    parts = place.split("/")
    return any(os.path.islink(os.path.join(folder.transcripts, *parts[: end + 1])) for end in range(len(parts)))


def _gather(folder: DataFolder, name: str, outcome: Outcome) -> list[_Version] | None:
    """Every version on disk that can be read; None where the file itself cannot."""
    root = folder.transcripts
    found: list[_Version] = []
    roles = [(name, _MAIN)] if os.path.lexists(os.path.join(root, name)) else []
    roles += [(version, _BESIDE) for version in diverged.versions(folder, name)]
    roles += [(copy, _COPY) for copy in _copies(folder, name)]
    for path, role in roles:
        try:
            found.append(_Version(os.path.join(root, path), role))
        except TranscriptError as error:
            outcome.left.append((f"transcripts/{path}", str(error)))
        except OSError as error:
            outcome.left.append((f"transcripts/{path}", f"cannot be read ({error.strerror}): check its permissions"))
    is_blocked = bool(roles) and roles[0][1] == _MAIN and not (found and found[0].role == _MAIN)
    return None if is_blocked else found


def _copies(folder: DataFolder, name: str) -> list[str]:
    """The copies of a file and of the versions kept beside it, below transcripts/, sorted."""
    found = []
    for place in sorted({os.path.dirname(name), os.path.dirname(diverged.version_name(name, ""))}):
        prefix = f"{place}/" if place else ""
        for one in sorted(entry.name for entry in files.entries(os.path.join(folder.transcripts, place))):
            of = original_name(one, dated=bool(place))
            if of is not None and diverged.original(prefix + of) == name:
                found.append(prefix + one)
    return found


def _merge(folder: DataFolder, name: str, versions: list[_Version], outcome: Outcome) -> None:
    """Bring the versions of one file into place."""
    longest = _without_beginnings(versions)
    redundant = [one for one in versions if one not in longest]
    if {one.role for one in versions} <= {_MAIN, _BESIDE, _BROUGHT} and {one.role for one in redundant} == {_BROUGHT}:
        _unlink(redundant)  # it brought nothing
        return
    ties = [one for one in longest if one.size == longest[0].size]
    winner = max(ties, key=lambda one: one.digest) if len(ties) > 1 else longest[0]
    target = os.path.join(folder.transcripts, name)
    places = _places(folder, name, [one for one in longest if one is not winner])
    if not redundant and winner.path == target and all(one.path == path for one, path in places.items()):
        return
    try:
        if not all(one.is_unchanged() for one in versions):
            raise _ChangedMeanwhileError
        for one in longest:
            one.make_durable()
        _move(target, winner, places, redundant)
    except _ChangedMeanwhileError:
        outcome.left.append((f"transcripts/{name}", "was written to while it was merged: the next sync does it"))
        return
    outcome.changed = True
    outcome.kept = sorted(os.path.relpath(path, folder.root) for one, path in places.items() if one.role != _BESIDE)


def _without_beginnings(versions: list[_Version]) -> list[_Version]:
    """The versions that no other begins with, longest first; of equal ones the first by role and name.

    Sorted by their bytes, what others begin with stands directly before one of them: 1,000 versions take some 10,000
    comparisons, not half a million.
    """
    from functools import cmp_to_key
    from itertools import pairwise

    ordered = sorted(versions, key=lambda one: (one.role, one.path), reverse=True)
    ordered.sort(key=cmp_to_key(lambda one, other: diverged.order(one.path, other.path)))
    longest = ordered[-1:]
    for one, after in pairwise(ordered):
        if not diverged.is_beginning(one.path, after.path):
            longest.append(one)
    return sorted(longest, key=lambda one: (-one.size, one.role, one.path))


def _places(folder: DataFolder, name: str, others: list[_Version]) -> dict[_Version, str]:
    """Where each version that is not the file is kept; what is beside it already stays under its name."""
    places = {one: one.path for one in others if one.role == _BESIDE}
    for one in others:
        if one not in places:
            path = os.path.join(folder.transcripts, diverged.version_name(name, one.digest))
            if path in places.values():  # some other bytes have that name: not ours, or one in 2**48
                path = os.path.join(folder.transcripts, diverged.version_name(name, one.digest, len(one.digest)))
            places[one] = path
    return places


def _move(target: str, winner: _Version, places: dict[_Version, str], redundant: list[_Version]) -> None:
    """Put every version where it belongs.

    After each step all bytes are on disk; copies go last, the file that comes of one after all others, so that a kill
    before leaves the file among those with copies. What was brought is in place before anything goes on its account.
    Raises _ChangedMeanwhileError before a step that would take bytes which nobody has read.
    """
    moves = {**places, winner: target}
    known = {one.path: one for one in (*moves, *redundant)}
    folders = {os.path.dirname(path) for path in moves.values()}
    for path in folders:
        make_private(path)
    for one, path in places.items():
        if one.role == _MAIN:
            diverged.set_aside(one.path, path)
    _replace(moves, {_BESIDE, _BROUGHT}, known)
    for path in folders:
        files.fsync_folder(path)
    _unlink(one for one in redundant if one.role == _BESIDE and one.path not in moves.values())
    if winner.role == _MAIN and any(one.role == _COPY for one in redundant):
        _touch(target)
    _unlink(one for one in redundant if one.role in {_COPY, _BROUGHT})
    _replace(moves, {_COPY}, known)
    for path in folders:
        files.fsync_folder(path)


def _touch(path: str) -> None:
    """Make a file that stays as it is count as changed, by a nanosecond, for a file sync.

    A copy is about to go because this file holds its bytes. Elsewhere another version may have replaced the file in the
    meantime: unless a file sync takes this one for a change of its own, it would put that version over the last place
    where these bytes are. The archive's quick check (transcripts.is_archived) looks at microseconds and sees nothing.
    """
    mtime_ns = os.stat(path).st_mtime_ns
    mtime_ns += -1 if mtime_ns % 1000 == 999 else 1  # noqa: PLR2004 - the last nanosecond of a microsecond
    os.utime(path, ns=(mtime_ns, mtime_ns))


def _replace(moves: dict[_Version, str], roles: set[int], known: dict[str, _Version]) -> None:
    """Move the versions of these roles into place; known: each version by the path at which it was read."""
    for one, path in moves.items():
        if one.role in roles and one.path != path:
            there = known.get(path)
            is_free = not os.path.lexists(path) or (there is not None and there.is_unchanged())
            if not (is_free and one.is_unchanged()):
                raise _ChangedMeanwhileError
            os.replace(one.path, path)


def _unlink(versions: Iterable[_Version]) -> None:
    """Remove versions that others hold; one that was written to since it was read stays for the next sync."""
    for one in versions:
        if one.is_unchanged():
            os.unlink(one.path)
