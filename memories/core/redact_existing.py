"""Looking for secrets in what the data folder holds, by the present rules, and redacting them: `llm-memory redact`.

Records and tombstones get placeholders, through the locks and stamps of any edit, so that the other machines hear of
it; archived transcripts (where redact_transcripts is on) and this machine's logs get masks of the same size. What is
the user's own (the rules, versions of them that merging kept) and what cannot be read as a record is named only.
Each file is done whole or not at all, and doing it again changes nothing: it may be stopped at any point.
"""

from __future__ import annotations

import json
import os

from memories.core import (
    files,
    masked_archive,
    merge_log,
    mirror_rows,
    records,
    redact,
)
from memories.core.errors import LLMMemoryError, StorageError
from memories.core.masking import Masker
from memories.core.transcripts import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor

    Progress = Callable[[str, int, int], None]

RECORD, TOMBSTONE, OTHER, TRANSCRIPT, LOG, OWN = "record", "deleted", "no record", "transcript", "log", "yours"
"""Kinds of findings. OTHER: what is in records/ or trash/ and cannot be read. OWN: the user's own; both are never
changed."""

LOGS = ("hooks.log", "hooks.log.1", "narrate.jsonl", "merges.jsonl")
"""This machine's logs, in state/."""

MARK = "redacted-transcripts"
"""File in state/: the fingerprint of the rules by which the last run found or left no secret in the archive."""


RENAME = "rename it there and where Claude Code keeps it, below its projects/, else it comes again"
FORGET = "what the client was started in tells where a session belongs; `llm-memory forget` removes all of it"
"""What can be done about what masks leave."""


class Finding:
    """A file that holds what looks like a secret.

    path: below the data folder. kind: one of the above. title: a record's, redacted. counts: rule -> how many. lines:
    (1-based line, rule) of each in a file of lines. is_done: whether it is redacted now.
    """

    __slots__ = ("counts", "is_done", "kind", "lines", "path", "title")

    def __init__(self, path: str, kind: str, counts: dict[str, int], *, title: str = "") -> None:
        self.path = path
        self.kind = kind
        self.title = title
        self.counts = counts
        self.lines: list[tuple[int, str]] = []
        self.is_done = False


