"""Another user of the machine, for tests that run as root: what they may do is tried in a process of theirs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away or become another user")


def as_nobody(action: Callable[[], bytes]) -> bytes:
    """What an action gives in a process of another user; b"" where it raises."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with open(writer, "wb") as file:
                file.write(action())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        given = file.read()
    os.waitpid(child, 0)
    return given


@contextmanager
def open_place() -> Iterator[Path]:
    """A folder that everybody can enter, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="llm-memory-test-", dir="/tmp"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
