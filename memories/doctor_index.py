"""Doctor's checks of the index: sound, complete, and what it could not read. With read_only nothing is written."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from memories.copies_waiting import is_record_copy, waiting_copies
from memories.core import (
    budget,
    clock,
    conversation_index,
    coverage,
    mirror,
    records,
    staleness,
    transcript_copies,
)
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from memories.findings import NAMED, Check, ago, some

WAITING_SECONDS = 86_400
"""Age from which a transcript that is not indexed is a fault: each search and each start of the server indexes."""


_MAKE_ROOM = "make room, then run `llm-memory doctor` again"

_SOUND = {False: "consistent", True: "complete"}
"""What is said of a text index that was checked against its rows, or only counted."""


def index(folder: DataFolder, *, read_only: bool) -> Iterator[Check]:
    """The mirror of the records. read_only: without FTS5's integrity check, which SQLite counts as a write."""
    try:
        connection = mirror.connect(folder.mirror, read_only=read_only)
    except MirrorUnavailableError:
        yield _unusable(folder)
        return
    try:
        if not read_only:
            connection.execute("INSERT INTO memory_fts (memory_fts, rank) VALUES ('integrity-check', 1)")
        indexed = connection.execute("SELECT count(*) FROM memory_fts_docsize").fetchone()[0]
        count = connection.execute("SELECT count(*) FROM memory").fetchone()[0]
        skipped = mirror.problems(connection)
    except sqlite3.Error as error:
        yield _stopped(folder, "index", error, "look at its permissions, then try again")
        return
    finally:
        connection.close()
    if indexed != count:
        text = f"damaged: {count} records are there, {indexed} of them in the text index"
        yield Check("index", "fail", text, "run `llm-memory rebuild_index`")
    else:
        yield Check("index", "ok", f"{count} records, text index {_SOUND[read_only]}")
    yield from _unread(skipped)
    yield from _copies(folder, skipped)


def in_the_way(folder: DataFolder) -> Check | None:
    """What no sync can mend: something else in the mirror's place, or a full disk; None where it is neither."""
    if os.path.lexists(folder.mirror) and not os.path.isfile(folder.mirror):
        return Check("index", "fail", f"{folder.mirror} is no file", "move it away, then run `llm-memory sync`")
    if os.path.isdir(folder.root) and mirror.is_full(folder.root):
        text = "the disk is full: the index cannot be used, and nothing is kept"
        return Check("index", "fail", text, _MAKE_ROOM)
    return None


def _unusable(folder: DataFolder) -> Check:
    """Why the mirror cannot be opened."""
    found = in_the_way(folder)
    if found is not None:
        return found
    text = "is damaged or of another version" if os.path.exists(folder.mirror) else "is missing"
    return Check("index", "fail", f"{folder.mirror} {text}", "run `llm-memory sync`")


def _stopped(folder: DataFolder, name: str, error: sqlite3.Error, todo: str) -> Check:
    """What a check could not get past. todo: where it is neither damage nor a full disk, which SQLite may call an I/O
    error."""
    if mirror.is_full(folder.root):
        return Check(name, "fail", "cannot be checked: the disk is full", _MAKE_ROOM)
    if mirror.is_damage(error):
        return Check(name, "fail", f"damaged: {error}", "run `llm-memory rebuild_index`")
    return Check(name, "fail", f"cannot be checked: {error}", todo)


def _unread(skipped: list[tuple[str, str]]) -> Iterator[Check]:
    """What is in records/ and not in the index."""
    counted = [item for item in skipped if item[1] != mirror.DELETED and not is_record_copy(item[0])]
    broken = [item for item in counted if records.is_uuid(item[0].removesuffix(".json"))]
    other = [item for item in counted if item not in broken]
    if broken:
        yield Check("records", "fail", f"{len(broken)} cannot be read: {some(broken)}", "repair or move these files")
    if other:
        yield Check("records", "warn", f"{len(other)} files are no records: {some(other)}", "move them elsewhere")
    if not broken and not other:
        yield Check("records", "ok", "every file is readable")


