"""Doctor: is everything in place and working? Each check gives one line, with what to do when it is not well."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from functools import partial

from memories import doctor_capture, doctor_index, doctor_sync
from memories.core import conversation_index, mirror, query, records, transcripts, turn_search
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder
from memories.core.settings import disabled_by_environment, read_settings
from memories.findings import Check

LOW_DISK_BYTES = 200_000_000


def run(folder: DataFolder, *, read_only: bool = False) -> list[Check]:
    """Every check, in the order in which a user would mend things. Raises nothing.

    read_only: only what a view may do. Nothing is written, in the data folder or beside it: the text indexes are
    counted rather than compared with their rows, and no memory is stored and found for a trial.
    """
    groups: dict[str, Callable[[DataFolder], Iterator[Check]] | None] = {
        "data folder": _data_folder,
        "settings": _settings,
        "index": partial(doctor_index.index, read_only=read_only),
        "conversations": partial(doctor_index.conversations, read_only=read_only),
        "narratives": partial(doctor_index.narratives, read_only=read_only),
        "round trip": None if read_only else _round_trip,
        "claude code": doctor_capture.claude_code,
        "capture": doctor_capture.capture,
        "sync": doctor_sync.sync,
        "programs": _programs,
    }
    return [check for name, group in groups.items() if group for check in _checks_of(name, group, folder)]


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
        yield Check("data folder", "fail", f"{folder.root} is not set up", "run ./install.sh, or `llm-memory sync`")
        return
    refused = [path for path in (folder.records, folder.trash, folder.state) if not os.access(path, os.W_OK | os.X_OK)]
    if refused:
        yield Check("data folder", "fail", f"cannot write {', '.join(refused)}", "correct the owner or permissions")
        return
    open_to_others = os.stat(folder.root).st_mode & 0o077
    if open_to_others:
        yield Check("data folder", "warn", f"{folder.root} can be read by others", f"run chmod 700 {folder.root}")
    else:
        yield Check("data folder", "ok", folder.root)
    free = shutil.disk_usage(folder.root).free
    if free < LOW_DISK_BYTES:
        yield Check("disk", "warn", f"{free // 1_000_000} MB are free", "make room: a full disk stores nothing")


def _settings(folder: DataFolder) -> Iterator[Check]:
    _, problems = read_settings(folder)
    for problem in problems:
        yield Check("settings", "fail", problem, f"correct {folder.settings}")
    if not problems:
        yield Check("settings", "ok", "all values are known and in range")
    if disabled_by_environment():
        yield Check("settings", "warn", "LLM_MEMORY_DISABLE is set here", "unset it to remember what happens")


def _round_trip(_folder: DataFolder) -> Iterator[Check]:
    """Store and find a memory and a conversation in a folder of their own: the whole path works on this machine."""
    try:
        with tempfile.TemporaryDirectory(prefix="llm-memory-doctor-") as place:
            lost = _not_found(DataFolder(place), "A heron stood in the reeds.", "standing heron")
    except (LLMMemoryError, OSError, sqlite3.Error) as error:
        yield Check("round trip", "fail", f"store and search failed: {error}", "check Python's SQLite and free space")
        return
    if lost:
        todo = "this Python's SQLite lacks FTS5 with porter"
        yield Check("round trip", "fail", f"a stored {' and a stored '.join(lost)} was not found", todo)
    else:
        text = f"stored and found a memory and a conversation (SQLite {sqlite3.sqlite_version})"
        yield Check("round trip", "ok", text)


def _not_found(trial: DataFolder, text: str, question: str) -> list[str]:
    """What a search does not find of a note and a conversation with a text, both stored for the purpose."""
    records.save(trial, records.new_record(type="note", content=text))
    mirror.update(trial)
    line = {"type": "user", "message": {"role": "user", "content": text}}
    with open(transcripts.archive_path(trial, str(uuid.uuid4())), "w", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    conversation_index.update(trial)
    connection = mirror.connect(trial.mirror)
    try:
        sql = "SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?"
        (memories,) = connection.execute(sql, (query.match_expression(question),)).fetchone()
        turns = turn_search.search(connection, turn_search.Corpus(connection), question)
    finally:
        connection.close()
    return [name for name, found in (("memory", memories), ("conversation", turns)) if not found]


def _programs(_folder: DataFolder) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", "ok", f"{version} at {sys.executable}")
    claude = shutil.which("claude")
    if claude is None:
        yield Check("Claude Code", "warn", "no `claude` on PATH", "install Claude Code, then run ./install.sh again")
    else:
        yield Check("Claude Code", "ok", claude)
