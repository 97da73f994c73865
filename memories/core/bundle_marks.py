"""The marks of sessions that must not come back (forgotten.py) in a bundle, and what an import leaves out for them."""

from __future__ import annotations

import os

from memories.core import bundle, forgotten, session_logs, transcripts

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    what none here does."""

    __slots__ = ("_ended", "_folder", "_gone", "_logs", "_until", "members")

    def __init__(self, folder: DataFolder, members: list[Member]) -> None:
        self._folder = folder
        self._gone = set(forgotten.of_kind(folder, forgotten.FORGOTTEN))
        self._until = {one: _here(folder, one) for one in forgotten.of_kind(folder, forgotten.EXPIRED)}
        self._ended: dict[str, int] = {}  # session -> when it was last written to, as the bundle has it
        self.members: dict[Member, bool] = {}
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
        found = (bundle.marked_session(member.name) for member, is_new in self.members.items() if is_new)
        return [mark[0] for mark in found if mark is not None]

    def make(self) -> None:
        """Mark here what only the bundle marks, before anything of these sessions could come. Raises StorageError,
        OSError."""
        for member, is_new in self.members.items():
            mark = bundle.marked_session(member.name)
            if is_new and mark is not None:
                forgotten.mark(self._folder, *mark, member.mtime_ns)

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


def _here(folder: DataFolder, session_id: str) -> int:
    try:
        return os.lstat(os.path.join(folder.trash, forgotten.EXPIRED, session_id)).st_mtime_ns
    except OSError:
        return 0  # gone since the listing
