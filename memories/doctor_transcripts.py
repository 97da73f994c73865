"""Doctor's checks of the transcripts that Claude Code keeps: archived, logged, soon deleted, and by which version."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

from memories.core import files, forgotten, session_logs, transcripts
from memories.core.paths import DataFolder, claude_config_dir
from memories.core.transcripts import Source
from memories.findings import NAMED, Check
from memories.transcript_tails import lines_with

CLEANUP_DAYS = 30
"""Claude Code's `cleanupPeriodDays` where its settings.json has none."""

SOON_DAYS = 7
QUIET_SECONDS = 3_600
"""A transcript written to more lately than this may be of a session that runs."""

OLDEST_CLIENT = (2, 1, 197)
"""The oldest Claude Code that this is tested with (docs/hooks.md)."""

_DAY_NS = 86_400 * 1_000_000_000


def transcripts_kept(folder: DataFolder, sources: list[Source]) -> Iterator[Check]:
    """Whether each is archived and has its session log, those first that Claude Code deletes within SOON_DAYS."""
    states = transcripts.archived_states(folder)
    waiting = _waiting(folder, sources, states)
    days = cleanup_days()
    quiet = time.time_ns() - QUIET_SECONDS * 1_000_000_000
    limit = min(quiet, time.time_ns() - (days - SOON_DAYS) * _DAY_NS)
    leaving = [one for one in waiting if one.mtime_ns < limit]
    if leaving:
        named = _named([one.session_id for one in sorted(leaving, key=lambda one: one.mtime_ns)])
        text = f"{len(leaving)} not archived and deleted by Claude Code within {SOON_DAYS} days"
        yield Check("transcripts", "fail", f"{text} (cleanupPeriodDays: {days}): {named}", "run `llm-memory sync`")
    kept = f"{len(states)} archived, {len(sources)} kept by Claude Code{_left_out(folder, sources, states, waiting)}"
    unlogged = unlogged_sessions(folder, sources, states)
    if len(waiting) > len(leaving):
        text = f"{kept}, {len(waiting) - len(leaving)} not archived yet"
        yield Check("transcripts", "warn", text, "run `llm-memory sync`")
    if unlogged:
        text = f"{len(unlogged)} archived sessions have no session log: {_named(unlogged)}"
        yield Check("session logs", "warn", text, "run `llm-memory sync`")
    if not waiting:
        yield Check("transcripts", "ok", kept)


def _left_out(
    folder: DataFolder, sources: list[Source], states: dict[str, tuple[int, int]], waiting: list[Source]
) -> str:
    """Why of what Claude Code keeps some is not archived and does not wait to be; "" where there is none."""
    paths = {one.path for one in waiting}
    rest = [one for one in sources if one.path not in paths and not transcripts.is_archived(folder, one, states)]
    gone = sum(forgotten.kind_of(folder, one.session_id, one.mtime_ns) is not None for one in rest)
    parts = [f"{gone} forgotten or let go"] if gone else []
    parts += [f"{len(rest) - gone} excluded or without a word"] if len(rest) > gone else []
    return f" ({', '.join(parts)})" if parts else ""


def waiting_transcripts(folder: DataFolder, sources: list[Source]) -> list[Source]:
    """Those whose archive is missing or behind, and that no sweep has passed over."""
    return _waiting(folder, sources, transcripts.archived_states(folder))


def _waiting(folder: DataFolder, sources: list[Source], states: dict[str, tuple[int, int]]) -> list[Source]:
    marks = read_json(os.path.join(folder.state, "sweep.json")) or {}
    return [
        one
        for one in sources
        if not transcripts.is_archived(folder, one, states)
        and marks.get(one.path) != [one.size, one.mtime_ns]
        and forgotten.kind_of(folder, one.session_id, one.mtime_ns) is None
    ]


def unlogged_sessions(folder: DataFolder, sources: list[Source], states: dict[str, tuple[int, int]]) -> list[str]:
    """Sessions that are archived and whose transcript is still here, so that their log can be written, and is not."""
    return sorted(
        {
            one.session_id
            for one in sources
            if transcripts.is_archived(folder, one, states) and not session_logs.exists(folder, one.session_id)
        }
    )


def client(sources: list[Source]) -> Iterator[Check]:
    """Whether the Claude Code that wrote last is one that this works with."""
    for source in sorted(sources, key=lambda one: -one.mtime_ns):
        version = _version(source)
        if version is None:
            continue
        if version < OLDEST_CLIENT:
            used, oldest = (".".join(map(str, one)) for one in (version, OLDEST_CLIENT))
            text = f"version {used} ran last (session {source.session_id}); the oldest that this works with is {oldest}"
            yield Check("Claude Code", "warn", text, "run `claude update`")
        return


def _version(source: Source) -> tuple[int, ...] | None:
    """The client's version in a transcript's newest line that names one."""
    for line in lines_with(source, (b'"version"',)):
        parts = str(line.get("version", "")).split(".")
        if len(parts) == len(OLDEST_CLIENT) and all(part.isascii() and part.isdigit() for part in parts):
            return tuple(map(int, parts))
    return None


def cleanup_days() -> int:
    """After how many days Claude Code deletes a transcript, from the user's settings.json."""
    settings = read_json(os.path.join(claude_config_dir(), "settings.json")) or {}
    days = settings.get("cleanupPeriodDays")
    return days if isinstance(days, int) and not isinstance(days, bool) and days > 0 else CLEANUP_DAYS


def read_json(path: str) -> dict[str, Any] | None:
    """A JSON object in a file; None where there is none."""
    try:
        with files.open_plain(path) as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _named(session_ids: list[str]) -> str:
    more = f" and {len(session_ids) - NAMED} more" if len(session_ids) > NAMED else ""
    return ", ".join(session_ids[:NAMED]) + more
