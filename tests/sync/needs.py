"""What the tests with whole machines need of this one: root for host names and mounts, and faketime for clocks."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"
"""Where Debian's package libfaketime puts the library for programs with threads."""


def syncthing_home(home: Path) -> Path:
    """Where Syncthing keeps its configuration in a HOME, so that sync-setup finds it."""
    return home / ".config" / "syncthing"


def require_root() -> None:
    """Skip, loudly, where host names cannot be given to processes."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("SYNC SKIPPED: machines of their own host name need root and unshare (util-linux)")


def faketime_library() -> str:
    """The library that gives a process another clock, installed when we may; otherwise the test is skipped, loudly."""
    found = glob.glob(FAKETIME)
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "faketime"], check=False, capture_output=True)
        found = glob.glob(FAKETIME)
    if not found:
        pytest.skip("SYNC SKIPPED: no libfaketime here; `apt-get install faketime` and run again")
    return found[0]
