"""Importing a bundle: verified from end to end before anything is touched, then merged file by file.

Each file goes where a file sync's copies go (record_copies, transcript_copies, config_copies), by the same rules: what
is there stays or joins, nothing is overwritten. Each of these steps is whole and may be repeated, so an import that was
killed is finished by running it again. What a record becomes before it is merged, bundle_records.py says; sessions that
are forgotten, here or in the bundle, stay out.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import stat

from memories.core import (
    bundle,
    bundle_marks,
    bundle_reading,
    bundle_records,
    bundle_staging,
    bundle_trial,
    config_copies,
    conversation_index,
    diverged,
    files,
    forgetting,
    merge_log,
    mirror,
    record_copies,
    transcript_copies,
    transcripts,
)
from memories.core.bundle import Member
from memories.core.bundle_reading import Reader
from memories.core.errors import BundleError, InvalidRecordError, MirrorUnavailableError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from memories.core.copies import Outcome
    from memories.core.paths import DataFolder

    Progress = Callable[[str, int, int], None]
    Agree = Callable[[list[str]], bool]

WAIT_SECONDS = 60.0
"""How long an import waits for another process that merges, or that updates the mirror."""

NEW, MERGED, SAME, LEFT, FORGOTTEN = "new", "merged", "same", "left", "forgotten"
_TRANSCRIPTS = "transcripts/"
_LOGGED = {bundle.RULES: "rules", bundle.SETTINGS: "settings"}
_BLOCKED = {
    errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ,
    errno.EXDEV,
}  # fmt: skip
"""What a disk answers where one file's place is taken, or where its name or folder will not do: the next may come."""


class ImportResult:
    """What an import did, or would do. counts: kind (bundle.KINDS) -> {new, merged, same, left, forgotten: files};
    kept: uuids and paths of what is kept beside because it differs; left: (path, reason) of what could not be merged;
    files and bytes: what the bundle holds; machine: who exported it; secrets: how many were replaced in records;
    forgotten: ids of the sessions whose files were left out because a mark says so; removed: of those of which what was
    here went, because a mark in the bundle says so; spared: of those whose mark in the bundle was not taken."""

    __slots__ = ("bytes", "counts", "files", "forgotten", "kept", "left", "machine", "removed", "secrets", "spared")

    def __init__(self) -> None:
        self.counts = {kind: dict.fromkeys((NEW, MERGED, SAME, LEFT, FORGOTTEN), 0) for kind in bundle.KINDS}
        self.kept: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.forgotten: set[str] = set()
        self.removed: list[str] = []
        self.spared: list[str] = []
        self.files = self.bytes = self.secrets = 0
        self.machine = ""


def run(
    folder: DataFolder,
    file: BinaryIO,
    *,
    shipped_rules: Callable[[], Sequence[str]],
    dry_run: bool = False,
    progress: Progress | None = None,
    projects_dir: str = "",
    agree: Agree | None = None,
) -> ImportResult:
    """Bring a bundle's files into the data folder and the mirror up to date.

    file: open in binary at the bundle's beginning; what cannot be read twice (a pipe) is kept beside meanwhile.
    shipped_rules: as in merge_copies.run. dry_run: the same answer, worked out in a scratch folder outside of the data
    folder. progress(what, done, total). agree(sessions): whether marks in the bundle may remove what is here of these
    sessions, which is asked before anything is touched; None: they may not. projects_dir: Claude Code's transcripts,
    which count as here; "" for none. Raises BundleError (nothing was touched), StorageError or LockTimeoutError
    (run it again: it goes on from what is there).
    """
    staging = ""
    try:
        staging = bundle_staging.scratch_folder() if dry_run else bundle_staging.staging_folder(folder)
        work = _Import(folder, staging, shipped_rules, progress, projects_dir, agree, dry_run=dry_run)
        result = work.run(file)
    except OSError as error:
        where = error.filename or folder.root
        raise StorageError(
            f"The import stopped: {where}: {error.strerror or error}. "
            "Check the disk, then run it again: it goes on from what is there."
        ) from error
    finally:
        if staging:
            bundle_staging.remove(staging)
            files.remove_quietly(bundle_staging.transcript_path(folder))
    if not dry_run:
        mirror.update(folder, wait_seconds=WAIT_SECONDS)
        if result.removed:
            conversation_index.update(folder, wait_seconds=WAIT_SECONDS)
            forgetting.finish(folder)
    return result


