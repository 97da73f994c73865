"""Copies that a file sync left beside files that two machines changed, and that no sync of ours has merged yet."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from memories.core import config_copies, config_merge, copies, diverged, mirror
from memories.core.paths import SYNCED_FOLDERS, DataFolder
from memories.named import NAMED, Named, named


@dataclass(frozen=True)
class Copies:
    """waiting: the next sync merges them; stuck: with the reason why none can. Named by path below the data folder."""

    waiting: Named
    stuck: Named


def waiting_copies(folder: DataFolder, problems: list[tuple[str, str]] | None) -> Copies:
    """Those in records/ and trash/, beside a session's transcript and in config/.

    Beside subagents' transcripts and tool results there may be more: finding those takes a walk over all sessions,
    which is left to the sync that merges them. problems: mirror.problems, which saves listing 10,000 files; None: not
    known. At most NAMED files of each folder are opened.
    """
    waiting: list[tuple[str, str]] = []
    stuck: list[tuple[str, str]] = []
    for place in SYNCED_FOLDERS:
        known = problems if place == "records" else None
        found = _in_records(known) if known is not None else _in_folder(os.path.join(folder.root, place), place)
        for name, reason in found:
            (stuck if reason else waiting).append((f"{place}/{name}", reason))
    return Copies(named(waiting), named(stuck))


def is_record_copy(name: str) -> bool:
    """Whether a name in records/ is that of a record's copy."""
    return mirror.copied_record(copies.original_name(name)) is not None


def _in_records(problems: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """(name, why it cannot be merged, or "") by what the mirror noted when it saw each copy."""
    noted = dict(problems)
    for name, problem in problems:
        uuid = mirror.copied_record(copies.original_name(name))
        if uuid is None:
            continue
        own = noted.get(f"{uuid}.json")
        if own not in {None, mirror.DELETED}:
            yield name, f"{uuid}.json, of which it is a copy, cannot be read"
        else:
            yield name, "" if problem == mirror.WAITING_COPY else problem


def _in_folder(path: str, place: str) -> Iterator[tuple[str, str]]:
    """(name, why it cannot be merged, or "") of a folder's copies. Copies of what is no file of ours are passed over,
    but those in config/, which is ours alone."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return  # not made yet
    opened = 0
    for name in names:
        original = config_copies.copied_name(name) if place == "config" else copies.original_name(name)
        if original is None or diverged.is_session_file(name):
            continue
        check = _checks[place](original)
        if check is not None:
            opened += 1
            yield name, check(os.path.join(path, name)) if opened <= NAMED else ""
        elif place == "config":
            yield name, f"there is no rule by which {original} is merged: make one file of them by hand"


def _record_check(original: str) -> Callable[[str], str] | None:
    uuid = mirror.copied_record(original)
    return None if uuid is None else lambda path: mirror.copy_problem(path, uuid)


def _tombstone_check(original: str) -> Callable[[str], str] | None:
    uuid = mirror.copied_record(original)
    return None if uuid is None else lambda path: mirror.copy_problem(path, uuid, is_tombstone=True)


def _transcript_check(original: str) -> Callable[[str], str] | None:
    return _file_problem if diverged.is_session_file(original) else None


def _config_check(original: str) -> Callable[[str], str] | None:
    if original not in {config_copies.RULES, config_copies.SETTINGS}:
        return None
    return _settings_problem if original == config_copies.SETTINGS else _file_problem


_checks = {
    "records": _record_check,
    "trash": _tombstone_check,
    "transcripts": _transcript_check,
    "config": _config_check,
}
"""Folder -> what tells why a copy of a file with some name cannot be merged; None for a name that is not merged."""


def _file_problem(path: str) -> str:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""  # merged meanwhile
    if stat.S_ISREG(mode):
        return ""
    return "a symbolic link, not a file" if stat.S_ISLNK(mode) else "a folder or special file"


def _settings_problem(path: str) -> str:
    problem = _file_problem(path)
    if problem:
        return problem
    try:
        with open(path, "rb") as file:
            config_merge.parse_settings(file.read(config_copies.MAX_BYTES))
    except FileNotFoundError:
        return ""  # merged meanwhile
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError) as error:
        return f"not readable as settings: {error}"
    return ""
