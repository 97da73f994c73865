"""Where Claude Code keeps its auto memory on this machine, and to which project each folder belongs. Nothing here
writes, and no symbolic link is followed.

`projects/<slug>/memory/` of each project, where the slug stands for its git root, which its worktrees share; and the
one folder that `autoMemoryDirectory` in the user's settings.json names, for all projects.
"""

from __future__ import annotations

import json
import os
import stat
import time

from memories.core import files
from memories.core.paths import home_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder

STATE = "auto-memory.json"
"""In state/: what was mirrored of which file. Its mtime is when that was looked at last."""

LOOK_SECONDS = 3600.0
"""A session start asks for a look when the last one is so long ago: a file that was edited in place shows nowhere
else than in itself."""

RACY_SECONDS = 2.0
"""A folder or file that changed so shortly before it was looked at may have changed again within its timestamp."""

MAX_CLIENT_BYTES = 64_000_000
"""Of Claude Code's own JSON files; .claude.json grows with every project."""

SUFFIX = ".md"
DEPTH = 2
"""Levels of folders below a memory folder that are looked into: the client makes one (`team/`)."""


class Place:
    """A memory folder. path: absolute; slug: the folder's name below projects/, "" for the one that settings name."""

    __slots__ = ("path", "slug")

    def __init__(self, path: str, slug: str) -> None:
        self.path = path
        self.slug = slug


def state_path(folder: DataFolder) -> str:
    """Where this machine notes what it mirrored."""
    return os.path.join(folder.state, STATE)


def is_there(path: str) -> bool:
    """Whether a real folder is there, not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def places(folder: DataFolder, projects_dir: str) -> tuple[list[Place], list[str]]:
    """The memory folders that are there, and what keeps others from being read, in words. A stat per project."""
    found, problems = [], []
    for entry in files.entries(projects_dir):
        if entry.is_dir(follow_symlinks=False):
            path = os.path.join(entry.path, "memory")
            if is_there(path):
                found.append(Place(path, entry.name))
            elif os.path.islink(path):
                problems.append(f"{path} is a symbolic link, which is not followed")
    own = custom(projects_dir)
    if own is not None and is_there(own):
        if _is_apart(own, folder, projects_dir):
            found.append(Place(own, ""))
        else:
            problems.append(f"autoMemoryDirectory is {own}, which holds more than memories: name a folder of its own")
    return sorted(found, key=lambda place: place.path), problems


def custom(projects_dir: str) -> str | None:
    """The folder that Claude Code's user settings name for its memory; None where they name none."""
    settings = _json(os.path.join(os.path.dirname(projects_dir), "settings.json"))
    path = settings.get("autoMemoryDirectory")
    if not isinstance(path, str) or "\0" in path:
        return None
    path = os.path.expanduser(path) if path.startswith("~/") else path
    return os.path.normpath(path) if os.path.isabs(path) else None


def _is_apart(path: str, folder: DataFolder, projects_dir: str) -> bool:
    """Whether a folder holds neither our files nor the client's nor all of the user's, nor lies among ours."""
    real = os.path.realpath(path)
    others = [home_dir(), os.path.realpath(folder.root), os.path.realpath(projects_dir)]
    return not any(_is_within(other, real) for other in others) and not any(
        _is_within(real, other) for other in others[1:]
    )


def _is_within(path: str, other: str) -> bool:
    return path == other or path.startswith(other.rstrip("/") + "/")


def _json(path: str) -> dict[str, Any]:
    """A JSON object of the client's; {} where there is none that can be read."""
    try:
        with files.open_plain(path) as file:
            found = json.loads(file.read(MAX_CLIENT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def memory_files(place: Place, most: int) -> tuple[list[os.DirEntry[str]], int, list[str]]:
    """The Markdown files of a memory folder by path, at most so many; how many more there are; what was not followed
    or could not be listed, in words."""
    found: list[os.DirEntry[str]] = []
    problems: list[str] = []
    pending = [(place.path, 0)]
    while pending:
        path, depth = pending.pop()
        try:
            with os.scandir(path) as listed:
                entries = list(listed)
        except OSError as error:
            problems.append(f"{path} cannot be listed: {error.strerror}")
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending += [(entry.path, depth + 1)] if depth < DEPTH else []
            elif entry.name.endswith(SUFFIX):
                if entry.is_symlink():
                    problems.append(f"{entry.path} is a symbolic link, which is not followed")
                else:
                    found.append(entry)
    found.sort(key=lambda entry: entry.path)
    return found[:most], max(len(found) - most, 0), problems


def launch_folder(place: Place, launched: list[str]) -> str | None:
    """The folder that a place's slug stands for; None where nothing tells.

    By the transcripts beside it, which name where they ran; else by launched() folders, or the repositories around
    them.
    """
    from memories.core import git_folders, transcripts
    from memories.core.errors import TranscriptError

    parent = os.path.dirname(place.path)
    for entry in files.entries(parent):
        source = transcripts.source_at(entry.path)
        if source is None:
            continue
        try:
            cwd = transcripts.launch_cwd(source.path)
        except TranscriptError:
            continue
        if cwd is not None and transcripts.in_slug_folder(cwd, place.slug):
            return cwd
    for path in launched:
        repository = git_folders.find_repository(path, home_dir()) if os.path.isdir(path) else None
        for one in (path, repository.root if repository else path):
            if transcripts.in_slug_folder(one, place.slug):
                return one
    return None


def launched(projects_dir: str) -> list[str]:
    """The folders in which the client was ever started, as its own .claude.json has them."""
    config = os.path.dirname(projects_dir)
    found: list[str] = []
    for path in (os.path.join(config, ".claude.json"), config + ".json"):
        noted = _json(path).get("projects")
        found += [one for one in noted if os.path.isabs(one) and "\0" not in one] if isinstance(noted, dict) else []
    return found


def wants_a_look(folder: DataFolder, projects_dir: str) -> bool:
    """Whether a sync should look at the auto memory: a memory folder is new or has changed since the last look, or that
    is LOOK_SECONDS ago. A stat per project and no file is opened but the client's settings, for session starts."""
    try:
        looked = os.stat(state_path(folder)).st_mtime
    except OSError:
        looked = None
    paths = [os.path.join(entry.path, "memory") for entry in files.entries(projects_dir)]
    own = custom(projects_dir)
    for path in [*paths, own] if own else paths:
        try:
            found = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode) and (looked is None or found.st_mtime > looked - RACY_SECONDS):
            return True
    return looked is not None and not 0 <= time.time() - looked < LOOK_SECONDS