class Rescan:
    """What a run found. looked: kind -> files looked at. findings: by kind, then path. unmasked: transcripts that hold
    secrets and stay as they are, since redact_transcripts is off. left: (path, reason) of what could not be read or
    redacted. kept: (path, what) of secrets that no run takes away: in names of files, in fields that are kept. Paths
    are redacted."""

    __slots__ = ("findings", "kept", "left", "looked", "unmasked")

    def __init__(self) -> None:
        self.looked: dict[str, int] = {}
        self.findings: list[Finding] = []
        self.unmasked: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.kept: list[tuple[str, str]] = []

    @property
    def is_empty(self) -> bool:
        """Whether no secret is left at all, as far as was looked."""
        return self.is_clean and not (self.unmasked or self.kept or any(not one.is_done for one in self.findings))

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to be done by a run that applies."""
        return not self.left and all(one.is_done or one.kind == OWN for one in self.findings)


def run(folder: DataFolder, settings: dict[str, Any], *, apply: bool, progress: Progress | None = None) -> Rescan:
    """Look at everything; with apply, redact what is found.

    settings: as read_settings gives them. progress(what, done, total). What fails for one file is in left. Before it,
    merge what a file sync brought (merge_copies); after it, bring the mirror up to date and scrub it.
    """
    redactor = redact.redactor(settings)
    return _Run(folder, redactor, apply=apply, progress=progress).run(masks=bool(settings["redact_transcripts"]))


class _Run:
    def __init__(self, folder: DataFolder, redactor: Redactor, *, apply: bool, progress: Progress | None) -> None:
        self._folder = folder
        self._redactor = redactor
        self._masker = Masker(redactor)
        self._apply = apply
        self._progress = progress
        self._changed: set[str] = set()
        self.result = Rescan()

    def run(self, *, masks: bool) -> Rescan:
        self._each("records", self._files_in(self._folder.records), self._look_at_record)
        self._each("deleted", self._files_in(self._folder.trash), self._look_at_tombstone)
        self._each("logs", self._logs(), self._look_at_log)
        self._each("rules", self._own(), self._look_at_own)
        archived = sorted(files_below(self._folder.transcripts))
        self._each("transcripts", archived, self._look_at_transcript if masks else self._look_at_unmasked)
        if masks:
            self._settle()
            self._note_transcripts()
        return self.result

    def _each(self, what: str, paths: list[str], look: Callable[[str], Finding | None]) -> None:
        for done, path in enumerate(paths, 1):
            try:
                finding = look(path)
                if finding is not None:
                    self.result.findings.append(finding)
            except FileNotFoundError:
                pass  # gone meanwhile
            except (LLMMemoryError, OSError) as error:
                self.result.left.append((self._relative(path), str(error)))
            if self._progress is not None:
                self._progress(what, done, len(paths))

    def _relative(self, path: str) -> str:
        return self._redactor.text(os.path.relpath(path, self._folder.root))

    def _files_in(self, place: str) -> list[str]:
        found = (one for one in files.entries(place) if not one.name.startswith("."))
        return sorted(one.path for one in found if one.is_file(follow_symlinks=False))

    def _count(self, kind: str) -> None:
        self.result.looked[kind] = self.result.looked.get(kind, 0) + 1

    def _look_at_record(self, path: str) -> Finding | None:
        self._count(RECORD)
        return self._look(path, RECORD, records.parse, lambda uuid: _redact_record(self._folder, uuid, self._redactor))

    def _look_at_tombstone(self, path: str) -> Finding | None:
        self._count(TOMBSTONE)
        return self._look(
            path, TOMBSTONE, records.parse_tombstone, lambda uuid: _redact_tombstone(self._folder, uuid, self._redactor)
        )

    def _look(
        self, path: str, kind: str, parse: Callable[[bytes, str], dict[str, Any]], change: Callable[[str], None]
    ) -> Finding | None:
        uuid = os.path.basename(path).removesuffix(".json")
        try:
            data, _ = records.read_file(path)
            record = parse(data, uuid)
        except LLMMemoryError:
            return self._found_in(path, OTHER)
        rules = self._redactor.record(record)
        if not rules:
            return None
        finding = Finding(self._relative(path), kind, _counted(records.parse(data, uuid), record, rules))
        finding.title = mirror_rows.title_of(record["content"], record["type"])
        if self._apply:
            change(uuid)
            finding.is_done = True
        return finding

    def _look_at_own(self, path: str) -> Finding | None:
        return self._found_in(path, OWN)

    def _look_at_log(self, path: str) -> Finding | None:
        self._count(LOG)
        finding = self._found_in(path, LOG)
        if finding is not None and self._apply:
            masked_archive.mask_in_place(path, self._masker)
            finding.is_done = True
        return finding

    def _look_at_transcript(self, path: str) -> Finding | None:
        self._count(TRANSCRIPT)
        self._note_kept(path)
        finding = self._found_in(path, TRANSCRIPT)
        if finding is not None and self._apply:
            masked_archive.mask_archived(path, self._masker)
            self._changed.add(os.path.relpath(path, self._folder.transcripts))
            finding.is_done = True
        return finding

    def _note_kept(self, path: str) -> None:
        """Note what masks leave: a file's name, and what the product reads a line by."""
        rules = {rule for _, _, rule in self._redactor.spans(os.path.relpath(path, self._folder.transcripts))}
        if rules:
            told = f"in the file's name, which is kept: {', '.join(sorted(rules))} ({RENAME})"
            self.result.kept.append((self._relative(path), told))
        if path.endswith(SUFFIX):
            fields: dict[str, set[str]] = {}
            for name, rule in masked_archive.kept_in(path, self._masker):
                fields.setdefault(name, set()).add(rule)
            for name, its in fields.items():
                told = f"in a field that is kept: {name}: {', '.join(sorted(its))} ({FORGET})"
                self.result.kept.append((self._relative(path), told))

    def _look_at_unmasked(self, path: str) -> None:
        self._count(TRANSCRIPT)
        self._note_kept(path)
        if any(masked_archive.secrets_in(path, self._masker)):
            self.result.unmasked.append(self._relative(path))

    def _found_in(self, path: str, kind: str) -> Finding | None:
        lines = list(masked_archive.secrets_in(path, self._masker))
        if not lines:
            return None
        counts: dict[str, int] = {}
        for _, rule in lines:
            counts[rule] = counts.get(rule, 0) + 1
        finding = Finding(self._relative(path), kind, counts)
        finding.lines = lines
        return finding

    def _logs(self) -> list[str]:
        paths = (os.path.join(self._folder.state, name) for name in LOGS)
        return [path for path in paths if os.path.isfile(path) and not os.path.islink(path)]

    def _own(self) -> list[str]:
        kept = self._files_in(os.path.join(self._folder.state, merge_log.MERGED))
        own = [path for path in self._files_in(self._folder.config) if path != self._folder.settings]
        return own + [path for path in kept if not path.endswith("settings.json")]  # which holds the user's patterns

    def _settle(self) -> None:
        """Versions that differed only in their secrets are one once these are masked."""
        from memories.core import masked_again

        for name in sorted(self._changed):
            self.result.left += masked_again.settle(self._folder, name)

    def _note_transcripts(self) -> None:
        transcripts_left = [path for path, _ in self.result.left if path.startswith("transcripts/")]
        found = [one for one in self.result.findings if one.kind == TRANSCRIPT and not one.is_done]
        if not transcripts_left and not found:
            note_masked(self._folder, self._redactor)


