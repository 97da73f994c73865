"""Moving a record to trash/ and back, for records.delete and records.restore, which hold records.lock.

A file sync knows no lock of ours: what it puts in place of a file between our reading and our removing must survive.
"""

from __future__ import annotations

import os

from memories.core import clock, files, record_copies, records
from memories.core.errors import InvalidRecordError, RecordNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder


def bury(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Make a record its tombstone, which is returned. Raises what records.delete does, files.ChangedMeanwhileError."""
    _settle_both(folder, uuid)
    record, seen = records.load_seen(folder, uuid)
    record["deleted_at"] = records.time_after(records.last_edit(record))
    grave = records.trash_path(folder, uuid)
    # The tombstone first: a crash between the two leaves a record that its newer tombstone hides.
    files.write_atomic(grave, records.dump(record), unchanged=[files.Seen(grave, None), seen])
    _remove(folder, uuid, seen)
    return record


def dig_up(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Make a tombstone its record, which is returned. Raises what records.restore does, files.ChangedMeanwhileError."""
    _settle_both(folder, uuid)
    path = records.trash_path(folder, uuid)
    try:
        data, found = records.read_file(path)
        record = records.parse_tombstone(data, uuid)
    except (OSError, InvalidRecordError):
        raise RecordNotFoundError(
            f"{uuid} is not in {folder.trash}: `ls` that folder for what can be restored."
        ) from None
    seen = files.Seen(path, found)
    if "conflict_of" in record and record.get("status") == "archived":
        # A content that lost to a deletion: whoever restores it wants it as a memory, not as the past of one.
        record["status"] = "active"
        record.pop("archived_in", None)
    records.stamp(record, (clock.parse_time(record.pop("deleted_at")) or 0) + 1)
    records.save(folder, record, unchanged=[files.Seen(records.record_path(folder, uuid), None), seen])
    _remove(folder, uuid, seen)
    return record


def _remove(folder: DataFolder, uuid: str, seen: files.Seen) -> None:
    """Remove the one of a record and its tombstone that the other took the place of.

    What a file sync put there only now is merged with the other, as if it had come a moment later. Where the disk
    refuses, the later of the two hides the other, and the next sync tries again.
    """
    try:
        seen.remove()
        files.fsync_folder(os.path.dirname(seen.path))
    except files.ChangedMeanwhileError:
        _settle_both(folder, uuid)
    except OSError:
        pass


def _settle_both(folder: DataFolder, uuid: str) -> None:
    """Where a sync brought a record beside its tombstone: make one of them, before another takes the place of either.

    Raises InvalidRecordError where one of them is not readable, and what record_copies.settle raises.
    """
    if os.path.lexists(records.record_path(folder, uuid)) and os.path.lexists(records.trash_path(folder, uuid)):
        left = record_copies.settle_locked(folder, uuid, beside={}).left
        if left:
            raise InvalidRecordError(f"{left[0][0]} cannot be read: {left[0][1]} Repair the file or move it away.")
