"""How sessions are captured on this machine, for the status page: the hooks' heartbeats and failures, and transcripts
that Claude Code is about to delete."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from hooks.claude_settings import HOOK_EVENTS
from memories.core import auto_memory, clock, forgotten, state, transcripts
from memories.core.paths import DataFolder, claude_projects_dir
from memories.core.settings import read_settings
from memories.core.transcript_items import clean
from memories.core.transcripts import Source
from memories.doctor_capture import SILENT_SECONDS, awaits_first_session, hook_failures
from memories.doctor_transcripts import SOON_DAYS, cleanup_days, read_json

LISTED = 20
FAILURES = 5
"""Recent failures that are shown, the newest first."""

_DAY_SECONDS = 86_400
_ONLY_WHEN = {"PreCompact": "runs when a conversation is compacted"}
"""Events that may stay away for as long as they like."""


@dataclass(frozen=True)
class Hook:
    """One of our events. last: when it last ran on this machine, UTC, "" for never. is_silent: sessions have run since
    without it."""

    event: str
    last: str
    is_silent: bool
    note: str


@dataclass(frozen=True)
class Leaving:
    """A transcript that Claude Code deletes soon. place: its folder below projects/. size in bytes. days: left, 0: any
    time now. kept: `archived`, `waiting` (not, or not as far as it goes) or `forgotten`, `let go` (by
    the retention settings), or `passed over` (excluded, or nothing was said in it)."""

    session_id: str
    place: str
    size: int
    days: int
    kept: str


@dataclass(frozen=True)
class Capture:
    """hooks: in the order in which a session runs them. failures: lines of the hook log. cleanup_days: Claude Code's
    setting. kept: transcripts it has. leaving: the first LISTED of those with less than SOON_DAYS left, those not
    archived first; more: how many are not listed; waiting: how many of all of them are not archived. auto_memory: what
    is mirrored of Claude's own, in words, "" where there is none. is_new: no session has run since the installation."""

    hooks: list[Hook]
    failures: list[str]
    cleanup_days: int
    kept: int
    leaving: list[Leaving]
    more: int
    waiting: int
    auto_memory: str
    is_new: bool

    @property
    def silent(self) -> str:
        """The events that are silent, by name."""
        return ", ".join(hook.event for hook in self.hooks if hook.is_silent)

    @property
    def ever_ran(self) -> bool:
        """Whether any hook has run on this machine."""
        return any(hook.last for hook in self.hooks)

    def attention(self) -> list[tuple[str, str]]:
        """(sentence, the id of the section that says more) of what a user should act upon."""
        found = []
        if not (self.ever_ran or self.is_new):
            found.append(("No hook has run on this machine yet.", "hooks"))
        elif self.silent:
            found.append((f"Hooks that no longer run: {self.silent}.", "hooks"))
        if self.failures:
            found.append(("Hooks have failed lately.", "hooks"))
        if self.waiting:
            verb = "transcript is" if self.waiting == 1 else "transcripts are"
            found.append((f"{self.waiting:,} {verb} about to be deleted and not archived.", "leaving"))
        return found


def capture(folder: DataFolder) -> Capture:
    """What there is: one listing of each folder below Claude Code's projects/; no transcript is opened."""
    sources = list(transcripts.iter_sources(claude_projects_dir()))
    days = cleanup_days()
    limit_ns = time.time_ns() - (days - SOON_DAYS) * _DAY_SECONDS * 1_000_000_000
    old = sorted((one for one in sources if one.mtime_ns < limit_ns), key=lambda one: one.mtime_ns)
    passed = read_json(os.path.join(folder.state, "sweep.json")) or {} if old else {}
    leaving = [_leaving(folder, one, days, passed) for one in old]
    leaving.sort(key=lambda one: one.kept != "waiting")
    return Capture(
        hooks=_hooks(folder, max((one.mtime_ns / 1e9 for one in sources), default=0.0)),
        failures=[clean(line) for line in reversed(hook_failures(folder)[-FAILURES:])],
        cleanup_days=days,
        kept=len(sources),
        leaving=leaving[:LISTED],
        more=max(0, len(leaving) - LISTED),
        waiting=sum(one.kept == "waiting" for one in leaving),
        auto_memory=auto_memory.said(folder, read_settings(folder)[0]),
        is_new=awaits_first_session(folder, sources),
    )


def _hooks(folder: DataFolder, newest: float) -> list[Hook]:
    """newest: when a session last wrote to its transcript, in Unix seconds."""
    beats = state.heartbeats(folder)
    found = []
    for event, (handler, _) in HOOK_EVENTS.items():
        last = beats.get(handler, 0.0)
        silent = event not in _ONLY_WHEN and 0 < last < newest - SILENT_SECONDS
        found.append(Hook(event, clock.format_time(last) if last else "", silent, _ONLY_WHEN.get(event, "")))
    return found


_MARKED = {forgotten.FORGOTTEN: "forgotten", forgotten.EXPIRED: "let go"}


def _leaving(folder: DataFolder, source: Source, days: int, passed: dict[str, object]) -> Leaving:
    kept = "waiting"
    kind = forgotten.kind_of(folder, source.session_id, source.mtime_ns)
    if kind is not None:
        kept = _MARKED[kind]
    elif transcripts.is_archived(folder, source):
        kept = "archived"
    elif passed.get(source.path) == [source.size, source.mtime_ns]:
        kept = "passed over"
    left = days - (time.time() - source.mtime_ns / 1e9) / _DAY_SECONDS
    return Leaving(source.session_id, clean(os.path.basename(source.folder)), source.size, max(0, int(left)), kept)
