"""A file somewhere of the user's own, written whole or not at all: exports. Nobody sees half of one.

It is written under a hidden name beside its target, which carries our process id, and renamed. What a killed process
left so is removed by the next export into that folder.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager

from memories.core import files
from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

STDOUT = "-"
"""As a path: the process's standard output."""

_OURS = ".llm-memory-export"
"""In the names of our temp files: the folder is the user's, and so is every other temp file in it."""

_RWX = 0o777

_TEMP_NAME = re.compile(rf"\..+{re.escape(_OURS)}\.tmp-\d+")


@contextmanager
def writing(path: str, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A file to write to within the block: at its end it is whole and on the disk under the path, 0600 or with the mode
    of the file that it replaces; where the block raises, what was there is as it was. `-` is stdout.

    Raises StorageError: the path exists and overwrite is not set, is a link or no file, or a disk refuses.
    """
    if path == STDOUT:
        with _stdout() as file:
            yield file
        return
    target = place(path)
    check(target, overwrite=overwrite)
    sweep(os.path.dirname(target))
    temp = files.temp_path(target + _OURS)
    try:
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            yield file
            file.flush()
            check(target, overwrite=overwrite)
            _keep_mode(target, fd)
            os.fsync(fd)
        os.replace(temp, target)
        files.fsync_folder(os.path.dirname(target))
    except OSError as error:
        raise StorageError(
            f"Cannot write {target}: {error.strerror or error}. Check its folder, free space and permissions."
        ) from error
    finally:
        files.remove_quietly(temp)


@contextmanager
def _stdout() -> Iterator[BinaryIO]:
    """Raises StorageError where what reads us refuses (a full disk), BrokenPipeError where it has gone."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is not None:
            raise  # what was to be written could not be read
        raise StorageError(f"Cannot write the output: {error.strerror or error}.") from error


def _keep_mode(target: str, fd: int) -> None:
    """Give a file the mode of the one that it replaces: its owner let others read it, or not."""
    try:
        mode = os.lstat(target).st_mode & _RWX
    except FileNotFoundError:
        return
    try:
        os.fchmod(fd, mode)
    except OSError:
        pass  # a file system without modes


def place(path: str) -> str:
    """Where a path leads: absolute, its folder without links; its last part may be a link still."""
    head, name = os.path.split(os.path.abspath(os.path.expanduser(path)))
    return os.path.join(os.path.realpath(head), name)


def check(target: str, *, overwrite: bool) -> None:
    """Raise StorageError unless a file may be written at that place. A link is not followed, whatever it leads to: who
    says --force wants that name replaced, not another file."""
    if os.path.islink(target):
        raise StorageError(
            f"{target} is a link to {os.readlink(target)}: name that file itself, or another one. Nothing was written."
        )
    if os.path.lexists(target) and not os.path.isfile(target):
        raise StorageError(f"{target} is no file that can be written anew: name a file, or `-` for stdout.")
    if os.path.lexists(target) and not overwrite:
        raise StorageError(f"{target} exists: name another file, or pass --force to replace it.")


def sweep(folder: str) -> None:
    """Remove what exports that were killed left in a folder."""
    for entry in files.entries(folder):
        if _TEMP_NAME.fullmatch(entry.name) and files.is_dead_temp_file(entry.name):
            files.remove_quietly(entry.path)