def note_masked(folder: DataFolder, redactor: Redactor) -> None:
    """Note for is_archive_redacted that no secret is left in the archive. Raises StorageError."""
    path, note = os.path.join(folder.state, MARK), str(redactor.fingerprint).encode("ascii")
    if not is_archive_redacted(folder, redactor):
        files.write_atomic(path, note, durable=False)


def is_archive_redacted(folder: DataFolder, redactor: Redactor) -> bool:
    """Whether a run has found or left no secret in the archive by these rules; what was archived since is masked."""
    try:
        with files.open_plain(os.path.join(folder.state, MARK)) as file:
            return file.read(20) == str(redactor.fingerprint).encode("ascii")
    except OSError:
        return False


def refresh_mirror(folder: DataFolder, *, wait_seconds: float, progress: Progress | None = None) -> bool:
    """Bring the mirror up to date and leave nothing of what was there before in its files; False where somebody who
    reads it keeps that from being done now. Raises LockTimeoutError, StorageError, MirrorUnavailableError."""
    import sqlite3

    from memories.core import conversation_index, mirror, other_mirrors, scrub

    def named(what: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, total: progress(what, done, total)

    mirror.update(folder, wait_seconds=wait_seconds, progress=named("index"))
    conversation_index.update(folder, wait_seconds=wait_seconds, progress=named("conversations"))
    other_mirrors.drop(folder)
    connection = mirror.connect(folder.mirror)
    try:
        return scrub.scrub(connection)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return False
        raise StorageError(f"The index cannot be written anew ({error}). Check free space, then try again.") from error
    finally:
        connection.close()


def _counted(before: dict[str, Any], after: dict[str, Any], rules: list[str]) -> dict[str, int]:
    """rule -> how many placeholders a record has more than before."""
    old, new = (json.dumps(one, ensure_ascii=False) for one in (before, after))
    return {rule: max(1, new.count(redact.placeholder(rule)) - old.count(redact.placeholder(rule))) for rule in rules}


def _redact_record(folder: DataFolder, uuid: str, redactor: Redactor) -> None:
    with records.lock(folder):
        records.update(folder, uuid, lambda record: bool(redactor.record(record)))


def _redact_tombstone(folder: DataFolder, uuid: str, redactor: Redactor) -> None:
    path = records.trash_path(folder, uuid)

    def attempt() -> None:
        data, found = records.read_file(path)
        grave = records.parse_tombstone(data, uuid)
        if redactor.record(grave):
            files.write_atomic(path, records.dump(grave), unchanged=[files.Seen(path, found)])

    with records.lock(folder):
        files.retried(path, attempt)


def files_below(place: str) -> Iterator[str]:
    """The path of every regular file below a folder, hidden ones excepted."""
    pending = [place]
    while pending:
        for entry in files.entries(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                yield entry.path
