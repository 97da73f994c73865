"""Retention: which archived transcripts the user's settings let go, saying so before, and letting them go.

transcripts_keep_days counts from a session's end, which is the mtime of its archive; transcripts_keep_mb is what all of
transcripts/ may take, oldest first until it fits. Whole sessions only; never notes, narratives or session logs. Never
one that ended within a day or runs now, or whose archive is not complete. None at all where this machine's clock is far
ahead of everything that is known here: it may have jumped. Sessions that the project's narrative does
not cover yet go by size last, and not before transcripts_keep_days where that is set.
"""

from __future__ import annotations

import json
import os
import time

from memories.core import clock, files, forgetting, records, session_place, transcripts
from memories.core.errors import LLMMemoryError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.session_place import Place

DAY = 86_400
MEGABYTE = 1_000_000
SOON_DAYS = 7
"""How far ahead it is said what goes next."""

GRACE_SECONDS = DAY
"""How long a sync waits after it first saw a stricter setting: so long a slip of the finger can be taken back."""

AHEAD_SECONDS = 7 * DAY
"""So far ahead of the newest thing known, this machine's clock is not believed: a machine that is used, or that syncs
once a day, is never there."""

RUN_SECONDS = DAY
"""A session start asks for a sync when the last look at the settings is so long ago."""

_MERGE_WAIT_SECONDS = 60.0


class Outlook:
    """What the settings let go. days, megabytes: the settings; due: what goes now, in that order; soon: (session, Unix
    seconds) of what comes of age within SOON_DAYS; total: bytes of all sessions in transcripts/; over: bytes beyond
    megabytes that may not go yet; starts_at: when a sync begins with it, Unix seconds; None: the next one does;
    newest: of when the newest thing is that is known here, Unix seconds, where this machine's clock is so far ahead of
    it that nothing goes; None: it is not."""

    __slots__ = ("days", "due", "megabytes", "newest", "over", "soon", "starts_at", "total")

    def __init__(self, days: int, megabytes: int) -> None:
        self.days = days
        self.megabytes = megabytes
        self.due: list[Place] = []
        self.soon: list[tuple[Place, float]] = []
        self.total = self.over = 0
        self.starts_at: float | None = None
        self.newest: float | None = None

    @property
    def due_bytes(self) -> int:
        """What goes now takes so many bytes."""
        return sum(one.size for one in self.due)


class LetGo:
    """What was let go. sessions: whose transcripts; left: (path below the data folder, reason) of what could not be
    removed; outlook: what was found before, of which all that is due waits where starts_at says a time."""

    __slots__ = ("left", "outlook", "sessions")

    def __init__(self, outlook: Outlook) -> None:
        self.outlook = outlook
        self.sessions: list[Place] = []
        self.left: list[tuple[str, str]] = []


def is_on(settings: dict[str, Any]) -> bool:
    """Whether anything may ever be let go."""
    return bool(settings["transcripts_keep_days"] or settings["transcripts_keep_mb"])


def was_on(folder: DataFolder) -> bool:
    """Whether a sync has seen them on since they were last off."""
    return os.path.lexists(_seen_path(folder))


def wants_a_run(folder: DataFolder, settings: dict[str, Any]) -> bool:
    """Whether a sync should look at the settings again: they are on, and none did for RUN_SECONDS. One stat."""
    if not is_on(settings):
        return False
    try:
        return not 0 <= time.time() - os.stat(_seen_path(folder)).st_mtime < RUN_SECONDS
    except OSError:
        return True


