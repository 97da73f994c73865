"""Doctor's checks of who else can get at the data folder, and of what in it this user cannot use."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from memories.core import permissions, private_files
from memories.core.paths import DataFolder, check_private
from memories.findings import Check, some

_USABLE = 0o600
"""What its own user needs of a file or folder."""


def refusal(folder: DataFolder) -> Check | None:
    """Why everything but doctor refuses this data folder; None where nothing does."""
    try:
        check_private(folder)
    except permissions.NotPrivateError as error:
        return Check("data folder", "fail", error.what, error.todo)
    return None


def readable_by_others(folder: DataFolder) -> Check | None:
    """What to do where others can read the data folder itself; None where they cannot, or where it is not there."""
    try:
        mode = os.stat(folder.root).st_mode
    except OSError:
        return None
    if not mode & 0o077 or permissions.is_modeless(folder.root):
        return None
    return Check(
        "data folder", "warn", f"{folder.root} can be read by others", f"run chmod 700 {shlex.quote(folder.root)}"
    )


def file_permissions(folder: DataFolder, *, read_only: bool) -> Iterator[Check]:
    """Modes and owners of everything in the data folder. read_only: without lib/, thousands of files that an install
    makes."""
    if not os.path.isdir(folder.root):
        return  # said by the data folder's check
    if permissions.is_modeless(folder.root):
        text = "is on a file system that keeps no permissions: any user of this machine may read it"
        todo = "fine where you are the only one; else set LLM_MEMORY_HOME to a folder on another disk"
        yield Check("permissions", "warn", f"{folder.root} {text}", todo)
        return
    for place in permissions.group_writable_above(folder.root):
        text = f"the group of {place} could move {folder.root} away and put another in its place"
        yield Check("permissions", "warn", text, f"run chmod g-w {shlex.quote(place)}")
    found = private_files.faults(folder, program=not read_only)
    if found.others:
        named = [(_below(folder, path), permissions.user_name(uid)) for path, uid in sorted(found.others)]
        user = permissions.user_name(os.geteuid())
        todo = f"run sudo chown -R {user} {shlex.quote(folder.root)}"
        yield Check("permissions", "fail", f"{len(named)} belong to another user: {some(named)}", todo)
    if found.modes:
        yield _wrong_modes(folder, sorted(found.modes))
    unseen = sorted(set(found.unseen) - {path for path, _ in found.modes})
    if unseen:
        text = f"{len(unseen)} folders cannot be listed: {some([(path, 'refused') for path in unseen])}"
        yield Check("permissions", "fail", text, "correct their owner or permissions")
    if not (found.others or found.modes or unseen):
        yield Check("permissions", "ok", "nobody else can read or change anything in it")


def _wrong_modes(folder: DataFolder, modes: list[tuple[str, int]]) -> Check:
    """One line for all of them: a failure where something is closed to its own user."""
    named = []
    closed = False
    for path, wanted in modes:
        try:
            mode = os.lstat(path).st_mode & 0o777
        except OSError:
            continue  # gone meanwhile
        closed = closed or mode & _USABLE != _USABLE
        named.append((_below(folder, path), f"{mode:04o}, should be {wanted:04o}"))
    more = f"; and {len(named) - 1} more" if len(named) > 1 else ""
    text = f"{len(modes)} with a wrong mode: {some(named[:1])}{more}"
    return Check("permissions", "fail" if closed else "warn", text, "run `llm-memory doctor --fix`")


def _below(folder: DataFolder, path: str) -> str:
    """A path as one below the data folder."""
    return os.path.relpath(path, folder.root) if path != folder.root else folder.root