class _Import:
    """One run. place: the data folder that is merged into; a dry run's is a scratch folder."""

    def __init__(
        self,
        folder: DataFolder,
        staging: str,
        shipped_rules: Callable[[], Sequence[str]],
        progress: Progress | None,
        projects_dir: str,
        agree: Agree | None,
        *,
        dry_run: bool,
    ) -> None:
        self._folder = folder
        self._staging = staging
        self._shipped_rules = shipped_rules
        self._progress = progress
        self._projects_dir = projects_dir
        self._agree = agree
        self._may_go: set[str] = set()  # sessions of which marks in the bundle may remove what is here
        self._trial = bundle_trial.Trial(folder, os.path.join(staging, "trial")) if dry_run else None
        self._place = folder if self._trial is None else self._trial.place
        self._result = ImportResult()
        self._agreed: set[str] = set()  # transcripts that are here what they are in the bundle
        self._waiting: set[str] = set()  # transcripts with copies to be merged

    def run(self, file: BinaryIO) -> ImportResult:
        """Verify, then merge."""
        again = file if _is_plain(file) else bundle_staging.spool(self._staging, file)
        try:
            total = os.fstat(again.fileno()).st_size
            room = bundle_staging.room_on_disk(self._folder)
            manifest = bundle_reading.verify(again, room, self._told("verifying", total))
            again.seek(0)
            members = manifest.members
            self._result.machine = manifest.machine
            self._result.files = len(members)
            self._result.bytes = sum(member.size for member in members)
            at_stake = self._at_stake(bundle_marks.Marks(self._folder, members))
            if at_stake and self._agree is not None and self._agree(at_stake):
                self._may_go.update(at_stake)
            if self._trial is not None:
                self._merge_all(again, members)
            else:
                with FileLock(os.path.join(self._folder.state, "merge.lock"), WAIT_SECONDS):
                    self._merge_all(again, members)
            self._result.kept = list(dict.fromkeys(self._result.kept))
        finally:
            if again is not file:
                again.close()
        return self._result

    def _told(self, what: str, total: int) -> Callable[[int], None]:
        if self._progress is None:
            return lambda _: None
        tell = self._progress
        return lambda done: tell(what, done, max(total, done))

    def _merge_all(self, file: BinaryIO, members: list[Member]) -> None:
        reader = Reader(file)
        self._waiting = set(transcript_copies.with_copies(self._folder))
        copies_of = record_copies.find(self._folder)
        incoming = bundle_records.Incoming(self._folder, self._result.machine)
        marks = bundle_marks.Marks(self._folder, members)
        self._forget(marks)
        for done, member in enumerate(members, 1):
            if reader.next() != (member.name, member.size):
                raise BundleError(_CHANGED)
            if member.kind == bundle.MARK:
                pass  # the first thing that was done
            elif session_id := marks.session_of(member):
                self._result.forgotten.add(session_id)
                self._count(member, FORGOTTEN)
            elif self._is_there(member):
                self._agreed.add(member.name.removeprefix(_TRANSCRIPTS))
                self._count(member, SAME)
            elif member.kind == bundle.TRANSCRIPT:
                self._transcript(member, reader)
            else:
                self._small(member, reader.content(), copies_of, incoming)
            if self._progress is not None:
                self._progress("merging", done, len(members))

    def _is_there(self, member: Member) -> bool:
        """Whether the file holds these very bytes already: then nothing is gained."""
        paths = {os.path.join(root, member.name) for root in (self._folder.root, self._place.root)}
        return any(bundle_staging.digest_of(path, member.size) == member.sha256 for path in paths)

    def _at_stake(self, marks: bundle_marks.Marks) -> list[str]:
        return marks.at_stake(self._projects_dir, _logged(self._folder) if marks.new else set())

    def _forget(self, marks: bundle_marks.Marks) -> None:
        """Mark the sessions that the bundle says must not come back, and remove what is here of them, where that was
        agreed to."""
        at_stake = self._at_stake(marks)
        self._result.spared = [one for one in at_stake if one not in self._may_go]
        marks.decline(self._result.spared)
        for member, is_new in marks.members.items():
            self._count(member, LEFT if member in marks.declined else NEW if is_new else SAME)
        if not marks.new:
            return
        gone = set(at_stake) - set(self._result.spared)
        if self._trial is None:
            marks.make()
            removed = forgetting.enforce(self._folder)
            gone.update(removed.sessions)
            self._result.left += removed.left
        self._result.removed = sorted(gone)

    def _small(
        self, member: Member, data: bytes, copies_of: record_copies.Beside, incoming: bundle_records.Incoming
    ) -> None:
        """Merge a record, tombstone, rules text or settings file."""
        if hashlib.sha256(data).hexdigest() != member.sha256:
            raise BundleError(_CHANGED)
        if member.kind in bundle.OF_RECORDS:
            try:
                version = incoming.version(member, data)
            except InvalidRecordError as error:
                self._leave(member, str(error))
                return
            self._result.secrets += version.secrets
            if version.is_here:
                self._count(member, SAME)
                return
            data = version.data
        if self._trial is not None:
            self._trial.take_small(member, data)
        place, uuid, name = self._place, bundle.uuid_of(member.name), os.path.basename(member.name)
        if member.kind == bundle.RECORD:
            self._settle(member, uuid, lambda: record_copies.settle(place, uuid, brought=[data], beside=copies_of))
        elif member.kind == bundle.TOMBSTONE:
            self._settle(
                member, uuid, lambda: record_copies.settle(place, uuid, brought_deleted=[data], beside=copies_of)
            )
        else:
            self._settle(member, name, lambda: config_copies.settle(place, name, self._shipped_rules(), brought=data))

    def _transcript(self, member: Member, reader: Reader) -> None:
        """Bring a file of the archive, written under a temp name first."""
        relative = member.name.removeprefix(_TRANSCRIPTS)
        fits = self._fits_as_it_is(relative)
        if self._trial is not None:
            if fits:
                self._come(member, relative)  # spares a dry run writing it
                return
            self._trial.take_transcript(relative)
        staged = self._stage(member, reader)
        if fits and self._put(staged, relative):
            self._come(member, relative)
            return
        self._settle(member, relative, lambda: transcript_copies.settle(self._place, relative, brought=staged))
        if self._is_there(member):
            self._agreed.add(relative)

    def _put(self, staged: str, relative: str) -> bool:
        """Give a staged file its own name; False where its place is taken, or something came that it would meet: a
        session that runs may have been archived since the first look, and its file is never replaced."""
        target = os.path.join(self._place.transcripts, relative)
        try:
            make_private(os.path.dirname(target))
            if not self._fits_as_it_is(relative):
                return False
            diverged.set_aside(staged, target)  # a link, which replaces nothing, where there are links
        except OSError as error:
            if error.errno not in _BLOCKED:
                raise
            return False
        return True

    def _fits_as_it_is(self, relative: str) -> bool:
        """Whether a file of the archive comes under its own name, there being no other version that it would meet: a
        session of which nothing is here, or a version kept beside a file that is the bundle's own, so that what was the
        file there is the file here."""
        root = self._folder.transcripts
        parent = os.path.dirname(os.path.join(root, relative))
        if os.path.lexists(os.path.join(root, relative)) or os.path.realpath(parent) != os.path.join(
            os.path.realpath(root), os.path.dirname(relative)
        ).rstrip("/"):
            return False
        original = diverged.original(relative)
        if original != relative:
            return original in self._agreed
        session_id = relative.removesuffix(transcripts.SUFFIX)
        return (
            "/" not in relative
            and relative not in self._waiting
            and not os.path.lexists(os.path.join(root, session_id))
        )

    def _come(self, member: Member, relative: str) -> None:
        self._agreed.add(relative)
        self._count(member, NEW)

    def _stage(self, member: Member, reader: Reader) -> str:
        """Write a transcript under its temp name, durable and with its mtime; gives the path."""
        staged = bundle_staging.transcript_path(self._place)
        files.remove_quietly(staged)  # never written over: it may be a file of the archive under a second name
        digest = hashlib.sha256()
        fd = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as copy:
            for chunk in reader.chunks():
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(fd)
        if digest.hexdigest() != member.sha256:
            raise BundleError(_CHANGED)
        os.utime(staged, ns=(member.mtime_ns or 0, member.mtime_ns or 0))
        return staged

    def _settle(self, member: Member, name: str, settle: Callable[[], Outcome]) -> None:
        """Merge one file and note what came of it."""
        was_there = self._was_there(member)
        try:
            outcome = settle()
        except InvalidRecordError as error:
            self._leave(member, str(error))
            return
        except (StorageError, OSError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in _BLOCKED:
                raise
            self._leave(member, f"{cause.strerror}: something else stands in its place")
            return
        self._result.left += outcome.left
        self._result.kept += outcome.kept
        if not outcome.changed:
            self._count(member, LEFT if outcome.left else SAME)
            return
        self._count(member, MERGED if was_there else NEW)
        if was_there and (outcome.kept or member.kind in _LOGGED):
            kind = bundle.RECORD if member.kind == bundle.TOMBSTONE else (member.kind or "")
            merge_log.note(self._place, kind, name, outcome.kept)

    def _was_there(self, member: Member) -> bool:
        """Whether anything of that memory or file was there before."""
        name = os.path.basename(member.name)
        if member.kind in {bundle.RECORD, bundle.TOMBSTONE}:
            places = [os.path.join(self._place.records, name), os.path.join(self._place.trash, name)]
        else:
            places = [os.path.join(self._place.root, member.name)]
        return any(os.path.lexists(path) for path in places)

    def _leave(self, member: Member, reason: str) -> None:
        self._result.left.append((member.name, reason))
        self._count(member, LEFT)

    def _count(self, member: Member, what: str) -> None:
        self._result.counts[member.kind or ""][what] += 1


_CHANGED = "It changed while it was read. What was imported is whole: run it again with a bundle that nobody writes to."


def _is_plain(file: BinaryIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.tell() == 0


def _logged(folder: DataFolder) -> set[str]:
    """The sessions that have logs, also under other ids than ours, as the index knows them; without one, none."""
    try:
        connection = mirror.connect(folder.mirror, read_only=True)
    except MirrorUnavailableError:
        return set()
    try:
        return {one for (one,) in connection.execute("SELECT session_id FROM memory WHERE type = 'session_log'")}
    except sqlite3.Error:
        return set()
    finally:
        connection.close()
