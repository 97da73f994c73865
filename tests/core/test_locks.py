"""Locks between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core.errors import LockTimeoutError, StorageError
from memories.core.locks import FileLock

HOLDER = """
import sys; sys.path.insert(0, sys.argv[1])
from memories.core.locks import FileLock
with FileLock(sys.argv[2]):
    print("held", flush=True)
    input()
"""
ROOT = Path(__file__).resolve().parent.parent.parent


def _holder(path: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(ROOT), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    return child


def test_another_processs_lock_is_respected_and_free_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    child = _holder(path)
    with pytest.raises(LockTimeoutError, match=r"using lock; try again"), FileLock(str(path)):
        pass
    with pytest.raises(LockTimeoutError), FileLock(str(path), timeout=0.02):
        pass
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with FileLock(str(path)):
        pass


def test_a_wait_ends_when_the_lock_is_given_up(tmp_path: Path) -> None:
    child = _holder(tmp_path / "lock")
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    with FileLock(str(tmp_path / "lock"), timeout=30):
        pass
    child.communicate()


def test_an_error_inside_gives_the_lock_up(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with pytest.raises(ZeroDivisionError), FileLock(path):
        _ = 1 / 0
    with FileLock(path):
        assert os.stat(path).st_mode & 0o077 == 0


def test_a_lock_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="Check free space and permissions"),
        FileLock(str(tmp_path / "none" / "lock")),
    ):
        pass
