"""Which project a folder belongs to, in one place for hooks, sweep, tools and dashboard (docs/records.md).

Identity, first that applies: the id in a `.llm-memory.json` marker -> git remote `origin` -> the main worktree's root
-> the folder. Nothing here runs git or writes.
"""

from __future__ import annotations

import json
import os
import stat

from memories.core import git_folders
from memories.core.paths import home_dir
from memories.core.settings import why_off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from memories.core.git_folders import Repository

MARKER_NAME = ".llm-memory.json"
MAX_MARKER_BYTES = 100_000
_ID_PREFIXES = ("git:", "marker:", "path:")
_OLD_STYLE = "/projects/"
"""The first LLM Memory named a project by the part of its path after this."""


class Project:
    """A project as one folder shows it.

    id: `git:host/owner/name`, `marker:<id>` or `path:<absolute path>`. name: for display. root: absolute path of the
    main worktree or folder. names: folded names under which records without an id are this project's. ids: id and
    every alias id. enabled: False where nothing may be read or kept; reason then says why, in words for a user.
    """

    __slots__ = ("enabled", "id", "ids", "name", "names", "reason", "root")

    def __init__(
        self, id: str, name: str, root: str, *, names: frozenset[str], ids: frozenset[str], reason: str | None  # noqa: A002
    ) -> None:  # fmt: skip
        self.id = id
        self.name = name
        self.root = root
        self.names = names
        self.ids = ids
        self.enabled = reason is None
        self.reason = reason


class _Markers:
    """What the markers around a folder say together: the nearest value wins for each key."""

    __slots__ = ("id", "id_folder", "name", "reason")

    def __init__(self, folders: Iterator[str]) -> None:
        self.id: str | None = None
        self.id_folder = ""
        self.name: str | None = None
        self.reason: str | None = None
        enabled: bool | None = None
        for folder in folders:
            path = os.path.join(folder, MARKER_NAME)
            marker, problem = _read_marker(path)
            self.reason = self.reason or problem
            if self.id is None and "id" in marker:
                self.id, self.id_folder = marker["id"], folder
            self.name = self.name or marker.get("name")
            if enabled is None and "enabled" in marker:
                enabled = marker["enabled"]
                if not enabled:
                    self.reason = self.reason or f'{path} says "enabled": false'


def fold_name(name: str) -> str:
    """A project name as it is compared: case, `-` and `_` make no difference."""
    return name.strip().casefold().replace("_", "-")


def identify(cwd: str, settings: dict[str, Any]) -> Project | None:
    """The project that a launch folder belongs to; it need not exist any more.

    settings: excluded_paths (globs) and project_aliases are read. None where there is no project: the home folder, `/`,
    a name starting with a dot, what is no absolute path. An excluded or disabled one is returned with enabled False.
    """
    if not os.path.isabs(cwd) or "\0" in cwd:
        return None
    try:
        folder = os.path.realpath(cwd)
    except UnicodeEncodeError:  # half a surrogate pair: no file system holds such a name
        return None
    home = home_dir()
    repository = git_folders.find_repository(_nearest_existing(folder), home)
    if repository is not None and repository.root in {home, "/"}:
        repository = git_folders.Repository(repository.top, repository.top, repository.common)
    others = [repository.root, _in_main_worktree(folder, repository)] if repository else []
    markers = _Markers(_upwards(folder, *others[1:]))
    reason = markers.reason or why_off(settings)
    reason = reason or _excluded_by((cwd, folder, *others), settings.get("excluded_paths") or [])
    found = None if folder in {home, "/"} else _identity(folder, repository, markers)
    if found is None:
        return _build(("path:" + folder, os.path.basename(folder), folder), cwd, {}, reason) if reason else None
    return _build(found, cwd, settings.get("project_aliases") or {}, reason)


def _identity(folder: str, repository: Repository | None, markers: _Markers) -> tuple[str, str, str] | None:
    """(id, display name, root), or None when the folder is no project."""
    root = repository.root if repository else folder
    name = os.path.basename(root).removesuffix(".git")
    remote = git_folders.normalise_remote(git_folders.origin_url(repository) or "") if repository else None
    if remote:
        path = "/".join(remote)
        name = path.rpartition("/")[2]
        if name.startswith("."):
            name = "/".join(path.split("/")[-2:])  # owner/.github
        found = f"git:{path.lower()}", markers.name or name, root
    else:
        found = f"path:{root}", markers.name or name, root
    if markers.id is not None:
        if repository is None or markers.id_folder not in {repository.top, repository.root}:
            root, name = markers.id_folder, os.path.basename(markers.id_folder)
        found = f"marker:{markers.id}", markers.name or (markers.id if name[:1] in {"", "."} else name), root
    return None if found[1].startswith(".") else found


