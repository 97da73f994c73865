"""Merging what a file sync brought: every copy of a record, transcript, rules text or settings file into its original.

Needs no base version and no other machine: what is in the folder decides, so each machine comes to the same bytes
(record_copies, transcript_copies, config_copies say how). A folder without copies costs one listing of each place.
"""

from __future__ import annotations

import os

from memories.core import config_copies, forgetting, merge_log, record_copies, records, transcript_copies
from memories.core.errors import LLMMemoryError, LockTimeoutError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memories.core.copies import Outcome
    from memories.core.paths import DataFolder

    Progress = Callable[[int, int], None]

RECORD, TRANSCRIPT = "record", "transcript"
CONFIG_KINDS = {"CLAUDE.md": "rules", "settings.json": "settings"}
"""File in config/ -> what the merge log calls it."""

NOTED_AT_ONCE = 100
"""Merges that are noted in one go: each time writes the whole log anew, which a line at a time was a sixth of the time
that 10,000 merges take."""


class MergeResult:
    """What a run did. records, transcripts, config: how many files were merged; kept: ids and paths (below the data
    folder) of what is kept beside them; revived: uuids of records that another machine deleted and a later edit kept;
    left: (path or id, reason) of what could not be merged or looked at; forgotten: sessions of which something was
    removed because they are marked as forgotten or let go, here or on another machine; busy: another process was at it,
    so nothing was looked at."""

    __slots__ = ("busy", "config", "forgotten", "kept", "left", "records", "revived", "transcripts")

    def __init__(self) -> None:
        self.records = self.transcripts = self.config = self.forgotten = 0
        self.kept: list[str] = []
        self.revived: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.busy = False


def run(
    folder: DataFolder,
    *,
    shipped_rules: Callable[[], Sequence[str]],
    wait_seconds: float = 0.0,
    progress: Progress | None = None,
) -> MergeResult:
    """Merge every copy there is; what cannot be merged is left where it is and named, and stops nothing else. Before
    that, what another machine's marks say is forgotten is removed: nothing of it is merged.

    shipped_rules: gives the sha256 of every rules text that we shipped, oldest first; asked only where config/CLAUDE.md
    has a copy. wait_seconds: how long to wait for another process that merges. progress(done, total) counts files that
    have copies. Raises nothing for a disk that refuses: who calls it has other work to do, archiving before all.
    """
    result = MergeResult()
    try:
        if not os.path.isdir(folder.state):
            folder.create()
        with FileLock(os.path.join(folder.state, "merge.lock"), wait_seconds):
            _Run(folder, result, shipped_rules).run(progress)
    except LockTimeoutError:
        result.busy = True
    except (LLMMemoryError, OSError) as error:
        result.left.append(("state/merge.lock", _said(error)))
    return result


class _Run:
    """One run, by whoever holds the lock."""

    def __init__(self, folder: DataFolder, result: MergeResult, shipped_rules: Callable[[], Sequence[str]]) -> None:
        self._folder = folder
        self._result = result
        self._shipped_rules = shipped_rules
        self._beside: dict[str, tuple[list[str], list[str]]] = {}
        self._merges: list[tuple[str, str, list[str]]] = []  # not in the log yet

    def run(self, progress: Progress | None) -> None:
        """Find what has copies, each kind on its own, and merge it."""
        folder = self._folder
        self._forget()
        found = [(RECORD, uuid) for uuid in self._found(("records", "trash"), self._find_records)]
        found += [
            (TRANSCRIPT, path) for path in self._found(("transcripts",), lambda: transcript_copies.with_copies(folder))
        ]
        found += [
            (CONFIG_KINDS.get(name, "config"), name)
            for name in self._found(("config",), lambda: config_copies.with_copies(folder))
        ]
        try:
            for done, (kind, name) in enumerate(found, 1):
                self._merge(kind, name)
                if len(self._merges) >= NOTED_AT_ONCE:
                    self._note()
                if progress is not None:
                    progress(done, len(found))
        finally:
            self._note()

    def _forget(self) -> None:
        """Carry out the marks that are there; what is in the way of that is named."""
        try:
            removed = forgetting.enforce(self._folder)
        except (LLMMemoryError, OSError) as error:
            self._result.left.append(("trash", _said(error)))
            return
        self._result.forgotten = len(removed.sessions)
        self._result.left += removed.left

    def _find_records(self) -> list[str]:
        self._beside = record_copies.find(self._folder)
        return sorted(self._beside)

    def _found(self, places: Iterable[str], find: Callable[[], list[str]]) -> list[str]:
        """What find gives; where one of the folders that it looks into cannot be read, nothing, and that is named."""
        before = len(self._result.left)
        for place in places:
            try:
                os.close(os.open(os.path.join(self._folder.root, place), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            except FileNotFoundError:
                pass  # nothing to merge there
            except OSError as error:
                self._result.left.append((place, f"cannot be read ({error.strerror}): check its permissions"))
        if len(self._result.left) > before:
            return []
        try:
            return find()
        except (LLMMemoryError, OSError) as error:
            self._result.left.append((" and ".join(places), _said(error)))
            return []

    def _merge(self, kind: str, name: str) -> None:
        """Merge one file's copies."""
        result = self._result
        was_deleted = kind == RECORD and os.path.lexists(records.trash_path(self._folder, name))
        try:
            outcome = self._settle(kind, name)
        except (LLMMemoryError, OSError) as error:
            result.left.append((name, _said(error)))
            return
        result.left += outcome.left
        if not outcome.changed:
            return
        result.kept += outcome.kept
        result.records += kind == RECORD
        result.transcripts += kind == TRANSCRIPT
        result.config += kind not in {RECORD, TRANSCRIPT}
        if was_deleted and not outcome.deleted:
            result.revived.append(name)
        self._merges.append((kind, name, outcome.kept))

    def _settle(self, kind: str, name: str) -> Outcome:
        if kind == RECORD:
            return record_copies.settle(self._folder, name, beside=self._beside)
        if kind == TRANSCRIPT:
            return transcript_copies.settle(self._folder, name)
        return config_copies.settle(self._folder, name, self._shipped_rules())

    def _note(self) -> None:
        """Note the merges that wait in the log. Those of a process that is killed before are merged all the same, and
        what was kept of a record names the record itself."""
        merges, self._merges = self._merges, []
        try:
            if merges:
                merge_log.note_all(self._folder, merges)
        except (LLMMemoryError, OSError) as error:
            self._result.left.append(("state/merges.jsonl", _said(error)))


def _said(error: Exception) -> str:
    return f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
