"""A whole sync: temp files of dead processes swept, copies merged that a file sync left, transcripts archived and
logged, Claude's auto memory mirrored, the index brought up to date, conversations included; what is forgotten removed,
and what the retention settings let go."""

from __future__ import annotations

import os
import sqlite3

from memories.core import (
    auto_memory,
    bundle_staging,
    conversation_index,
    files,
    forgetting,
    merge_copies,
    mirror,
    other_mirrors,
    retention,
    state,
    sweep,
)
from memories.core.errors import LLMMemoryError, LockTimeoutError, StorageError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from memories.core.paths import DataFolder

    Progress = Callable[[str, int, int], None]

MIRROR_WAIT_SECONDS = 60.0
"""How long a sync waits at least for whoever updates the mirror: it has new session logs to bring in."""


class SyncResult:
    """swept: the sweep's result, None where transcripts were left alone. merged: what became of the copies that a file
    sync left. mirrored: the mirror update's. indexed: the conversations' update's, None where another process was at
    it. let_go: what the retention settings let go, None where they are off or could not be followed. forgotten: the
    rest of what forgotten sessions had. remembered: what became of Claude's auto memory, None where it was left alone.
    problems: what kept one of these three, or masking, from being done, in words."""

    __slots__ = ("forgotten", "indexed", "let_go", "merged", "mirrored", "problems", "remembered", "swept")

    def __init__(
        self,
        swept: sweep.SweepResult | None,
        merged: merge_copies.MergeResult,
        mirrored: mirror.UpdateResult,
        indexed: conversation_index.IndexResult | None,
    ) -> None:
        self.let_go: retention.LetGo | None = None
        self.forgotten: forgetting.Removed | None = None
        self.remembered: auto_memory.Settled | None = None
        self.problems: list[str] = []
        self.swept = swept
        self.merged = merged
        self.mirrored = mirrored
        self.indexed = indexed


def run(
    folder: DataFolder,
    projects_dir: str | None,
    settings: dict[str, Any],
    *,
    wait_seconds: float,
    progress: Progress | None = None,
    rebuild: bool = False,
    shipped_rules: Callable[[], Sequence[str]] = tuple,
) -> SyncResult:
    """Bring everything up to date; complete when it returns.

    projects_dir: Claude Code's transcripts; None leaves them alone. wait_seconds: how long to wait for another process.
    progress(what, done, total). shipped_rules: as merge_copies.run takes it. Raises LockTimeoutError, StorageError.
    """
    try:
        folder.create()
    except OSError as error:
        raise StorageError(
            f"Cannot make {folder.root}: {error.strerror}. Check LLM_MEMORY_HOME and the disk."
        ) from error
    with FileLock(os.path.join(folder.state, "sync.lock"), wait_seconds):
        _tidy(folder)
        # Before the sweep: it logs a session that the archive does not hold yet, and a copy may be what holds it. None
        # of what stands before it raises where a disk refuses: transcripts are archived whatever else is wrong.
        merged = merge_copies.run(
            folder,
            shipped_rules=shipped_rules,
            wait_seconds=MIRROR_WAIT_SECONDS,
            progress=_named(progress, "merging"),
        )
        swept = remembered = None
        problems: list[str] = []
        if projects_dir is not None:
            swept = sweep.sweep(folder, projects_dir, settings, progress=_named(progress, "transcripts"), thorough=True)
            remembered = _remember(folder, projects_dir, settings, problems)
        wait = max(wait_seconds, MIRROR_WAIT_SECONDS)
        mirrored = mirror.update(folder, wait_seconds=wait, progress=_named(progress, "records"), rebuild=rebuild)
        result = SyncResult(swept, merged, mirrored, None)
        result.remembered = remembered
        result.problems += problems
        _mask(folder, settings, result, _named(progress, "masking"))
        if projects_dir is not None:
            _let_go(folder, projects_dir, settings, result, _named(progress, "retention"))
        result.indexed = _index_conversations(folder, wait_seconds, _named(progress, "conversations"))
        _forget(folder, result)
    return result


def _tidy(folder: DataFolder) -> None:
    """What ended processes and other versions left behind."""
    for place in (folder.trash, folder.transcripts, folder.config, folder.state):
        files.sweep_temp_files(place, below=True)
    state.drop_old_sessions(folder)
    bundle_staging.sweep(folder)
    other_mirrors.drop_unused(folder)


def _remember(
    folder: DataFolder, projects_dir: str, settings: dict[str, Any], problems: list[str]
) -> auto_memory.Settled | None:
    """Mirror Claude's auto memory; what keeps it from that is named."""
    try:
        done = auto_memory.settle(folder, projects_dir, settings)
    except (LLMMemoryError, OSError) as error:
        problems.append(f"Claude's auto memory was not mirrored: {error}")
        return None
    problems += [f"Claude's auto memory: {problem}" for problem in done.problems]
    return done


def _mask(
    folder: DataFolder,
    settings: dict[str, Any],
    result: SyncResult,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Mask what came raw into an archive that is to be masked; what keeps it from that is named."""
    if not settings.get("redact_transcripts"):
        return
    from memories.core import masked_again  # for those who asked for it

    try:
        left = masked_again.run(folder, settings, progress=progress)
    except (LLMMemoryError, OSError) as error:
        result.problems.append(f"The archive may hold secrets: {error}")
        return
    result.problems += [f"Not masked: {path}: {reason}" for path, reason in left]


def _let_go(
    folder: DataFolder,
    projects_dir: str,
    settings: dict[str, Any],
    result: SyncResult,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Follow the retention settings; what keeps it from that is named, and the next sync tries again."""
    if not retention.is_on(settings) and not retention.was_on(folder):
        return
    try:
        connection = mirror.connect(folder.mirror)
        try:
            result.let_go = retention.run(folder, projects_dir, settings, connection, progress=progress)
        finally:
            connection.close()
    except (LLMMemoryError, OSError, sqlite3.Error) as error:
        result.problems.append(f"Nothing was let go by the retention settings: {error}")


def _forget(folder: DataFolder, result: SyncResult) -> None:
    """Finish what marks of forgotten sessions ask for; what keeps it from that is named."""
    try:
        result.forgotten = forgetting.finish(folder)
    except (LLMMemoryError, OSError) as error:
        result.problems.append(f"Forgotten sessions may still be in the index: {error}")


def _index_conversations(
    folder: DataFolder, wait_seconds: float, progress: Callable[[int, int], None] | None
) -> conversation_index.IndexResult | None:
    try:
        return conversation_index.update(folder, wait_seconds=wait_seconds, progress=progress)
    except LockTimeoutError:
        return None


def _named(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)
