"""What was merged on this machine: state/merges.jsonl, one line a merge, so that both sides can be looked at later.

Only note() and note_all() write it, under whoever merges (state/merge.lock). The versions that were merged into a
rules text or a settings file are kept in state/merged/ for as long as a line here names them.
"""

from __future__ import annotations

import json
import os

from memories.core import clock, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from memories.core.paths import DataFolder

KINDS = ("record", "transcript", "rules", "settings", "config")
"""What is merged; config: another file in config/."""

LIMIT = 500
"""Lines kept of records and transcripts: years of two machines' conflicts in some 100 kB, written anew each time."""

CONFIG_LIMIT = 100
"""Lines kept of what is in config/: a count of their own, so that records' merges, of which one run can make thousands,
never push out the line that holds a rules text's originals."""

_OF_CONFIG = ("rules", "settings", "config")

MERGED = "merged"
"""Folder in state/ for the versions that were merged."""


def _path(folder: DataFolder) -> str:
    return os.path.join(folder.state, "merges.jsonl")


def note(folder: DataFolder, kind: str, name: str, kept: Sequence[str]) -> None:
    """Add one merge, as note_all does."""
    note_all(folder, [(kind, name, kept)])


def note_all(folder: DataFolder, merges: Iterable[tuple[str, str, Sequence[str]]]) -> None:
    """Add merges, oldest first, in one write: (kind, name, kept) of each.

    kind: one of KINDS. name: the record's uuid, or the file's path below its folder. kept: uuids, or paths below the
    data folder, of what stays beside. Raises StorageError.
    """
    at = clock.now()
    new = [json.dumps({"at": at, "kind": kind, "name": name, "kept": list(kept)}) for kind, name, kept in merges]
    kept_lines, dropped = _bounded([*_lines(folder), *(line.encode("ascii") for line in new)])
    os.makedirs(folder.state, mode=0o700, exist_ok=True)
    files.write_atomic(_path(folder), b"".join(line + b"\n" for line in kept_lines), durable=False)
    if dropped:
        _drop_versions(folder, dropped, kept_lines)


def _bounded(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The lines that are kept and those that go, each in their order."""
    if len(lines) <= min(LIMIT, CONFIG_LIMIT):
        return lines, []
    room = {True: CONFIG_LIMIT, False: LIMIT}
    kept: list[bytes] = []
    dropped: list[bytes] = []
    for line in reversed(lines):
        is_config = (_entry(line) or {}).get("kind") in _OF_CONFIG
        room[is_config] -= 1
        (kept if room[is_config] >= 0 else dropped).append(line)
    return kept[::-1], dropped[::-1]


def read(folder: DataFolder, limit: int = LIMIT + CONFIG_LIMIT) -> list[dict[str, Any]]:
    """The last merges, newest first: {at (a record's time string), kind, name, kept}. Unreadable lines are skipped."""
    entries = (_entry(line) for line in reversed(_lines(folder)))
    return [entry for entry in entries if entry is not None][:limit]


def _lines(folder: DataFolder) -> list[bytes]:
    try:
        with files.open_plain(_path(folder)) as file:
            return file.read().splitlines()
    except OSError:
        return []


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("kept"), list):
        return None
    texts = [entry.get("at"), entry.get("kind"), entry.get("name"), *entry["kept"]]
    return entry if all(isinstance(text, str) for text in texts) else None


def _drop_versions(folder: DataFolder, dropped: list[bytes], left: list[bytes]) -> None:
    """Remove the kept versions that only dropped lines name."""
    gone = {name for line in dropped for name in _versions(line)}
    if gone:
        gone = gone.difference(*map(_versions, left))
    for name in gone:
        files.remove_quietly(os.path.join(folder.state, MERGED, name))


def _versions(line: bytes) -> set[str]:
    """Names of the files in state/merged/ that a line says are kept."""
    entry = _entry(line) or {"kept": []}
    paths = [path.rpartition("/") for path in entry["kept"]]
    return {name for parent, _, name in paths if parent == f"state/{MERGED}" and name not in {"", ".", ".."}}
