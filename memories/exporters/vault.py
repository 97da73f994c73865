"""A folder of files that exports keep up to date, in which the user's own files are safe.

What an export wrote stands in a manifest with its hash, and, while it runs, in a journal: a file that is neither is the
user's own, one with another hash was edited; neither is ever written or removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat

from memories.core import files, paths
from memories.core.errors import LockTimeoutError, StorageError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any

    from memories.core.paths import DataFolder

MANIFEST = ".llm-memory-export.json"
JOURNAL = ".llm-memory-export.journal"
FORMAT = "llm-memory-markdown"
VERSION = 1

_NOTE = ".md"
_TEMP_NAME = re.compile(rf"\.(?:.+{re.escape(_NOTE)}|{re.escape(MANIFEST)})\.tmp-\d+")
_CHUNK_BYTES = 1024 * 1024


class Entry:
    """A file that an export wrote. kind: what it is; of: its id; title, created, hidden: what an index says of it;
    source: the state of what it was made from, "" where that is not kept; sha256: of its bytes."""

    __slots__ = ("created", "hidden", "kind", "of", "sha256", "source", "title")

    def __init__(
        self,
        kind: str,
        of: str,
        title: str,
        created: str = "",
        *,
        hidden: bool = False,
        source: str = "",
    ) -> None:
        self.kind, self.of, self.title, self.created = kind, of, title, created
        self.hidden, self.source = hidden, source
        self.sha256 = ""

    def as_data(self) -> dict[str, Any]:
        """The entry as the manifest has it."""
        return {name: getattr(self, name) for name in sorted(self.__slots__)}


def _entry(value: Any) -> Entry:
    """An entry of a manifest or journal. Raises ValueError."""
    fits = isinstance(value, dict) and all(
        isinstance(value.get(name), bool if name == "hidden" else str) for name in Entry.__slots__
    )
    if not fits:
        raise ValueError("no entry")
    entry = Entry(
        value["kind"], value["of"], value["title"], value["created"], hidden=value["hidden"], source=value["source"]
    )
    entry.sha256 = value["sha256"]
    return entry


class Vault:
    """A folder that is exported into, for one run: `with Vault(...) as vault`.

    before: path below the folder -> what earlier exports wrote there. now: what is there after this one. written,
    unchanged, removed: counts of files; kept: paths of files that the user edited, left alone.
    """

    def __init__(self, folder: DataFolder, path: str, *, force: bool) -> None:
        """force: also into a folder that has other things in it and no export yet. Raises StorageError."""
        self.root = os.path.realpath(os.path.expanduser(path))
        _check(folder, self.root, force=force)
        paths.make_private(self.root)
        self.before: dict[str, Entry] = {}
        self.now: dict[str, Entry] = {}
        self.written = self.unchanged = self.removed = 0
        self.kept: list[str] = []
        self._known: dict[str, set[str]] = {}
        self._journal = os.path.join(self.root, JOURNAL)
        self._lock = FileLock(self._journal, 0)

    def __enter__(self) -> Vault:
        try:
            self._lock.__enter__()
        except LockTimeoutError:
            raise LockTimeoutError(f"Another export into {self.root} is running: wait until it is done.") from None
        try:
            self._read()
            self._sweep()
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def _read(self) -> None:
        try:
            with files.open_plain(os.path.join(self.root, MANIFEST)) as file:
                self.before = dict(_manifest(file.read()))
        except FileNotFoundError:
            pass
        except (ValueError, RecursionError) as error:
            raise StorageError(
                f"{os.path.join(self.root, MANIFEST)} cannot be read ({error}), so nothing says which files an export "
                "wrote. Export into another folder, or remove that file: all files are then taken for yours."
            ) from error
        for path, entry in self.before.items():
            self._known.setdefault(path, set()).add(entry.sha256)
        with files.open_plain(self._journal) as file:
            for line in file:
                try:
                    value = json.loads(line)
                    path, entry = _path(value["path"]), _entry(value)
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue  # the last one, when it was killed
                self._known.setdefault(path, set()).add(entry.sha256)
                self.before.setdefault(path, entry)

    def _sweep(self) -> None:
        for place in {"", *(os.path.dirname(path) for path in self.before)}:
            for one in files.entries(os.path.join(self.root, place)):
                if _TEMP_NAME.fullmatch(one.name) and files.is_dead_temp_file(one.name):
                    files.remove_quietly(one.path)

    def others_in(self, place: str, *, folders: bool = False) -> list[str]:
        """Names in a folder below this one that are not ours. folders: but for folders, in which ours may stand beside
        the user's files."""
        found = files.entries(os.path.join(self.root, place))
        others = [one for one in found if os.path.join(place, one.name) not in self._known]
        return [one.name for one in others if not (folders and one.is_dir(follow_symlinks=False))]

    def write(self, path: str, entry: Entry, data: bytes) -> None:
        """Have these bytes at a path below the folder, unless what is there is the user's. Raises StorageError."""
        entry.sha256 = hashlib.sha256(data).hexdigest()
        if self._is_writable(path, entry):
            self._make_folder(os.path.dirname(path))
            files.write_atomic(os.path.join(self.root, path), data, durable=False)
            self.written += 1

    def write_pieces(self, path: str, entry: Entry, pieces: Iterator[bytes]) -> None:
        """As write, of any length: a piece at a time. Raises StorageError."""
        self._make_folder(os.path.dirname(path))
        target = os.path.join(self.root, path)
        temp, digest = files.temp_path(target), hashlib.sha256()
        try:
            fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
            entry.sha256 = digest.hexdigest()
            if self._is_writable(path, entry):
                os.replace(temp, target)
                self.written += 1
        except OSError as error:
            raise StorageError(
                f"Cannot write {target}: {error.strerror or error}. Check free space and permissions, then try again."
            ) from error
        finally:
            files.remove_quietly(temp)

    def keep(self, path: str) -> bool:
        """Leave a file that an earlier export wrote as it is, if it is there."""
        if path not in self.before or not os.path.lexists(os.path.join(self.root, path)):
            return False
        self.now[path] = self.before[path]
        self.unchanged += 1
        return True

    def _is_writable(self, path: str, entry: Entry) -> bool:
        """Whether these contents are to be written: they are not there yet, and what is there is not the user's."""
        found = self._sha256(path)
        if found == entry.sha256:
            self.unchanged += 1
        elif found and found not in self._known.get(path, ()):
            self.kept.append(path)
            entry.sha256 = self.before[path].sha256 if path in self.before else ""
        else:
            self._note(path, entry)
        self.now[path] = entry
        return found != entry.sha256 and path not in self.kept

    def _note(self, path: str, entry: Entry) -> None:
        """Say in the journal what is about to be written, so that a killed export's files are known as ours."""
        line = json.dumps({"path": path, **entry.as_data()}) + "\n"
        try:
            fd = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.write(fd, line.encode("ascii"))
            finally:
                os.close(fd)
        except OSError as error:
            raise StorageError(f"Cannot write {self._journal}: {error.strerror}. Check free space.") from error

    def _sha256(self, path: str) -> str:
        """The hash of a file; "" where there is none, "?" for what is no file."""
        digest = hashlib.sha256()
        place = os.path.join(self.root, path)
        try:
            if not stat.S_ISREG(os.lstat(place).st_mode):
                return "?"
            with files.open_plain(place) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError:
            return "?"
        return digest.hexdigest()

    def _make_folder(self, place: str) -> None:
        for end in [found.end() for found in re.finditer(r"[^/]+", place)]:
            path = os.path.join(self.root, place[:end])
            try:
                if not os.path.lexists(path):
                    os.mkdir(path, 0o700)
                elif not stat.S_ISDIR(os.lstat(path).st_mode):
                    raise StorageError(f"{path} is no folder: move it away, then export again.")
            except OSError as error:
                raise StorageError(f"Cannot make {path}: {error.strerror}. Check its folder's permissions.") from error

    def finish(self, stays: Callable[[Entry], bool]) -> None:
        """Remove what earlier exports wrote and this one did not, but for what stays says and the user edited; then
        write the manifest. Raises StorageError."""
        for path, entry in self.before.items():
            if path in self.now:
                continue
            found = self._sha256(path)
            if stays(entry):
                self.now[path] = entry
            elif found in self._known[path]:
                files.remove_quietly(os.path.join(self.root, path))
                self._drop_empty(os.path.dirname(path))
                self.removed += 1
            elif found:
                self.kept.append(path)
        listed = {path: self.now[path].as_data() for path in sorted(self.now)}
        value = {"format": FORMAT, "version": VERSION, "files": listed}
        data = (json.dumps(value, ensure_ascii=False, indent=0) + "\n").encode("utf-8", "replace")
        files.write_atomic(os.path.join(self.root, MANIFEST), data)
        files.remove_quietly(self._journal)

    def _drop_empty(self, place: str) -> None:
        while place:
            try:
                os.rmdir(os.path.join(self.root, place))
            except OSError:
                return  # something is in it
            place = os.path.dirname(place)


