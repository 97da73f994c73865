"""Reading a source's files, whoever made them: bounded, regular files only, no link followed, nothing written."""

from __future__ import annotations

import json
import os
import stat

from memories.core import clock, files
from memories.core.errors import ImportSourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 64_000_000
"""A larger file is no note, record or ledger; a ledger of ten thousand items has some 10 MB."""

MAX_LINE_BYTES = 8_000_000
"""A longer line of a JSONL file is passed over."""

MAX_DEPTH = 30
"""Folders deeper than this below the source are not looked into."""

MAX_FILES = 1_000_000


class UnreadableError(Exception):
    """One file or line cannot be read; the text says why."""


def read_bytes(path: str, limit: int = MAX_FILE_BYTES) -> tuple[bytes, str]:
    """A file's bytes and its mtime as a record's time. Raises UnreadableError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableError("not a regular file")
            if found.st_size > limit:
                raise UnreadableError(f"{found.st_size:,} bytes; at most {limit:,} are read")
            return file.read(limit), clock.format_time(found.st_mtime)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error


def json_of(data: bytes) -> object:
    """The JSON value in a file's or line's bytes; what is no UTF-8 in it is replaced. Raises UnreadableError."""
    try:
        return json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {str(error) or 'nested too deeply'}"[:200]) from error


def walk(root: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Paths below root, relative to it and sorted, of the regular files whose names end so; hidden ones, links and what
    is behind links are passed over, root included. Raises ImportSourceError for more than MAX_FILES."""
    pending = [] if os.path.islink(root) else [("", 0)]
    found: list[str] = []
    while pending:
        place, depth = pending.pop()
        for entry in files.entries(os.path.join(root, place)):
            relative = os.path.join(place, entry.name)
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    pending.append((relative, depth + 1))
            elif entry.name.lower().endswith(endings) and entry.is_file(follow_symlinks=False):
                found.append(relative)
        if len(found) > MAX_FILES:
            raise ImportSourceError(f"{root} holds more than {MAX_FILES:,} files: name the folder that is meant.")
    yield from sorted(found)


def lines(path: str) -> Iterator[tuple[int, bytes | None]]:
    """Each line of a file with its number, from 1, without its end; None for one that is too long. A line is read at
    a time. Raises ImportSourceError."""
    try:
        with files.open_plain(path) as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                whole = len(line) <= MAX_LINE_BYTES
                rest = b"" if whole else line
                while rest and not rest.endswith(b"\n"):
                    rest = file.readline(MAX_LINE_BYTES)
                yield number, line.strip() if whole else None
    except OSError as error:
        raise ImportSourceError(f"Cannot read {path}: {error.strerror or error}. Check its permissions.") from error


def mtime_of(path: str) -> str:
    """A file's mtime as a record's time. Raises ImportSourceError."""
    try:
        return clock.format_time(os.stat(path).st_mtime)
    except OSError as error:
        raise ImportSourceError(f"Cannot read {path}: {error.strerror or error}. Check its name.") from error
