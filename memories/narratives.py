"""A project's narrative with all its versions: how they follow one another, and what changed between two of them."""

from __future__ import annotations

from memories import selectors
from memories.core import budget, clock, coverage, records, redaction, scope
from memories.core.errors import LLMMemoryError, RecordNotFoundError
from memories.memory_rows import AMONG, listed, uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.narrative_changes import Changes

CONTEXT_LINES = 3
MIN_PREFIX = 6
"""Hex digits of a version's uuid that name it."""

SHOWN_DIGITS = 8

_SUPERSEDES = (
    f"SELECT to_uuid FROM link WHERE relationship = 'supersedes' AND from_uuid {AMONG} "
    f"UNION SELECT from_uuid FROM link WHERE relationship = 'supersedes' AND to_uuid {AMONG}"
)


class Version:
    """One version of a narrative.

    created_at: a record's time. tokens: about how long it is. sessions: how many it was written from. machine: where it
    was written, "" where that is not known. accepted: entries of the one before that it leaves out on purpose. state:
    `current`, `earlier`, `fork` (active beside the current one, to be merged) or `merged fork`. before: uuids of the
    versions that it replaced, the latest first.
    """

    __slots__ = ("accepted", "before", "content", "created_at", "machine", "sessions", "state", "tokens", "uuid")

    def __init__(self, record: dict[str, Any], state: str, before: list[str]) -> None:
        accepted, machine = record.get("accepted_losses"), record.get("origin")
        self.uuid: str = record["uuid"]
        self.created_at = clock.normalise_time(record["created_at"]) or ""
        self.content: str = record["content"]
        self.tokens = budget.tokens(self.content)
        self.sessions = len(records.session_refs(record.get("transcript_ref")))
        self.machine = machine if isinstance(machine, str) else ""
        self.accepted = tuple(one for one in accepted if isinstance(one, str)) if isinstance(accepted, list) else ()
        self.state = state
        self.before = tuple(before)

    def as_data(self) -> dict[str, Any]:
        """The version as JSON has it, without its text."""
        return {
            "uuid": self.uuid,
            "created_at": self.created_at,
            "state": self.state,
            "tokens": self.tokens,
            "sessions": self.sessions,
            "machine": self.machine or None,
            "accepted_losses": list(self.accepted),
            "supersedes": list(self.before),
        }


class Difference:
    """From an older version to a newer: what became of its entries, what was left out on purpose on the way, and the
    lines of a unified diff."""

    __slots__ = ("accepted", "changes", "lines", "new", "old")

    def __init__(
        self,
        old: Version,
        new: Version,
        changes: Changes,
        accepted: tuple[str, ...],
        lines: list[str],
    ) -> None:
        self.old, self.new, self.changes, self.accepted, self.lines = old, new, changes, accepted, lines

    def as_data(self) -> dict[str, Any]:
        """The difference as JSON has it."""
        accepted = {"accepted_losses": list(self.accepted)}
        return {
            "old": self.old.as_data(),
            "new": self.new.as_data(),
            "changes": self.changes.as_data() | accepted,
            "diff": "\n".join(self.lines),
        }


def history(folder: DataFolder, project: scope.Scope) -> list[Version]:
    """Every version that is here, newest first. Raises MirrorUnavailableError."""
    raw = selectors.mirror_connection(folder)
    found = _records(raw, folder, project)
    newest_first = sorted(found.values(), key=_age, reverse=True)
    before = _before(newest_first)
    shown = coverage.narrative(raw, folder, project)
    named = _states(newest_first, before, shown.uuid if shown else None)
    return [Version(record, named[record["uuid"]], before[record["uuid"]]) for record in newest_first]


def states(newest_first: list[dict[str, Any]], current: str | None) -> dict[str, str]:
    """Version.state of each of a project's narratives by uuid. Of a record's fields it reads uuid, created_at, status,
    archived_in and connections; current: the one that sessions are shown."""
    return _states(newest_first, _before(newest_first), current)


def _states(newest_first: list[dict[str, Any]], before: dict[str, list[str]], current: str | None) -> dict[str, str]:
    line = _line(current or (newest_first[0]["uuid"] if newest_first else None), before)
    followed = {uuid for olds in before.values() for uuid in olds}
    found = {}
    for record in newest_first:
        uuid = record["uuid"]
        if uuid == current:
            found[uuid] = "current"
        elif record.get("status") != "archived" and uuid not in followed:
            found[uuid] = "fork"
        else:
            found[uuid] = "earlier" if uuid in line else "merged fork"
    return found


