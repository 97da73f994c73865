"""Doctor: is everything in place and working? Each check gives one line, with what to do when it is not well."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from functools import partial

from memories import (
    doctor_capture,
    doctor_clock,
    doctor_index,
    doctor_left,
    doctor_permissions,
    doctor_plugin,
    doctor_retention,
    doctor_secrets,
    doctor_sync,
    doctor_trip,
    doctor_update,
)
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder
from memories.core.settings import disabled_by_environment, read_settings
from memories.findings import Check

LOW_DISK_BYTES = 200_000_000
_OUTSIDE = ("round trip", "programs")
"""The groups that do not look into the data folder."""


def run(folder: DataFolder, *, read_only: bool = False) -> list[Check]:
    """Every check, in the order in which a user would mend things. Raises nothing.

    Of a data folder that another can change (doctor_permissions.refusal) nothing is read: only what lies outside of it
    is checked then. read_only: only what a view may do. Nothing is written, in the data folder or beside it: the text
    indexes are counted rather than compared with their rows, and no memory is stored and found for a trial.
    """
    refused = doctor_permissions.refusal(folder)
    groups = _groups(read_only=read_only)
    if refused is not None:
        groups = {name: groups[name] for name in _OUTSIDE}
    checks = [check for name, group in groups.items() if group for check in _checks_of(name, group, folder)]
    return checks if refused is None else [refused, *checks]


def _groups(*, read_only: bool) -> dict[str, Callable[[DataFolder], Iterator[Check]] | None]:
    return {
        "data folder": _data_folder,
        "permissions": partial(doctor_permissions.file_permissions, read_only=read_only),
        "settings": _settings,
        "index": partial(doctor_index.index, read_only=read_only),
        "conversations": partial(doctor_index.conversations, read_only=read_only),
        "narratives": partial(doctor_index.narratives, read_only=read_only),
        "secrets": partial(doctor_secrets.secrets, read_only=read_only),
        "retention": doctor_retention.retention,
        "round trip": None if read_only else doctor_trip.round_trip,
        "claude code": doctor_capture.claude_code,
        "update": doctor_update.updates,
        "capture": doctor_capture.capture,
        "clock": partial(doctor_clock.clocks, read_only=read_only),
        "sync": doctor_sync.sync,
        "left behind": doctor_left.left_behind,
        "programs": _programs,
    }


def _checks_of(name: str, group: Callable[[DataFolder], Iterator[Check]], folder: DataFolder) -> Iterator[Check]:
    """A group's checks; what stops one is a finding too."""
    try:
        yield from group(folder)
    except (LLMMemoryError, OSError, sqlite3.Error) as error:
        yield Check(name, "fail", str(error), "see the message")


def _data_folder(folder: DataFolder) -> Iterator[Check]:
    if os.path.lexists(folder.root) and not os.path.isdir(folder.root):
        yield Check("data folder", "fail", f"{folder.root} is no folder", "move it away, or set LLM_MEMORY_HOME")
        return
    if not os.path.isdir(folder.records):
        todo = doctor_plugin.step("run ./install.sh, or `llm-memory sync`", "start a session in Claude Code")
        yield Check("data folder", "fail", f"{folder.root} is not set up", todo)
        return
    refused = [path for path in (folder.records, folder.trash, folder.state) if not os.access(path, os.W_OK | os.X_OK)]
    if refused:
        yield Check("data folder", "fail", f"cannot write {', '.join(refused)}", "correct the owner or permissions")
        return
    yield doctor_permissions.readable_by_others(folder) or Check("data folder", "ok", folder.root)
    free = shutil.disk_usage(folder.root).free
    if free < LOW_DISK_BYTES:
        yield Check("disk", "warn", f"{free // 1_000_000} MB are free", "make room: a full disk stores nothing")


def _settings(folder: DataFolder) -> Iterator[Check]:
    _, problems = read_settings(folder)
    for problem in problems:  # what switches memory off says so, and comes first
        yield Check("settings", "fail", problem, f"correct {folder.settings}")
    if not problems:
        yield Check("settings", "ok", "all values are known and in range")
    if disabled_by_environment():
        yield Check("settings", "warn", "LLM_MEMORY_DISABLE is set here", "unset it to remember what happens")


def _programs(_folder: DataFolder) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", "ok", f"{version} at {sys.executable}")
    claude = shutil.which("claude")
    if claude is None:
        todo = doctor_plugin.step(
            "install Claude Code, then run ./install.sh again", "add the folder of Claude Code's `claude` to PATH"
        )
        yield Check("Claude Code", "warn", "no `claude` on PATH", todo)
    else:
        yield Check("Claude Code", "ok", claude)