def outlook(
    folder: DataFolder, projects_dir: str, settings: dict[str, Any], connection: sqlite3.Connection
) -> Outlook | None:
    """What the settings let go now and soon; None where they are off. Nothing is written.

    projects_dir: Claude Code's transcripts, which say what is not archived to its end. connection: to the mirror.
    Raises sqlite3.Error.
    """
    if not is_on(settings):
        return None
    now = time.time()
    found = Outlook(settings["transcripts_keep_days"], settings["transcripts_keep_mb"])
    places = [session_place.place_of(folder, *item) for item in session_place.grouped(folder).items()]
    places.sort(key=lambda one: (one.ended_ns, one.session_id))
    found.total = sum(one.size for one in places)
    found.newest = _newest_if_ahead(folder, projects_dir, connection, places, now)
    pinned = _unfinished(folder, projects_dir) | running(folder)
    free = [
        one for one in places if one.archive_size is not None and one.session_id not in pinned and _age(one, now) > DAY
    ]
    if found.days:
        limit = found.days * DAY
        found.due = [one for one in free if _age(one, now) > limit]
        later = [one for one in free if limit - SOON_DAYS * DAY < _age(one, now) <= limit]
        found.soon = [(one, one.ended_ns / 1e9 + limit) for one in later]
    if found.megabytes:
        _by_size(found, folder, connection, free, now)
    found.starts_at = _starts_at(folder, found, now)
    return found


def _newest_if_ahead(
    folder: DataFolder, projects_dir: str, connection: sqlite3.Connection, places: list[Place], now: float
) -> float | None:
    """When the newest thing known is of, where the clock is AHEAD_SECONDS ahead of it; else None.

    What lies in the future says nothing of this clock. Known are transcripts, here and in Claude Code's folder,
    memories, and the last sync that looked at the settings; where there was none, the next waits a day anyway.
    """
    try:
        looked = os.stat(_seen_path(folder)).st_mtime
    except OSError:
        return None
    times = [looked]
    times += [place.ended_ns / 1e9 for place in places]
    times += [source.mtime_ns / 1e9 for source in transcripts.iter_sources(projects_dir)]
    (stored,) = connection.execute(
        "SELECT max(created_at) FROM memory WHERE created_at <= ?", (clock.format_time(now),)
    ).fetchone()
    times.append(float(clock.parse_time(stored) or 0))
    newest = max((one for one in times if one <= now + DAY), default=0.0)
    return newest if 0 < newest < now - AHEAD_SECONDS else None


def _age(place: Place, now: float) -> float:
    """Seconds since a session's end; below 0 for one in the future, which is not old."""
    return now - place.ended_ns / 1e9


def _by_size(found: Outlook, folder: DataFolder, connection: sqlite3.Connection, free: list[Place], now: float) -> None:
    """Add to what is due until the rest fits."""
    excess = found.total - found.due_bytes - found.megabytes * MEGABYTE
    if excess <= 0:
        return
    due = {one.session_id for one in found.due}
    is_covered = _coverage(folder, connection)
    rest = [one for one in free if one.session_id not in due]
    covered = [one for one in rest if is_covered(one)]
    lacking = [one for one in rest if not is_covered(one)]
    if found.days:
        lacking = [one for one in lacking if _age(one, now) > found.days * DAY]
    for one in [*covered, *lacking]:
        if excess <= 0:
            break
        found.due.append(one)
        excess -= one.size
    found.over = max(excess, 0)
    chosen = {one.session_id for one in found.due}
    found.soon = [(one, at) for one, at in found.soon if one.session_id not in chosen]


def _coverage(folder: DataFolder, connection: sqlite3.Connection) -> Callable[[Place], bool]:
    """Whether a session is in an active narrative as far as it goes, or is a `claude -p` run, which need not be."""
    from memories.core.coverage import Narrative

    sql = "SELECT session_id FROM memory WHERE type = 'session_log' AND one_shot = 1"
    one_shots = {session_id for (session_id,) in connection.execute(sql)}
    read: dict[str, float] = {}
    for (uuid,) in connection.execute(
        "SELECT uuid FROM memory WHERE type = 'narrative' AND status = 'active'"
    ).fetchall():
        try:
            narrative = Narrative(records.load(folder, uuid), [])
        except LLMMemoryError:
            continue
        for ref in narrative.refs:
            read[ref] = max(read.get(ref, 0), narrative.sizes.get(ref, float("inf")))

    def is_covered(place: Place) -> bool:
        return place.session_id in one_shots or (place.archive_size or 0) <= read.get(place.session_id, -1)

    return is_covered


