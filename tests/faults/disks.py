"""A data folder on a small disk of its own, which is full or read-only when a test says so. Needs root, to mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.home import Home

BALLAST = "ballast"
CHUNKS = (1 << 16, 1 << 12, 1 << 8, 1)


@contextmanager
def small_disk(home: Home, kilobytes: int) -> Iterator[None]:
    """The home's data folder, with all that is in it, on a tmpfs of that size. Skips, loudly, where none can be."""
    root = home.folder.root
    if os.geteuid() != 0:
        pytest.skip("NO FULL OR READ-ONLY DISK TESTED: only root can mount one")
    kept = home.root / "memory-before"
    shutil.move(root, kept)
    os.mkdir(root, 0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", root]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        shutil.rmtree(kept)
        pytest.skip(f"NO FULL OR READ-ONLY DISK TESTED: no tmpfs can be mounted: {mounted.stderr.decode().strip()}")
    try:
        shutil.copytree(kept, root, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        home.left_running(20)
        subprocess.run(["umount", "-l", root], check=True)
        shutil.rmtree(kept)


def fill(home: Home) -> None:
    """Leave no byte free."""
    with Path(home.folder.root, BALLAST).open("ab", buffering=0) as file:
        for size in CHUNKS:
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def make_room(home: Home) -> None:
    """Give back what fill took."""
    Path(home.folder.root, BALLAST).unlink()


def set_read_only(home: Home, *, read_only: bool) -> None:
    """Mount the data folder's disk anew, for reading alone or for both."""
    how = "remount,ro" if read_only else "remount,rw"
    subprocess.run(["mount", "-o", how, home.folder.root], check=True, capture_output=True)