def _age(record: dict[str, Any]) -> tuple[str, str]:
    return clock.normalise_time(record["created_at"]) or "", record["uuid"]


def _records(raw: sqlite3.Connection, folder: DataFolder, project: scope.Scope) -> dict[str, dict[str, Any]]:
    """The project's narratives, archived ones too, and those that they are linked with under another project's name."""
    redactor = redaction.of(folder)
    found: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    inside, values = project.sql()
    border = set(uuids(raw, f"{inside} AND memory.type = 'narrative'", values))
    while border:
        seen |= border
        for uuid in border:
            try:
                found[uuid] = redaction.load(folder, uuid, redactor)
            except LLMMemoryError:
                continue  # deleted, broken, or not synced yet
        linked = {uuid for (uuid,) in raw.execute(_SUPERSEDES, [listed(border)] * 2)}
        linked |= {*filter(records.is_uuid, (found[uuid].get("archived_in") for uuid in border if uuid in found))}
        border = set(uuids(raw, f"memory.uuid {AMONG} AND memory.type = 'narrative'", [listed(linked - seen)]))
    return found


def _before(newest_first: list[dict[str, Any]]) -> dict[str, list[str]]:
    """uuid -> uuids of the versions that it replaced, the latest first: by `supersedes`, by `archived_in`, and for an
    archived one that nothing here says more about, by time."""
    known = {record["uuid"] for record in newest_first}
    before: dict[str, list[str]] = {record["uuid"]: [] for record in newest_first}
    pairs = {
        (record["uuid"], to_uuid)
        for record in newest_first
        for to_uuid, relationship in records.valid_connections(record)
        if relationship == "supersedes" and to_uuid in known
    }
    pairs |= {(record["archived_in"], record["uuid"]) for record in newest_first if record.get("archived_in") in known}
    newer_of: dict[str, list[str]] = {}
    for new, old in sorted(pairs):
        newer_of.setdefault(old, []).append(new)
    for index, record in enumerate(newest_first):
        by_time = [newest_first[index - 1]["uuid"]] if index and record.get("status") == "archived" else []
        for new in newer_of.get(record["uuid"], by_time):
            before[new].append(record["uuid"])
    return before


def _line(start: str | None, before: dict[str, list[str]]) -> set[str]:
    """The versions that lead to one, each the latest that was replaced."""
    line: set[str] = set()
    while start is not None and start not in line:
        line.add(start)
        start = next(iter(before.get(start, ())), None)
    return line


def current_of(versions: list[Version]) -> Version | None:
    """The version that sessions are shown; None when all are archived, or there is none."""
    return next((one for one in versions if one.state == "current"), None)


def difference(versions: list[Version], uuid: str = "") -> Difference | None:
    """From the version before the current one, or from the one whose uuid begins with that, to the current one; None
    where the current one is the first. Raises RecordNotFoundError."""
    import difflib

    from memories import narrative_changes  # 30 ms of patterns

    new = current_of(versions)
    if new is None:
        raise RecordNotFoundError("There is no current narrative to compare with: --versions lists the earlier ones.")
    if not uuid and not new.before:
        return None
    old = _named(versions, uuid or new.before[0])
    names = [f"{one.uuid[:SHOWN_DIGITS]} {one.created_at}" for one in (old, new)]
    lines = difflib.unified_diff(
        old.content.splitlines(), new.content.splitlines(), names[0], names[1], n=CONTEXT_LINES, lineterm=""
    )
    changes = narrative_changes.changes(old.content, new.content)
    return Difference(old, new, changes, _accepted_between(versions, old, new), list(lines))


def _accepted_between(versions: list[Version], old: Version, new: Version) -> tuple[str, ...]:
    """What the newer version and those between left out on purpose, newest first."""
    way = [one for one in versions if one.state != "fork" and old.created_at < one.created_at <= new.created_at]
    return tuple(entry for one in way for entry in one.accepted)


def _named(versions: list[Version], uuid: str) -> Version:
    found = [one for one in versions if one.uuid.startswith(uuid.lower())] if len(uuid) >= MIN_PREFIX else []
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} versions begin with {uuid}" if found else f"No version of this narrative is {uuid[:40]!r}"
    raise RecordNotFoundError(
        f"{problem}: give a uuid that --versions lists, or its first {MIN_PREFIX} digits or more, after --diff; "
        "the project goes before it."
    )
