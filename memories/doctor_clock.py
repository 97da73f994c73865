"""Doctor's check of the clock: this machine's, and what others with a wrong one left."""

from __future__ import annotations

import time
from collections.abc import Iterator

from memories.core import clock, mirror, transcripts
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder, claude_projects_dir
from memories.findings import Check, some

AHEAD_SECONDS = 86_400
"""How far in the future a time may be: more than any time zone that was taken for UTC."""

_EARLIEST = "2026-01-01T00:00:00"
"""Before this was written: no clock that says so is right."""


def clocks(folder: DataFolder, *, read_only: bool) -> Iterator[Check]:
    """Memories and transcripts from the future, and a clock that stands before what it has already dated."""
    now = clock.now()
    if now < _EARLIEST:
        text = f"this machine's clock says {now}: what is stored now would count as older than everything else"
        yield Check("clock", "fail", text, "set the clock (on Linux: timedatectl set-ntp true)")
        return
    ahead = _records_ahead(folder, read_only=read_only) + _transcripts_ahead(folder)
    if ahead:
        text = f"{len(ahead)} from the future by this machine's clock, which says {now} UTC: {some(ahead)}"
        todo = "set the clock that is wrong, here or where they were made; they stand before all else until then"
        yield Check("clock", "warn", text, todo)
    else:
        yield Check("clock", "ok", f"{now} UTC, nothing is from the future")


def _limit() -> float:
    return time.time() + AHEAD_SECONDS


def _records_ahead(folder: DataFolder, *, read_only: bool) -> list[tuple[str, str]]:
    """(memory, its time) of those whose making or last edit is in the future, the latest first."""
    try:
        connection = mirror.connect(folder.mirror, read_only=read_only)
    except MirrorUnavailableError:
        return []  # said by the index's check
    sql = """SELECT uuid, max(created_at, coalesce(updated_at, '')) AS latest FROM memory
             WHERE created_at > :limit OR updated_at > :limit ORDER BY latest DESC"""
    try:
        rows = connection.execute(sql, {"limit": clock.format_time(_limit())}).fetchall()
    finally:
        connection.close()
    return [(f"memory {uuid}", latest) for uuid, latest in rows]


def _transcripts_ahead(folder: DataFolder) -> list[tuple[str, str]]:
    """(transcript, its time) of those in the archive or kept by Claude Code that were last written in the future."""
    times = {session: mtime_us / 1e6 for session, (_, mtime_us) in transcripts.archived_states(folder).items()}
    for one in transcripts.iter_sources(claude_projects_dir()):
        times[one.session_id] = max(times.get(one.session_id, 0.0), one.mtime_ns / 1e9)
    limit = _limit()
    ahead = sorted(((seconds, session) for session, seconds in times.items() if seconds > limit), reverse=True)
    return [(f"transcript {session}", _shown(seconds)) for seconds, session in ahead]


def _shown(seconds: float) -> str:
    try:
        return clock.format_time(seconds)
    except (OverflowError, ValueError, OSError):
        return "a time that is none"
