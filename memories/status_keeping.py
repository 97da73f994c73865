"""What is kept and for how long: what the retention settings will let go, and what was forgotten or let go before."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from memories.core import clock, forgotten, retention
from memories.core.paths import DataFolder, claude_projects_dir
from memories.core.retention import DAY, SOON_DAYS, Outlook
from memories.core.settings import read_settings
from memories.disk_use import said_size
from memories.named import counted

CLOCK_TODO = "set the clock, or where it is right run `llm-memory forget --expired --yes`"


@dataclass(frozen=True)
class Keeping:
    """forgotten, let_go: how many sessions have such a mark. is_settled: nothing of forgotten ones is left, in the
    index's file neither. days, megabytes: the settings, 0 for off. due and due_bytes: transcripts that go now; soon:
    those that come of age within a week; next_at and next_session: the first of them, "" for none; starts_at: when a
    sync begins, UTC, "" for the next one; newest: of when the newest thing known here is, UTC, where the clock is so
    far ahead of it that nothing goes, else ""; over: bytes beyond the limit that may not go yet; said: all of it in
    words, "" where the settings are off, or the index, which it takes, cannot be read."""

    forgotten: int
    let_go: int
    is_settled: bool
    days: int
    megabytes: int
    due: int
    due_bytes: int
    soon: int
    next_at: str
    next_session: str
    starts_at: str
    newest: str
    over: int
    said: str

    @property
    def limits(self) -> str:
        """The settings in words; "" where both are off."""
        limits = [f"for {counted(self.days, 'day')}"] if self.days else []
        limits += [f"up to {self.megabytes:,} MB"] if self.megabytes else []
        return " and ".join(limits)

    def attention(self) -> list[tuple[str, str]]:
        """(sentence, the id of the section that says more) of what a user should act upon."""
        found = []
        if self.newest:
            found.append((f"No transcript is let go: {said_ahead(self.newest)}; {CLOCK_TODO}.", "keeping"))
        elif self.due and self.starts_at:
            text = "A new setting is about to let transcripts go: `llm-memory forget --expired --dry-run` lists them."
            found.append((text, "keeping"))
        if not self.is_settled:
            found.append(("The index may still hold a forgotten session: run `llm-memory sync`.", "keeping"))
        return found


def keeping(folder: DataFolder, connection: sqlite3.Connection | None) -> Keeping:
    """All of it; a walk through transcripts/ where a setting is on. connection: to the mirror, None without one.

    Raises sqlite3.Error."""
    settings, _ = read_settings(folder)
    found = None if connection is None else retention.outlook(folder, claude_projects_dir(), settings, connection)
    soon = sorted(found.soon, key=lambda item: item[1]) if found else []
    return Keeping(
        forgotten=len(forgotten.of_kind(folder, forgotten.FORGOTTEN)),
        let_go=len(forgotten.of_kind(folder, forgotten.EXPIRED)),
        is_settled=forgotten.is_settled(folder),
        days=settings["transcripts_keep_days"],
        megabytes=settings["transcripts_keep_mb"],
        due=len(found.due) if found else 0,
        due_bytes=found.due_bytes if found else 0,
        soon=len(soon),
        next_at=clock.format_time(soon[0][1]) if soon else "",
        next_session=soon[0][0].session_id if soon else "",
        starts_at=clock.format_time(found.starts_at) if found and found.starts_at else "",
        newest=clock.format_time(found.newest) if found and found.newest is not None else "",
        over=found.over if found else 0,
        said=said_outlook(found) if found else "",
    )


def said_outlook(found: Outlook) -> str:
    """What goes now and soon, in words: `12 transcripts, 340 MB, go at the next sync; 3 more within 7 days`."""
    if found.newest is not None:
        return f"nothing goes, as {said_ahead(clock.format_time(found.newest))}; {CLOCK_TODO}"
    parts = []
    if found.due:
        verb = "goes at" if len(found.due) == 1 else "go at"
        when = f"{verb} the next sync"
        if found.starts_at is not None:
            when = f"will go after {_minute(clock.format_time(found.starts_at))} UTC, as the setting is new"
        parts.append(f"{counted(len(found.due), 'transcript')}, {said_size(found.due_bytes)}, {when}")
    if found.soon:
        first, at = min(found.soon, key=lambda item: item[1])
        in_days = max(1, round((at - time.time()) / DAY))
        more = " more" if found.due else ""
        parts.append(
            f"{len(found.soon):,}{more} within {SOON_DAYS} days, {first.session_id} first, in {counted(in_days, 'day')}"
        )
    if found.over:
        parts.append(f"{said_size(found.over)} above the limit may not go yet")
    return "; ".join(parts) or "nothing goes within a week"


def said_ahead(newest: str) -> str:
    """Why nothing goes, where the clock is not believed. newest: as Keeping has it."""
    return f"this machine's clock is far ahead of the newest thing known here, which is of {_minute(newest)} UTC"


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
