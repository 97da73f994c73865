"""Settling a record: everything there is of one uuid in records/ and trash/ becomes one record or one tombstone.

That is the file itself, the copies that a file sync left beside it, its tombstone with that one's copies, and versions
that an import brings. record_merge.py has the rules. Nothing unreadable is touched.

What is kept beside is written first, then the file, and only then what it took the place of is removed: a process that
dies anywhere in between leaves files from which the next settling comes to the same end.

The file is written anew even where a copy adds nothing to it. The other machine may already have put another version in
its place there, having moved ours aside as this copy: unless ours counts as changed since, its file sync would let that
version overwrite ours here, and our removal of the copy take away the only other place where its content is.
"""

from __future__ import annotations

import os

from memories.core import copies, files, record_merge, records
from memories.core.errors import InvalidRecordError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from memories.core.paths import DataFolder

    Record = dict[str, Any]
    Beside = Mapping[str, tuple[list[str], list[str]]]

_STEM = 32
"""Characters of a record's file name before `.json`."""


def find(folder: DataFolder) -> dict[str, tuple[list[str], list[str]]]:
    """Uuids that want settling -> names of copies in records/ and in trash/, by a listing of each.

    Those with copies, and those with both a record file and a tombstone, for which both lists are empty. Raises
    StorageError where a folder cannot be read.
    """
    found: dict[str, tuple[list[str], list[str]]] = {}
    listed = [_names(path) for path in (folder.records, folder.trash)]
    for place, names in enumerate(listed):
        for name in names:
            if name[_STEM:] == ".json":
                continue  # a record's own file, of which there may be 100,000
            original = copies.original_name(name) or ""
            if original[_STEM:] == ".json" and records.is_uuid(original[:_STEM]):
                found.setdefault(original[:_STEM], ([], []))[place].append(name)
    for name in set(listed[1]).intersection(listed[0]):
        if name[_STEM:] == ".json" and records.is_uuid(name[:_STEM]):
            found.setdefault(name[:_STEM], ([], []))
    return found


def settle(
    folder: DataFolder,
    uuid: str,
    *,
    brought: Sequence[bytes] = (),
    brought_deleted: Sequence[bytes] = (),
    beside: Beside | None = None,
) -> copies.Outcome:
    """Make one record or one tombstone of everything there is of a uuid; contents that lose are kept (Outcome.kept).

    brought, brought_deleted: other versions as a record's and a tombstone's file bytes. beside: what find() gave, to
    settle many uuids by one listing. A deletion prevails unless the last edit is later (records.stays_deleted). Where
    the record's or the tombstone's own file is unreadable, nothing is done: Outcome.left names it, also then.

    Raises InvalidRecordError for brought bytes that are not that record (nothing was done), LockTimeoutError, and
    StorageError where the disk refuses (nothing is lost; settle again).
    """
    records.record_path(folder, uuid)
    for data in brought:
        records.parse(data, uuid)
    for data in brought_deleted:
        records.parse_tombstone(data, uuid)
    with records.lock(folder):
        return settle_locked(folder, uuid, brought=brought, brought_deleted=brought_deleted, beside=beside)


def settle_locked(
    folder: DataFolder,
    uuid: str,
    *,
    brought: Sequence[bytes] = (),
    brought_deleted: Sequence[bytes] = (),
    beside: Beside | None = None,
) -> copies.Outcome:
    """What settle does, for a caller that holds records.lock and vouches for the bytes it brings."""
    names = find(folder) if beside is None else beside
    changed = False
    for _ in range(files.ATTEMPTS):
        outcome = copies.Outcome()
        try:
            folder.create()
            outcome.deleted = _settle(folder, uuid, names, (brought, brought_deleted), outcome)
        except files.ChangedMeanwhileError:
            changed = changed or outcome.changed
            continue
        except _LeftAloneError:
            pass  # outcome.left says why
        except OSError as error:
            raise StorageError(
                f"Cannot merge {uuid}: {error.strerror or error}. Check free space and permissions."
            ) from error
        outcome.changed = outcome.changed or changed
        return outcome
    outcome.left.append((f"records/{uuid}.json", "it is being written all the time; the next sync tries again"))
    return outcome


class _LeftAloneError(Exception):
    """A uuid cannot be settled as it is, and nothing of it was touched."""