def _build(found: tuple[str, str, str], cwd: str, aliases: dict[str, str], reason: str | None) -> Project:
    identity, name, root = (_encodable(text) for text in found)
    launch = _encodable(cwd.rstrip("/"))
    names = {fold_name(text) for text in (name, os.path.basename(root), os.path.basename(launch))}
    for path in (root, launch):
        _, marker, rest = path.partition(_OLD_STYLE)
        if marker:
            names |= {fold_name(rest), fold_name(rest.partition("/")[0])}
    # Its own path too: a project that gets a remote or a marker later keeps what was stored before.
    ids, alias_names = _tied_by_aliases({identity, f"path:{root}", fold_name(name)}, aliases)
    identity, name = _canonical(identity, name, aliases)
    return Project(identity, name, root, names=frozenset(names | alias_names - {""}), ids=frozenset(ids), reason=reason)


def _token(text: str) -> str:
    """An id or name as aliases compare it."""
    if text.startswith("git:"):
        return text.lower()
    return text if text.startswith(_ID_PREFIXES) else fold_name(text)


def _canonical(identity: str, name: str, aliases: dict[str, str]) -> tuple[str, str]:
    """The id and display name that the aliases put in place of a project's own."""
    table = {_token(alias): canonical for alias, canonical in aliases.items()}
    while table:  # every entry is used once at most, so a circle ends
        canonical = table.pop(_token(identity), None) or table.pop(_token(name), None)
        if canonical is None:
            break
        if canonical.startswith(_ID_PREFIXES):
            identity = _token(canonical)
        else:
            name = canonical
    return identity, name


def _tied_by_aliases(tied: set[str], aliases: dict[str, str]) -> tuple[set[str], set[str]]:
    """(ids, folded names) that the aliases tie to the given id and name, directly or through others; these included."""
    before = 0
    while len(tied) != before:
        before = len(tied)
        for pair in aliases.items():
            both = {_token(text) for text in pair}
            if both & tied:
                tied |= both
    ids = {text for text in tied if text.startswith(_ID_PREFIXES)}
    return ids, tied - ids


def _encodable(text: str) -> str:
    """Text that UTF-8 can hold: a file name that is not UTF-8 shows its odd bytes as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _nearest_existing(folder: str) -> str:
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def _in_main_worktree(folder: str, repository: Repository) -> str:
    """The same folder in the main worktree, whose markers a linked worktree obeys too."""
    return os.path.normpath(os.path.join(repository.root, os.path.relpath(folder, repository.top)))


def _upwards(*starts: str) -> Iterator[str]:
    """Each folder and those above it, nearest first, `/` included."""
    for start in starts:
        folder = start
        while True:
            yield folder
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent


def _read_marker(path: str) -> tuple[dict[str, Any], str | None]:
    """A marker's usable values, and what is wrong with it.

    A marker that cannot be understood disables: it may have been put there for privacy, which a guess would undo.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return {}, f"{path} is not a file; replace it with a JSON file or remove it"
        with open(path, "rb") as file:
            marker = json.loads(file.read(MAX_MARKER_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}, None
    except (OSError, ValueError, RecursionError) as error:
        return {}, f"{path} cannot be read ({error}); correct or remove it"
    if not isinstance(marker, dict):
        return {}, f"{path} must hold a JSON object; correct or remove it"
    for key, kind, words in (("id", str, "text"), ("name", str, "text"), ("enabled", bool, "true or false")):
        if key in marker and (not isinstance(marker[key], kind) or (kind is str and not marker[key].strip())):
            return {}, f"{path}: {key} must be {words}; correct it"
    return marker, None


def _excluded_by(folders: tuple[str, ...], patterns: list[str]) -> str | None:
    """The reason why one of the folders is excluded, or None.

    A `*` matches any text, `/` too; a pattern without a slash is a folder's name anywhere; what is below a match is
    excluded with it.
    """
    if not patterns:
        return None
    from fnmatch import fnmatchcase

    above = dict.fromkeys(path for folder in folders for path in _upwards(os.path.normpath(folder)))
    for pattern in patterns:
        full = os.path.expanduser(pattern.rstrip("/") or "/")
        globs = {full, os.path.realpath(full)} if "/" in full else {full}
        for path in above:
            subject = path if "/" in full else os.path.basename(path)
            if any(fnmatchcase(subject, glob) for glob in globs):
                if full == "/":
                    return f"{pattern!r} in the setting excluded_paths covers everything"
                return f"it matches {pattern!r} in the setting excluded_paths"
    return None
