"""The modes and owners of everything in the data folder: folders 0700, files 0600, all of it this user's.

What others could not reach anyway (below a folder of 0700) is looked at too: a copy or a move would bring it out.
"""

from __future__ import annotations

import os
import stat

from memories.core import permissions
from memories.core.errors import StorageError
from memories.core.paths import PROGRAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.paths import DataFolder

_OF_SYNCTHING = frozenset((".stfolder", ".stversions"))
"""In the data folder's root; Syncthing makes and keeps them."""

_STAGED = ("lib.new-", "lib.old-", "lib.gone-", "lib.fetched-")
"""In the root too: what an install works in, which it closes itself, and removes meanwhile."""

_OTHERS = 0o077
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_RUNNABLE = 0o100
_DEPTH = 40
"""Folders within folders up to which a mend goes on: each round may open one more level."""


class Faults:
    """What a look found. modes: (path, the mode it should have) of files and folders of ours that are too open, or that
    we cannot use; others: (path, user id) of what belongs to somebody else; unseen: folders that could not be
    listed."""

    __slots__ = ("modes", "others", "unseen")

    def __init__(self) -> None:
        self.modes: list[tuple[str, int]] = []
        self.others: list[tuple[str, int]] = []
        self.unseen: list[str] = []


def faults(folder: DataFolder, *, program: bool = True) -> Faults:
    """Look at everything below the data folder, and at itself; links are not followed. program: PROGRAM too.

    Nothing on a file system that keeps no modes. Raises nothing.
    """
    found = Faults()
    if permissions.is_modeless(folder.root):
        return found
    try:
        _judge(found, folder.root, os.stat(folder.root), is_program=False)
    except OSError:
        return found
    pending = [(folder.root, False)]
    while pending:
        place, is_program = pending.pop()
        try:
            with os.scandir(place) as entries:
                listed = list(entries)
        except FileNotFoundError:
            continue  # gone meanwhile
        except OSError:
            found.unseen.append(place)
            continue
        for entry in listed:
            if place == folder.root and (entry.name in _OF_SYNCTHING or (entry.name in PROGRAM and not program)):
                continue
            if place == folder.root and entry.name.startswith(_STAGED):
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone meanwhile
            if entry.path == folder.mirror and stat.S_ISDIR(state.st_mode):
                continue  # not ours: doctor's check of the index says so
            inside = is_program or (place == folder.root and entry.name in PROGRAM)
            _judge(found, entry.path, state, is_program=inside)
            if stat.S_ISDIR(state.st_mode):
                pending.append((entry.path, inside))
    return found


def _judge(found: Faults, path: str, state: os.stat_result, *, is_program: bool) -> None:
    is_folder = stat.S_ISDIR(state.st_mode)
    if not is_folder and not stat.S_ISREG(state.st_mode):
        return
    if state.st_uid != os.geteuid():
        found.others.append((path, state.st_uid))
        return
    mode = stat.S_IMODE(state.st_mode)
    needed = _PRIVATE_FOLDER if is_folder else _PRIVATE_FILE
    if mode & _OTHERS or (mode & needed != needed and not is_program):
        found.modes.append((path, needed if is_folder else needed | mode & _RUNNABLE))


def mend(folder: DataFolder) -> int:
    """Set the modes of what is ours as they should be; returns how many were changed. Raises StorageError where the
    file system refuses one."""
    changed: set[str] = set()
    for _ in range(_DEPTH):
        todo = [one for one in faults(folder).modes if one[0] not in changed]
        if not todo:
            break
        for path, mode in todo:
            try:
                os.chmod(path, mode)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise StorageError(f"Cannot set the mode of {path}: {error.strerror}. Set it to {mode:o}.") from error
            changed.add(path)
    return len(changed)