def _copies(folder: DataFolder, skipped: list[tuple[str, str]]) -> Iterator[Check]:
    """What a file sync left beside files that two machines changed."""
    found = waiting_copies(folder, skipped)
    # waiting_copies looks at sessions' own transcripts alone: a walk over what is beside them is doctor's to afford.
    beside = [f"of transcripts/{path}" for path in transcript_copies.with_copies(folder) if "/" in path]
    if found.waiting or beside:
        names = [*(name for name, _ in found.waiting.items), *beside][:NAMED]
        text = f"{found.waiting.count + len(beside)} waiting to be merged: {'; '.join(names)}"
        yield Check("conflict copies", "warn", text, "run `llm-memory sync`")
    if found.stuck:
        text = f"{found.stuck.count} cannot be merged: {some(found.stuck.items)}"
        todo = "repair them, or carry over what is missing and move them away; then run `llm-memory sync`"
        yield Check("conflict copies", "warn", text, todo)


def conversations(folder: DataFolder, *, read_only: bool) -> Iterator[Check]:
    """Whether every archived transcript is in the index as far as it goes, and the index of them sound."""
    try:
        connection = mirror.connect(folder.mirror, read_only=read_only)
    except MirrorUnavailableError:
        return  # said by index
    try:
        if not read_only:
            connection.execute("INSERT INTO turn_fts (turn_fts) VALUES ('integrity-check')")
        known: dict[str, int] = dict(connection.execute("SELECT path, size FROM session").fetchall())
        noted, turns = connection.execute("SELECT total(turns), (SELECT count(*) FROM turn) FROM session").fetchone()
        unreadable = conversation_index.problems(connection)
    except sqlite3.Error as error:
        yield _stopped(folder, "conversations", error, "try again when no sync runs")
        return
    finally:
        connection.close()
    archived = {path: (size, mtime_ns) for path, mtime_ns, size in conversation_index.transcript_files(folder)}
    waiting = [path for path in archived if known.get(path) != archived[path][0] and path not in dict(unreadable)]
    before = time.time_ns() - WAITING_SECONDS * 1_000_000_000
    behind = [
        (path, "grew or changed" if path in known else "not read yet")
        for path in sorted(waiting)
        if archived[path][1] < before
    ]
    behind += [(path, "no longer in the archive") for path in sorted(known.keys() - archived.keys())]
    if noted != turns:
        text = f"damaged: {turns} turns are there, {noted:.0f} were indexed"
        yield Check("conversations", "fail", text, "run `llm-memory rebuild_index`")
    elif behind:
        yield Check("conversations", "warn", f"{len(behind)} not up to date: {some(behind)}", "run `llm-memory sync`")
    else:
        new = f"; {len(waiting)} new, read at the next search" if waiting else ""
        yield Check(
            "conversations", "ok", f"{turns} turns of {len(archived)} transcripts, text index {_SOUND[read_only]}{new}"
        )
    if unreadable:
        text = f"{len(unreadable)} cannot be read: {some(unreadable)}"
        yield Check("conversations", "warn", text, "repair or move these files")


def narratives(folder: DataFolder, *, read_only: bool) -> Iterator[Check]:
    """Which projects' narratives lag behind: for the user to know, no fault."""
    try:
        connection = mirror.connect(folder.mirror, read_only=read_only)
    except MirrorUnavailableError:
        return  # said by index
    try:
        settings = read_settings(folder)[0]
        overdue = staleness.overdue(connection, folder, settings)
        every = staleness.scopes(connection, settings["project_aliases"]) if not overdue else []
        without = sum(coverage.narrative(connection, folder, one) is None for one in every)
    finally:
        connection.close()
    if not overdue:
        none_yet = f"; {coverage.counted(without, 'project')} {'has' if without == 1 else 'have'} none yet"
        yield Check("narratives", "ok", f"no narrative is behind{none_yet if without else ''}")
        return
    text = f"to be brought up to date: {some([_behind(found) for found in overdue])}"
    yield Check("narratives", "ok", text, 'in the project, ask Claude to "update the project memory"')


def _behind(found: dict[str, Any]) -> tuple[str, str]:
    """(project, how far its narrative is behind) of a coverage answer."""
    sessions = coverage.counted(found["sessions_since"], "session")
    turns = coverage.counted(found["turns_since"], "turn")
    what = f"{sessions}, {turns}, the oldest {ago(clock.parse_time(found['since']) or 0)}"
    return budget.label(found["project"]), f"no narrative yet; {what}" if found["status"] == "none" else what