class _Side:
    """A uuid's versions in one folder. seen, current: the file itself and its bytes, None without one, when read;
    copies: readable copies, likewise; texts: distinct bytes; versions: the records in them; backups: what
    the file was before an edit by hand; broken: the file itself is unreadable."""

    __slots__ = ("backups", "broken", "copies", "current", "seen", "texts", "versions")

    def __init__(self, path: str) -> None:
        self.seen = files.Seen(path, None)
        self.current: bytes | None = None
        self.copies: list[files.Seen] = []
        self.texts: list[bytes] = []
        self.versions: list[Record] = []
        self.backups: list[Record] = []
        self.broken = False

    def add(self, data: bytes, record: Record) -> None:
        """Note a version, once."""
        if data not in self.texts:
            self.texts.append(data)
            self.versions.append(record)

    def read(
        self, uuid: str, names: Sequence[str], parse: Callable[[bytes, str], Record], left: list[tuple[str, str]]
    ) -> None:
        """Read the file and its copies; what cannot be read is named in left."""
        own = self.seen.path
        place = os.path.dirname(own)
        for path in (own, *(os.path.join(place, name) for name in names)):
            try:
                data, found = records.read_file(path)
                record = parse(data, uuid)
            except FileNotFoundError:
                continue  # merged or renamed since the listing
            except (InvalidRecordError, OSError) as error:
                reason = str(error) if isinstance(error, InvalidRecordError) else error.strerror or str(error)
                left.append((f"{os.path.basename(place)}/{os.path.basename(path)}", reason))
                self.broken = self.broken or path == own
                continue
            if path == own:
                self.seen, self.current = files.Seen(path, found), data
            else:
                self.copies.append(files.Seen(path, found))
                if path.endswith("~") and self.current is not None and _is_before(record, self.versions[0]):
                    self.backups.append(record)
                    continue
            self.add(data, record)


def _remove(merged: Sequence[files.Seen]) -> None:
    """Unlink files that were merged. Raises files.ChangedMeanwhileError at one that is not what was read."""
    for seen in merged:
        seen.remove()
    for place in {os.path.dirname(seen.path) for seen in merged}:
        files.fsync_folder(place)


def _settle(
    folder: DataFolder,
    uuid: str,
    beside: Beside,
    brought: tuple[Sequence[bytes], Sequence[bytes]],
    outcome: copies.Outcome,
) -> bool:
    """Settle one uuid into outcome; whether it is deleted now. Raises _LeftAloneError, files.ChangedMeanwhileError."""
    path = records.record_path(folder, uuid)
    alive, dead = _Side(path), _Side(records.trash_path(folder, uuid))
    parsers = (records.parse, records.parse_tombstone)
    for side, names, parse, others in zip((alive, dead), beside.get(uuid, ([], [])), parsers, brought, strict=True):
        side.read(uuid, names, parse, outcome.left)
        for data in others:
            side.add(data, parse(data, uuid))
    if alive.broken or dead.broken:
        raise _LeftAloneError
    if not alive.versions and not dead.versions:
        return False
    try:
        winner, merged, data = _outcome_of(alive, dead)
    except RecursionError:
        outcome.left.append((f"records/{uuid}.json", "nested too deeply to be merged"))
        raise _LeftAloneError from None
    if len(data) > records.MAX_RECORD_BYTES:
        outcome.left.append((f"records/{uuid}.json", f"merged it would be too large for a record: {len(data):,} bytes"))
        raise _LeftAloneError
    for kept in merged.kept:
        _keep(folder, kept, merged.record if winner is dead else None, beside, outcome)
    loser = alive if winner is dead else dead
    beaten = [*loser.copies, *([loser.seen] if loser.seen.is_there else [])]
    if data != winner.current or winner.copies or beaten:
        outcome.changed = True
        # Also where the bytes stay: as a change that a file sync sees.
        files.write_atomic(winner.seen.path, data, unchanged=[winner.seen])
        _remove(winner.copies)
        _remove(beaten)
    return winner is dead


def _outcome_of(alive: _Side, dead: _Side) -> tuple[_Side, record_merge.Merged, bytes]:
    """The side that prevails, what it comes to, and its file's bytes: those that it has, where it gains nothing."""
    both = {side: record_merge.merge(side.versions).record for side in (alive, dead) if side.versions}
    if len(both) > 1:
        winner = dead if records.stays_deleted(both[alive], both[dead]) else alive
    else:
        (winner,) = both
    merged = record_merge.prevail(both[winner], [*alive.versions, *dead.versions, *alive.backups, *dead.backups])
    gains = len(winner.texts) > 1 or _differ(merged.record, winner.versions[0])
    return winner, merged, records.dump(merged.record) if gains else winner.texts[0]


def _is_before(backup: Record, current: Record) -> bool:
    """Whether a backup (`x~`) is the version that somebody edited by hand: no tool made the edit, as the times are the
    same. It keeps its content; were it merged, chance would say which of the two is the record."""
    return records.last_edit(backup) == records.last_edit(current) and backup.get("origin") == current.get("origin")


def _differ(one: Record, other: Record) -> bool:
    return record_merge.canonical(one) != record_merge.canonical(other)


def _keep(folder: DataFolder, kept: Record, grave: Record | None, beside: Beside, outcome: copies.Outcome) -> None:
    """Join a content that lost with what is under its uuid on disk; deleted with its record where that is (grave)."""
    if grave is None:
        brought: tuple[list[bytes], list[bytes]] = ([records.dump(kept)], [])
    else:
        brought = ([], [records.dump({**kept, "deleted_at": grave["deleted_at"]})])
    _settle(folder, kept["uuid"], beside, brought, outcome)
    outcome.kept.append(kept["uuid"])


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from error
