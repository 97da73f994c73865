"""File syncs that are not Syncthing, in this process: one that keeps conflicts as copies, one that knows no conflicts.

Both have the face of network.Network, so that the same story can be told over them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sync.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sync.machine import Machine

PLACES = ("records", "trash", "transcripts", "config")
NAMES = (
    "{stem} (alpha's conflicted copy 2026-03-14){ext}",  # Dropbox
    "{stem} (conflicted copy 2026-03-14 091244){ext}",  # Nextcloud, ownCloud
    "{stem}_conflict-20260314-091244{ext}",  # ownCloud before 2.4
    "{stem} (1){ext}",  # Google Drive
    "{stem}{ext}~",  # unison, rsync --backup
)
"""How programs name the version of a file that lost, in turn."""


class _Exchanging(Network):
    """Machines whose folders come together when exchange() is called and at no other time."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = list(machines)

    def cut(self, one: Machine, other: Machine) -> None:
        """Nothing is exchanged unless asked for."""

    def heal(self, one: Machine, other: Machine) -> None:
        """Nothing is exchanged unless asked for."""


class ConflictCopies(_Exchanging):
    """Two machines and a server between, as Dropbox does it: of two new versions of a file the one that comes second
    is renamed, and both travel. A change beats a deletion."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        super().__init__(machines)
        self._base: dict[str, bytes] = {}
        self._conflicts = 0

    def exchange(self, machines: Sequence[Machine] | None = None, seconds: float = 0.0) -> None:
        """Bring both folders to the same files."""
        one, other = self.machines
        here, there = one.files(), other.files()
        for name in sorted({*here, *there, *self._base}):
            mine, theirs, base = here.get(name), there.get(name), self._base.get(name)
            if mine == theirs:
                continue
            if theirs == base:
                _bring(one, other, name)
            elif mine in (base, None):
                _bring(other, one, name)
            elif theirs is None:
                _bring(one, other, name)
            else:
                copy = self._copy_name(name)
                os.replace(Path(other.folder.root, name), Path(other.folder.root, copy))
                _bring(other, one, copy)
                _bring(one, other, name)
        self._base = one.files()
        assert self._base == other.files()

    def _copy_name(self, name: str) -> str:
        stem, ext = os.path.splitext(name)
        self._conflicts += 1
        return NAMES[self._conflicts % len(NAMES)].format(stem=stem, ext=ext)


class PlainCopying(_Exchanging):
    """`cp -a -u` one way and then the other: the newer file wins, deletions do not travel."""

    def exchange(self, machines: Sequence[Machine] | None = None, seconds: float = 0.0) -> None:
        """Bring what is newer on one to the other, both ways."""
        one, other = self.machines
        for source, target in ((one, other), (other, one)):
            for place in PLACES:
                target.run("cp", "-a", "-u", f"{source.folder.root}/{place}", target.folder.root)


def _bring(source: Machine, target: Machine, name: str) -> None:
    """Make a file on the target what it is on the source, through a temp file and a rename, its mtime with it."""
    path, goal = Path(source.folder.root, name), Path(target.folder.root, name)
    if not path.exists():
        goal.unlink()
        return
    goal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temp = goal.with_name(f".{goal.name}.incoming")
    shutil.copy2(path, temp)
    os.replace(temp, goal)
