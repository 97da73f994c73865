"""What `doctor --fix` mends: modes, missing folders, temp files of dead processes, the index, what a sync catches up.

Never the content of a record, and nothing is deleted but temp files of our own. Each fix is found by looking, so that a
dry run lists exactly what would be done; where there is nothing to mend, there is no fix.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from hooks.shipped_files import shipped_order
from memories import doctor_index, doctor_left, doctor_permissions, doctor_transcripts
from memories.core import bundle_staging, files, mirror, private_files, sync, transcripts
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder, claude_projects_dir
from memories.core.settings import disabled_by_environment, read_settings

SYNC_WAIT_SECONDS = 60.0
"""How long to wait for a sync that runs already."""


class Fix(NamedTuple):
    """what: an imperative sentence. items: the files, folders or sessions that it is about, each named. mend: does it;
    raises LLMMemoryError, OSError, sqlite3.Error."""

    what: str
    items: list[str]
    mend: Callable[[], object]


class Outcome(NamedTuple):
    """What became of a fix. error: why it could not be done, "" where it was."""

    fix: Fix
    error: str


def fixes(folder: DataFolder) -> Iterator[Fix]:
    """What there is to mend now, in the order in which it must be done; each is looked for when the one before is done.

    Nothing in a folder of another user's, and nothing but the modes in one that others could change until now: its user
    should look at what is in it first.
    """
    is_refused = doctor_permissions.refusal(folder) is not None
    if is_refused and not _is_ours(folder.root):
        return
    modes = private_files.faults(folder).modes
    if modes:
        items = [f"{path} -> {mode:04o}" for path, mode in sorted(modes)]
        yield Fix(
            "set the modes of what is open to others or closed to its user", items, partial(private_files.mend, folder)
        )
    if is_refused:
        return
    missing = [path for path in folder.parts() if not os.path.lexists(path)]
    if missing:
        yield Fix("create the missing folders", missing, folder.create)
    temps = [*doctor_left.temp_files(folder), *doctor_left.staging_folders(folder.state)]
    if temps:
        yield Fix("remove temp files of processes that are gone", temps, partial(_remove, folder, temps))
    yield from _to_sync(folder)


def carry_out(folder: DataFolder) -> Iterator[Outcome]:
    """Do each fix and say what became of it; one that fails does not keep the next from being tried."""
    for fix in fixes(folder):
        try:
            fix.mend()
        except (LLMMemoryError, OSError, sqlite3.Error) as error:
            yield Outcome(fix, str(error))
        else:
            yield Outcome(fix, "")


def _is_ours(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _remove(folder: DataFolder, paths: list[str]) -> None:
    """Remove temp files that are still nobody's: a process with that id may have come meanwhile."""
    for path in paths:
        if files.is_dead_temp_file(os.path.basename(path)):
            files.remove_quietly(path)
    bundle_staging.sweep(folder)


def _to_sync(folder: DataFolder) -> Iterator[Fix]:
    """What `llm-memory sync` mends, with a new index where this one is missing or damaged."""
    damage = _index_damage(folder)
    if damage:
        todo = "make the index again from the records and transcripts"
        yield Fix(todo, [f"{folder.mirror}: {damage}"], partial(_sync, folder, rebuild=True))
    items = [] if disabled_by_environment() else _to_catch_up(folder)
    if items:
        yield Fix("archive transcripts and write session logs (a sync)", items, partial(_sync, folder, rebuild=False))


def _index_damage(folder: DataFolder) -> str:
    """Why the index must be made again, "" where it need not."""
    if not os.path.lexists(folder.mirror):
        return "missing"
    if not os.path.isfile(folder.mirror):
        return ""  # to be moved away by whoever put it there
    for check in doctor_index.index(folder, read_only=False):
        if check.name == "index" and check.status == "fail":
            return check.text if check.text.startswith("damaged") or _is_unusable(folder) else ""
    for check in doctor_index.conversations(folder, read_only=False):
        if check.status == "fail" and check.text.startswith("damaged"):
            return check.text
    return ""


def _is_unusable(folder: DataFolder) -> bool:
    """Whether the mirror cannot be opened as one of this version."""
    try:
        mirror.connect(folder.mirror).close()
    except LLMMemoryError:
        return True
    return False


def _to_catch_up(folder: DataFolder) -> list[str]:
    sources = list(transcripts.iter_sources(claude_projects_dir()))
    waiting = doctor_transcripts.waiting_transcripts(folder, sources)
    unlogged = doctor_transcripts.unlogged_sessions(folder, sources, transcripts.archived_states(folder))
    archive = sorted(f"archive {one.session_id} ({one.path})" for one in waiting)
    return archive + [f"write the log of session {session}" for session in unlogged]


def _sync(folder: DataFolder, *, rebuild: bool) -> None:
    settings, _ = read_settings(folder)
    source = None if disabled_by_environment() else claude_projects_dir()
    sync.run(folder, source, settings, wait_seconds=SYNC_WAIT_SECONDS, rebuild=rebuild, shipped_rules=shipped_order)