def running(folder: DataFolder) -> set[str]:
    """The sessions that clients which are alive on this machine run, as session_start noted them."""
    from memories.core import state

    names = [entry.name for entry in files.entries(os.path.join(folder.state, "clients"))]
    alive = [int(name) for name in names if name.isdigit() and files.process_alive(int(name))]
    return {session_id for pid in alive if (session_id := state.client_session(folder, pid)) is not None}


def _unfinished(folder: DataFolder, projects_dir: str) -> set[str]:
    """Sessions of which Claude Code has more than the archive."""
    states = transcripts.archived_states(folder)
    return {
        source.session_id
        for source in transcripts.iter_sources(projects_dir)
        if source.session_id in states
        and not transcripts.is_archived(folder, source, states)
        and not transcripts.is_held(folder, source, states)
    }


def run(
    folder: DataFolder,
    projects_dir: str,
    settings: dict[str, Any],
    connection: sqlite3.Connection,
    *,
    at_once: bool = False,
    trust_clock: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LetGo | None:
    """Let go what is due; None where the settings are off. The index follows with conversation_index.update.

    at_once: also within GRACE_SECONDS of the settings' being first seen, as somebody asked for it. trust_clock: also
    where the clock is far ahead of all that is known, as somebody said that it is right. progress(done, total). Raises
    sqlite3.Error, StorageError, LockTimeoutError, OSError; what was let go before is marked and whole.
    """
    found = outlook(folder, projects_dir, settings, connection)
    if found is None:
        files.remove_quietly(_seen_path(folder))  # switched off: switched on again, it waits again
        return None
    result = LetGo(found)
    _note_seen(folder, found, trust_clock=trust_clock)
    if found.newest is not None and not trust_clock:
        return result
    if not found.due or (found.starts_at is not None and not at_once):
        return result
    with FileLock(os.path.join(folder.state, "merge.lock"), _MERGE_WAIT_SECONDS):
        for done, place in enumerate(found.due, 1):
            now = session_place.place_of(folder, place.session_id, place.names)
            if (now.ended_ns, now.size) == (place.ended_ns, place.size):  # else it went on meanwhile
                result.left += forgetting.let_go(folder, place.session_id, place.names, place.ended_ns)
                result.sessions.append(place)
            if progress is not None:
                progress(done, len(found.due))
    return result


def _seen_path(folder: DataFolder) -> str:
    return os.path.join(folder.state, "retention-seen")


def _seen(folder: DataFolder) -> tuple[int, int, float] | None:
    """(days, MB, Unix seconds since when a setting at least as strict is known), as the last sync noted it."""
    try:
        with files.open_plain(_seen_path(folder)) as file:
            value = json.loads(file.read(1000))
        return int(value["days"]), int(value["mb"]), float(value["since"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _since(folder: DataFolder, found: Outlook, now: float) -> float:
    """Since when the settings are known to be so strict; now where one of them is stricter than was seen, or the clock
    is not believed: when it is again, there is a day to see what goes."""
    seen = _seen(folder)
    if seen is None or not 0 <= seen[2] <= now or found.newest is not None:
        return now
    pairs = ((found.days, seen[0]), (found.megabytes, seen[1]))
    stricter = any(new and (not old or new < old) for new, old in pairs)
    return now if stricter else seen[2]


def _starts_at(folder: DataFolder, found: Outlook, now: float) -> float | None:
    begins = _since(folder, found, now) + GRACE_SECONDS
    return begins if begins > now else None


def _note_seen(folder: DataFolder, found: Outlook, *, trust_clock: bool) -> None:
    since = _since(folder, found, time.time())
    value = {"days": found.days, "mb": found.megabytes, "since": since}
    files.write_atomic(_seen_path(folder), json.dumps(value).encode("ascii"), durable=False)
    if found.newest is not None and not trust_clock:
        os.utime(_seen_path(folder), (found.newest, found.newest))  # this look says nothing of the time
