"""What a command is started in: its streams, closed or full or of a locale without our letters, and its folder."""

from __future__ import annotations

import os
import sys

from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By their file descriptors: 0, 1, 2."""


def prepare() -> None:
    """Give the process the streams that it was started without (`<&-`, `>&-`): nothing comes in, what goes out is lost.
    Where the locale lacks a letter, its escape is written.

    The descriptors are filled first: else the index would be opened as descriptor 1, and a child would write into it.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8", errors="replace"))  # noqa: SIM115 - for good
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def takes_all(stream: TextIO) -> bool:
    """Whether every letter can be written to a stream as it is."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("_", "-") in {"utf-8", "utf8"}


def flush() -> None:
    """Write out what waits for stdout. Raises StorageError where that refuses, BrokenPipeError where nobody reads."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard()
        raise no_output(error) from error


def discard() -> None:
    """Let what still waits for stdout go nowhere: the second try at the exit must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def no_output(error: OSError) -> StorageError:
    """What is said of an output that refuses."""
    return StorageError(f"Cannot write the output: {error.strerror or error}.")


def check_folder() -> None:
    """Raise StorageError where the current folder has been removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise StorageError("The folder you are in is gone: go to another one.") from None
