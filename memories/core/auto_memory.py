"""Claude Code's auto memory as memories: a note for each of its files, kept current, and nothing written to Claude.

Only the machine that has a file writes its note, whose id is made of the machine's name and the file's path. What was
mirrored of which file is in state/auto-memory.json, by which a sync with nothing new opens no file, and by which a note
that went with its file is told from one that its user deleted: that one stays deleted until the file changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time

from memories.core import auto_memory_folders, auto_memory_text, clock, files, projects, records, session_logs
from memories.core.auto_memory_folders import RACY_SECONDS, SUFFIX, Place, state_path
from memories.core.errors import LLMMemoryError, RecordNotFoundError
from memories.core.paths import home_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.auto_memory_text import Text
    from memories.core.paths import DataFolder
    from memories.core.projects import Project

SOURCE = "Claude auto memory"
"""What these notes carry as imported_from."""

TAG = "auto-memory"

MAX_BYTES = 200_000
"""A larger file is left alone; Claude Code itself reads 25,000 bytes of its index and writes files of some hundred."""

MAX_FILES = 2_000
"""Files of one memory folder that are mirrored, by their names; the rest is left alone and said."""

NAMED = 5
"""Problems of one kind that are named; more are counted."""

MIRRORED, DELETED, GONE, EMPTY = "mirrored", "deleted", "gone", "empty"
"""What became of a file: a note; one that its user deleted; one that went with the file or by the setting; nothing, as
it says nothing or may not be kept."""


class Settled:
    """What a look did. mirrored: files that have a note; written, removed: notes written and moved to trash/; problems:
    what was left alone or failed, in words."""

    __slots__ = ("mirrored", "problems", "removed", "written")

    def __init__(self) -> None:
        self.mirrored = self.written = self.removed = 0
        self.problems: list[str] = []


def uuid_of(machine: str, path: str) -> str:
    """The id of the note that is made of a file on a machine."""
    return records.uuid5(session_logs.NAMESPACE, f"{SOURCE}:{machine}:{path}")


def settle(folder: DataFolder, projects_dir: str, settings: dict[str, Any]) -> Settled:
    """Bring the notes in line with Claude's files. projects_dir: the client's; the caller holds state/sync.lock.

    What fails for one file is in problems. Raises StorageError where the state cannot be written.
    """
    return _Look(folder, projects_dir, settings).run()


class _State:
    """state/auto-memory.json: machine: the name that ids are made with, kept when the machine is renamed; folders:
    memory folder -> the launch folder it stands for; files: path -> what became of it, [kind, size, mtime_ns, mtime_ns
    of the note, hash of what it was made of]."""

    def __init__(self, folder: DataFolder) -> None:
        self._path = state_path(folder)
        try:
            with files.open_plain(self._path) as file:
                found = json.load(file)
        except (OSError, ValueError, RecursionError):
            found = {}
        found = found if isinstance(found, dict) else {}
        machine = found.get("machine")
        self.machine: str = machine if machine and isinstance(machine, str) else records.machine_name()
        self.folders = {key: one for key, one in _dict(found, "folders").items() if isinstance(one, str)}
        self.files = {key: one for key, one in _dict(found, "files").items() if isinstance(one, list) and len(one) == 5}  # noqa: PLR2004
        self._before = self._dump() if found else b""

    def _dump(self) -> bytes:
        whole = {"machine": self.machine, "folders": self.folders, "files": self.files}
        return json.dumps(whole, sort_keys=True).encode("ascii")

    def save(self, looked_at: float) -> None:
        """Write what changed, and note when the look began (Unix seconds)."""
        data = self._dump()
        if data != self._before:
            files.write_atomic(self._path, data, durable=False)
        os.utime(self._path, (looked_at, looked_at))


def _dict(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


class _Look:
    """One look at all of it."""

    def __init__(self, folder: DataFolder, projects_dir: str, settings: dict[str, Any]) -> None:
        from memories.core import redaction

        self.folder = folder
        self.projects_dir = projects_dir
        self.settings = settings
        self.state = _State(folder)
        self.result = Settled()
        self.now = time.time()
        self._redactor = redaction.of(folder)
        self._launched: list[str] | None = None

    def run(self) -> Settled:
        places, problems = auto_memory_folders.places(self.folder, self.projects_dir)
        if not (places or problems or self.state.files):
            return self.result
        if self.settings["auto_memory"]:
            self.result.problems += problems
            for place in places:
                self._look_into(place)
        self._remove_gone()
        self.result.mirrored = sum(1 for known in self.state.files.values() if known[0] == MIRRORED)
        self.state.save(self.now)
        return self.result

    def _look_into(self, place: Place) -> None:
        project, is_allowed = self._project_of(place)
        if not is_allowed:
            return
        found, more, problems = auto_memory_folders.memory_files(place, MAX_FILES)
        if more:
            problems.append(f"{place.path} holds {more:,} files beyond the first {MAX_FILES:,}, which are left alone")
        paths = {entry.path for entry in found}
        for entry in found:
            try:
                self._look_at(entry.path, entry.stat(follow_symlinks=False), project, paths)
            except (LLMMemoryError, _UnreadableError) as error:
                problems.append(f"{entry.path}: {error}")
            except OSError as error:
                problems.append(f"{entry.path} cannot be read: {error.strerror}")
        self.result.problems += problems[:NAMED]
        if len(problems) > NAMED:
            self.result.problems.append(f"{place.path}: {len(problems) - NAMED} more files like these")

    def _project_of(self, place: Place) -> tuple[Project | None, bool]:
        """The project that a folder's notes belong to, and whether they may be kept at all."""
        if not place.slug:
            outside = projects.identify(place.path, self.settings)
            return None, outside is None or outside.enabled
        cwd = self.state.folders.get(place.path)
        if cwd is None:
            if self._launched is None:
                self._launched = auto_memory_folders.launched(self.projects_dir)
            cwd = auto_memory_folders.launch_folder(place, self._launched)
        if cwd is None:
            if self.settings["excluded_paths"]:  # nobody can tell whether it is one of them
                self.result.problems.append(f"{place.path}: left alone: what project it is of cannot be told")
            return _unknown(place.slug), not self.settings["excluded_paths"]
        self.state.folders[place.path] = cwd
        project = projects.identify(cwd, self.settings)
        return project, project is None or project.enabled

    def _look_at(self, path: str, found: os.stat_result, project: Project | None, paths: set[str]) -> None:
        uuid, known = uuid_of(self.state.machine, path), self.state.files.get(path)
        seen = [found.st_size, found.st_mtime_ns, self._note_mtime(uuid)]
        is_index = os.path.basename(path) == auto_memory_text.INDEX
        if known is not None and known[0] != GONE and known[1:4] == seen and not is_index:
            return
        text = _read(path)
        if is_index:
            start = path[: -len(auto_memory_text.INDEX)]
            told = auto_memory_text.of_index(text, {one[len(start) :] for one in paths if one.startswith(start)})
        else:
            stem = os.path.basename(path).removesuffix(SUFFIX)
            told = auto_memory_text.of_file(text, _encodable(stem))
        if self.now - found.st_mtime < RACY_SECONDS:
            seen[1] = 0  # it may change again within its timestamp: the next sync looks again
        if not told.content or self._is_ignored(told):
            self._forget(path, uuid, known)
            if self.state.files.get(path, [EMPTY])[0] != GONE:
                self.state.files[path] = [EMPTY, *seen, ""]
            return
        fields = self._fields(path, told, project)
        kind = self._settle_note(uuid, fields, known, found.st_mtime)
        self.state.files[path] = [kind, *seen[:2], self._note_mtime(uuid), fields["source_sha256"]]

    def _is_ignored(self, told: Text) -> bool:
        """Whether the session that wrote it ran with memory switched off."""
        return told.session_id is not None and os.path.lexists(
            os.path.join(self.folder.state, "ignored", told.session_id)
        )

    def _note_mtime(self, uuid: str) -> int:
        try:
            return os.lstat(records.record_path(self.folder, uuid)).st_mtime_ns
        except OSError:
            return 0

    def _fields(self, path: str, told: Text, project: Project | None) -> dict[str, Any]:
        """What a file gives its note, redacted."""
        home = home_dir().rstrip("/") + "/"
        fields = {
            "content": told.content,
            "project": project.name if project else None,
            "project_id": (project.id or None) if project else None,
            "session_id": told.session_id,
            "tags": ", ".join(filter(None, (TAG, told.kind))),
            "imported_from": SOURCE,
            "source_path": _encodable("~/" + path[len(home) :] if path.startswith(home) else path),
        }
        self._redactor.record(fields)
        whole = json.dumps([fields["content"], fields["tags"]]).encode("ascii")
        return {**fields, "source_sha256": hashlib.sha256(whole).hexdigest()}

    def _settle_note(self, uuid: str, fields: dict[str, Any], known: list[Any] | None, mtime: float) -> str:
        """Make a file's note what the file says now; which of the kinds it is then."""
        if self._update(uuid, fields):
            return MIRRORED
        grave = records.tombstone(self.folder, uuid)
        if grave is None:
            self._store(uuid, fields, mtime)
            return MIRRORED
        went_with_file = known is not None and known[0] == GONE
        if grave.get("source_sha256") == fields["source_sha256"] and not went_with_file:
            return DELETED
        records.restore(self.folder, uuid)
        self._update(uuid, fields)
        self.result.written += 1
        return MIRRORED

    def _update(self, uuid: str, fields: dict[str, Any]) -> bool:
        """Renew a note; False where there is none."""
        before = self._note_mtime(uuid)
        try:
            with records.lock(self.folder):
                records.update(self.folder, uuid, lambda note: _renew(note, fields))
        except RecordNotFoundError:
            return False
        self.result.written += before not in (0, self._note_mtime(uuid))
        return True

    def _store(self, uuid: str, fields: dict[str, Any], mtime: float) -> None:
        created = clock.format_time(min(max(mtime, 0), self.now))
        note = records.new_record(type="note", created_at=created, **{**fields, "uuid": uuid})
        with records.lock(self.folder):
            records.save(self.folder, note)
        self.result.written += 1

    def _remove_gone(self) -> None:
        """Move the notes of files that are gone to trash/, of all where the setting says so. Files below a folder that
        is not there itself, as one that is not mounted, or that another configuration of the client has, stay."""
        own = auto_memory_folders.custom(self.projects_dir)
        roots = [root for root in (self.projects_dir, own) if root and auto_memory_folders.is_there(root)]
        for path, known in list(self.state.files.items()):
            if self.settings["auto_memory"] and not (
                any(path.startswith(root + "/") for root in roots) and _is_gone(path)
            ):
                continue
            uuid = uuid_of(self.state.machine, path)
            self._forget(path, uuid, known)
            if known[0] == GONE and records.tombstone(self.folder, uuid) is None:
                self.state.files.pop(path, None)  # nothing is left that could come back

    def _forget(self, path: str, uuid: str, known: list[Any] | None) -> None:
        """Move a file's note to trash/; what its user deleted stays his deletion."""
        if known is None or known[0] == GONE:
            return
        if known[0] != MIRRORED:
            self.state.files.pop(path, None)
            return
        try:
            records.delete(self.folder, uuid)
        except RecordNotFoundError:
            self.state.files.pop(path, None)
        except LLMMemoryError as error:
            self.result.problems.append(f"{path} is gone and its memory {uuid} could not be removed: {error}")
        else:
            self.state.files[path] = [GONE, *known[1:]]
            self.result.removed += 1


