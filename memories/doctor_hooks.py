"""Doctor's check of each hook against what sessions did: an event that should have run since it last did."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from memories.core import clock, files, state
from memories.core.paths import DataFolder
from memories.core.transcripts import Source
from memories.findings import Check, ago
from memories.transcript_tails import lines_with

SLACK_SECONDS = 3_600
"""How much later than a hook's last run something must have happened to count against it; and for how long a transcript
must have been quiet to count as a session that has ended."""

ENDED_SESSIONS = 5
"""Sessions in a row that ended without SessionEnd: a killed one has none, so few of them say nothing."""

LOOKED_AT = 20
"""Transcripts, the newest first, in which tool uses and compactions are looked for."""

_TODO = "run ./install.sh, restart Claude Code"
_MEANS = {
    "PostToolUse": "nobody is reminded to store what was decided",
    "PreCompact": "a conversation is archived only after its compaction",
}


def silent_hooks(folder: DataFolder, sources: list[Source]) -> Iterator[Check]:
    """Events that did not run though sessions give evidence that they should have. sources: Claude Code's transcripts.

    Only where installed, and only by what happened since. SessionStart is doctor_capture's.
    """
    since = installed_at(folder)
    if since is None:
        return
    beats = state.heartbeats(folder)
    yield from _session_end(folder, sources, since, beats.get("session_end", 0.0))
    newest = sorted(sources, key=lambda one: -one.mtime_ns)[:LOOKED_AT]
    for event, handler, find in (
        ("PostToolUse", "post_tool_use", _last_tool_use),
        ("PreCompact", "pre_compact", _last_compaction),
    ):
        beat = beats.get(handler, 0.0)
        after = max(since, beat) + SLACK_SECONDS
        for source in newest:
            happened = find(source) if source.mtime_ns / 1e9 > after else None
            if happened is not None and happened > after:
                what = "used a tool" if event == "PostToolUse" else "was compacted"
                text = f"{event} {_last_ran(beat)}, but session {source.session_id} {what} {ago(happened)}"
                yield Check("hook runs", "warn", f"{text}: {_MEANS[event]}", _TODO)
                break


def installed_at(folder: DataFolder) -> float | None:
    """When this installation was made, in Unix seconds; None where nothing is installed."""
    try:
        return os.stat(os.path.join(folder.lib, "install.json")).st_mtime
    except OSError:
        return None


def _session_end(folder: DataFolder, sources: list[Source], since: float, beat: float) -> Iterator[Check]:
    running = _running_sessions(folder)
    first, last = max(since, beat) + SLACK_SECONDS, time.time() - SLACK_SECONDS
    ended = [one for one in sources if first < one.mtime_ns / 1e9 < last and one.session_id not in running]
    if len(ended) >= ENDED_SESSIONS:
        text = f"SessionEnd {_last_ran(beat)}, and not for the {len(ended)} sessions that were last active since"
        todo = f"end sessions with /exit (a killed one runs no hook); if you did, {_TODO}"
        yield Check("hook runs", "warn", f"{text}: they are archived only when the next one starts", todo)


def _running_sessions(folder: DataFolder) -> set[str]:
    """The sessions whose client runs now, as session_start noted them."""
    clients = files.entries(os.path.join(folder.state, "clients"))
    pids = [int(one.name) for one in clients if one.name.isdigit() and files.process_alive(int(one.name))]
    return {found for pid in pids if (found := state.client_session(folder, pid))}


def _last_ran(beat: float) -> str:
    return f"last ran {ago(beat)}" if beat else "has never run"


def _last_tool_use(source: Source) -> float | None:
    """When the newest tool use that went well ended; one that failed runs another event."""
    for line in lines_with(source, (b'"tool_result"',)):
        if any(not block.get("is_error") for block in _blocks(line) if block.get("type") == "tool_result"):
            return clock.parse_time(line.get("timestamp"))
    return None


def _blocks(line: dict[str, Any]) -> list[dict[str, Any]]:
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []


def _last_compaction(source: Source) -> float | None:
    for line in lines_with(source, (b'"compact_boundary"',)):
        if line.get("subtype") == "compact_boundary":
            return clock.parse_time(line.get("timestamp"))
    return None