def _check(folder: DataFolder, root: str, *, force: bool) -> None:
    """Raises StorageError unless a Markdown folder may be kept there."""
    inside = os.path.realpath(folder.root)
    if root == inside or root.startswith(inside + os.sep):
        raise StorageError(f"{root} is in the data folder: export to another place.")
    if os.path.lexists(root) and not os.path.isdir(root):
        raise StorageError(f"{root} is a file: name a folder for Markdown, or another --format.")
    names = [one.name for one in files.entries(root)]
    if force or MANIFEST in names or JOURNAL in names or all(name.startswith(".") for name in names):
        return
    raise StorageError(
        f"{root} has other files in it: name an empty or a new folder, or pass --force to export beside them "
        "(they are left as they are)."
    )


def _manifest(data: bytes) -> Iterator[tuple[str, Entry]]:
    """(path, entry) of a manifest. Raises ValueError with what is wrong."""
    value = json.loads(data)
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("files"), dict):
        raise ValueError("no manifest of an export")
    if value.get("version") != VERSION:
        raise ValueError(f"of version {value.get('version')!r:.20}")
    for path, entry in value["files"].items():
        yield _path(path), _entry(entry)


def _path(path: object) -> str:
    """A path below the folder as we make them. Raises ValueError: nothing else is ever removed."""
    parts = path.split("/") if isinstance(path, str) else []
    if not parts or not parts[-1].endswith(_NOTE) or any(not part or part.startswith(".") for part in parts):
        raise ValueError("a path that no export writes")
    return str(path)