def _renew(note: dict[str, Any], fields: dict[str, Any]) -> bool:
    """Put what a file says now into its note, unless the note was made of the same. Tags of others stay."""
    if note.get("source_sha256") == fields["source_sha256"]:
        return False
    own = records.tag_list(fields["tags"])
    others = [tag for tag in records.tag_list(note.get("tags")) if tag not in (TAG, *auto_memory_text.TYPES)]
    note.update(fields, tags=", ".join(dict.fromkeys([*own, *others])))
    return True


def _unknown(slug: str) -> Project:
    """A project of which only the client's name for its folder is known."""
    name = slug.strip("-") or slug
    names = frozenset({projects.fold_name(name)})
    return projects.Project("", name, "", names=names, ids=frozenset(), reason=None)


def _encodable(name: str) -> str:
    """A file's name that UTF-8 can hold, odd bytes as question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")


class _UnreadableError(Exception):
    """What is wrong with a file, in words."""


def _read(path: str) -> str:
    """A file's text. Raises _UnreadableError for what is none or too large, OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise _UnreadableError("no file: left alone")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _UnreadableError(f"{found.st_size:,} bytes are more than {MAX_BYTES:,}: left alone")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _UnreadableError("no UTF-8 text: left alone") from None
    if "\0" in text:
        raise _UnreadableError("not text: left alone")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_gone(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def said(folder: DataFolder, settings: dict[str, Any]) -> str:
    """What is mirrored on this machine, in a line for doctor and status; "" where no sync has found any."""
    if not settings["auto_memory"]:
        return "Claude's is not mirrored: the setting auto_memory is false"
    if not os.path.lexists(state_path(folder)):
        return ""
    kinds = [known[0] for known in _State(folder).files.values()]
    deleted = kinds.count(DELETED)
    count = kinds.count(MIRRORED)
    kept_out = f"; {deleted} not, as their memories were deleted" if deleted else ""
    return f"{count:,} of Claude's files mirrored{kept_out}"


def on_deletion(deleted: dict[str, Any]) -> list[str]:
    """What whoever deletes such a note should know; nothing for any other record."""
    if deleted.get("imported_from") != SOURCE or not isinstance(deleted.get("source_path"), str):
        return []
    origin = deleted.get("origin")
    where = f" on {origin}" if origin and origin != records.machine_name() else ""
    text = (
        f"Claude's own auto memory keeps its file{where}: {deleted['source_path']}. This memory stays deleted until "
        "that file changes; to delete the file too, remove it and its line in the MEMORY.md beside it."
    )
    return [text]
