"""Merging what a file sync brought: every copy of a record, transcript, rules text or settings file into its original.

Needs no base version and no other machine: what is in the folder decides, so each machine comes to the same bytes
(record_copies, transcript_copies, config_copies say how). A folder without copies costs one listing of each place.
"""

from __future__ import annotations

import os

from memories.core import config_copies, merge_log, record_copies, records, transcript_copies
from memories.core.errors import LLMMemoryError, LockTimeoutError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memories.core.copies import Outcome
    from memories.core.paths import DataFolder

CONFIG_KINDS = {"CLAUDE.md": "rules", "settings.json": "settings"}
"""File in config/ -> what the merge log calls it."""


class MergeResult:
    """What a run did. records, transcripts, config: how many files were merged; kept: ids and paths (below the data
    folder) of what is kept beside them; revived: uuids of records that another machine deleted and a later edit kept;
    left: (path or id, reason) of copies that could not be merged; busy: another process was at it, so nothing was
    looked at."""

    __slots__ = ("busy", "config", "kept", "left", "records", "revived", "transcripts")

    def __init__(self) -> None:
        self.records = self.transcripts = self.config = 0
        self.kept: list[str] = []
        self.revived: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.busy = False


def run(folder: DataFolder, *, shipped_rules: Callable[[], Sequence[str]], wait_seconds: float = 0.0) -> MergeResult:
    """Merge every copy there is; what cannot be merged is left where it is and named, and stops nothing else.

    shipped_rules: gives the sha256 of every rules text that we shipped, oldest first; asked only where config/CLAUDE.md
    has a copy. wait_seconds: how long to wait for another process that merges. Raises StorageError where a folder
    cannot be read or state/ not be written.
    """
    result = MergeResult()
    if not os.path.isdir(folder.state):
        folder.create()
    try:
        with FileLock(os.path.join(folder.state, "merge.lock"), wait_seconds):
            _merge_records(folder, result)
            _merge_transcripts(folder, result)
            _merge_config(folder, result, shipped_rules)
    except LockTimeoutError:
        result.busy = True
    return result


def _merge_records(folder: DataFolder, result: MergeResult) -> None:
    found = record_copies.find(folder)

    def settle(uuid: str) -> Outcome:
        return record_copies.settle(folder, uuid, beside=found)

    for uuid in sorted(found):
        was_deleted = os.path.lexists(records.trash_path(folder, uuid))
        outcome = _settled(folder, result, "record", uuid, settle)
        if outcome is not None:
            result.records += 1
            if was_deleted and not outcome.deleted:
                result.revived.append(uuid)


def _merge_transcripts(folder: DataFolder, result: MergeResult) -> None:
    def settle(path: str) -> Outcome:
        return transcript_copies.settle(folder, path)

    for path in transcript_copies.with_copies(folder):
        result.transcripts += _settled(folder, result, "transcript", path, settle) is not None


def _merge_config(folder: DataFolder, result: MergeResult, shipped_rules: Callable[[], Sequence[str]]) -> None:
    def settle(name: str) -> Outcome:
        return config_copies.settle(folder, name, shipped_rules())

    for name in config_copies.with_copies(folder):
        kind = CONFIG_KINDS.get(name, "config")
        result.config += _settled(folder, result, kind, name, settle) is not None


def _settled(
    folder: DataFolder, result: MergeResult, kind: str, name: str, settle: Callable[[str], Outcome]
) -> Outcome | None:
    """Merge one file's copies and note it; None where nothing changed."""
    try:
        outcome = settle(name)
        result.left += outcome.left
        if not outcome.changed:
            return None
        result.kept += outcome.kept
        merge_log.note(folder, kind, name, outcome.kept)
    except LLMMemoryError as error:
        result.left.append((name, str(error)))
        return None
    except OSError as error:
        result.left.append((name, f"{error.strerror or error}"))
        return None
    return outcome
