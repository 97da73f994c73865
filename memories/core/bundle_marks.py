"""The marks of sessions that must not come back (forgotten.py) in a bundle, and what an import leaves out for them."""

from __future__ import annotations

import os

from memories.core import bundle, forgotten, records, session_logs, session_place, transcripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from memories.core.bundle import Member
    from memories.core.paths import DataFolder


def time_of(path: str, name: str) -> int | None:
    """Up to when the session was let go that a mark is of, in nanoseconds; None for one that was forgotten for good.

    path: the mark's; name: its member's. Raises OSError.
    """
    mark = bundle.marked_session(name)
    return os.lstat(path).st_mtime_ns if mark is not None and mark[1] == forgotten.EXPIRED else None


class Marks:
    """The marks of a data folder and of a bundle's members together. members: the bundle's marks -> whether each says
    what none here does; declined: those of them that are not taken."""

    __slots__ = ("_ended", "_folder", "_gone", "_logs", "_until", "declined", "members")

    def __init__(self, folder: DataFolder, members: list[Member]) -> None:
        self._folder = folder
        self._gone = set(forgotten.of_kind(folder, forgotten.FORGOTTEN))
        self._until = {one: _here(folder, one) for one in forgotten.of_kind(folder, forgotten.EXPIRED)}
        self._ended: dict[str, int] = {}  # session -> when it was last written to, as the bundle has it
        self.members: dict[Member, bool] = {}
        self.declined: set[Member] = set()
        for member in members:
            mark = bundle.marked_session(member.name)
            if mark is not None:
                self.members[member] = self._add(*mark, member.mtime_ns or 0)
            elif member.kind == bundle.TRANSCRIPT:
                session_id = _session_of(member)
                self._ended[session_id] = max(member.mtime_ns or 0, self._ended.get(session_id, 0))
        self._logs = {session_logs.log_uuid(session_id): session_id for session_id in self._gone}

    def _add(self, session_id: str, kind: str, until: int) -> bool:
        """Count a mark of the bundle; whether it says more than what is here."""
        if kind == forgotten.FORGOTTEN:
            is_new = session_id not in self._gone
            self._gone.add(session_id)
        else:
            is_new = until > self._until.get(session_id, -1)
            self._until[session_id] = max(until, self._until.get(session_id, 0))
        return is_new

    @property
    def new(self) -> list[str]:
        """The sessions that only the bundle marks, or that it says were let go later."""
        return list(dict.fromkeys(session_id for _, session_id, _ in self._to_take()))

    def _to_take(self) -> list[tuple[Member, str, str]]:
        """The marks that only the bundle has: (member, session, kind)."""
        found = [(member, bundle.marked_session(member.name)) for member, is_new in self.members.items() if is_new]
        return [(member, *mark) for member, mark in found if mark is not None and member not in self.declined]

    def at_stake(self, projects_dir: str, logged: set[str]) -> list[str]:
        """The sessions of which a mark that only the bundle has would remove something here, or keep from the archive
        what Claude Code has; sorted.

        projects_dir: Claude Code's transcripts, "" to leave them out of it. logged: the sessions that have a log here.
        """
        taken = self._to_take()
        if not taken:
            return []
        archived = session_place.grouped(self._folder)
        sources: dict[str, int] = {}
        for source in transcripts.iter_sources(projects_dir) if projects_dir else ():
            sources[source.session_id] = min(source.mtime_ns, sources.get(source.session_id, source.mtime_ns))
        found = set()
        for member, session_id, kind in taken:
            if kind == forgotten.FORGOTTEN:
                is_here = session_id in archived or session_id in sources or session_id in logged
                is_here = is_here or _has_log(self._folder, session_id)
            else:
                ends = [sources[session_id]] if session_id in sources else []
                if session_id in archived:
                    place = session_place.place_of(self._folder, session_id, archived[session_id])
                    ends.append(place.ended_ns)
                is_here = any(end // 1000 <= (member.mtime_ns or 0) // 1000 for end in ends)
            if is_here:
                found.add(session_id)
        return sorted(found)

    def decline(self, session_ids: Iterable[str]) -> None:
        """Do not take the marks of these sessions that only the bundle has: what it holds of them may come."""
        chosen = set(session_ids)
        for member, session_id, kind in self._to_take():
            if session_id not in chosen:
                continue
            self.declined.add(member)
            if kind == forgotten.FORGOTTEN:
                self._gone.discard(session_id)
                self._logs.pop(session_logs.log_uuid(session_id), None)
            elif session_id in forgotten.of_kind(self._folder, kind):
                self._until[session_id] = _here(self._folder, session_id)
            else:
                self._until.pop(session_id, None)

    def make(self) -> None:
        """Mark here what only the bundle marks, before anything of these sessions could come. Raises StorageError,
        OSError."""
        for member, session_id, kind in self._to_take():
            forgotten.mark(self._folder, session_id, kind, member.mtime_ns)

    def session_of(self, member: Member) -> str:
        """The marked session that a file is of: its transcript or, where all of it was to go, its log; "" for a file
        that may come, as what went on after it was let go."""
        if member.kind in bundle.OF_RECORDS:
            return self._logs.get(bundle.uuid_of(member.name), "")
        session_id = _session_of(member) if member.kind == bundle.TRANSCRIPT else ""
        if session_id in self._gone:
            return session_id
        until = self._until.get(session_id)
        # Microseconds, as forgotten.kind_of compares.
        return session_id if until is not None and self._ended[session_id] // 1000 <= until // 1000 else ""


def _session_of(member: Member) -> str:
    return member.name.split("/")[1].removesuffix(transcripts.SUFFIX)


def _has_log(folder: DataFolder, session_id: str) -> bool:
    """Whether the session's own log is here, deleted or not."""
    uuid = session_logs.log_uuid(session_id)
    return os.path.lexists(records.record_path(folder, uuid)) or records.tombstone(folder, uuid) is not None


def _here(folder: DataFolder, session_id: str) -> int:
    try:
        return os.lstat(os.path.join(folder.trash, forgotten.EXPIRED, session_id)).st_mtime_ns
    except OSError:
        return 0  # gone since the listing
