"""Copies that a file sync left in config/, merged into CLAUDE.md and settings.json (config_merge says how)."""

from __future__ import annotations

import os
import stat

from memories.core import config_merge, files, merge_log
from memories.core.copies import Outcome, original_name
from memories.core.errors import LLMMemoryError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memories.core.paths import DataFolder

MAX_BYTES = 1_000_000
"""As much as settings.MAX_SETTINGS_BYTES: a longer file is no rules text, and could take minutes to compare."""

RULES, SETTINGS = "CLAUDE.md", "settings.json"


class _LeftError(LLMMemoryError):
    """A version that cannot be merged and is left alone; the text says why."""


class _Version:
    """A file's bytes, and the file as it was when they were read; raises _LeftError where it is not one to merge."""

    __slots__ = ("seen", "text")

    def __init__(self, path: str, name: str) -> None:
        try:
            found = os.lstat(path)
            if not stat.S_ISREG(found.st_mode):
                raise _LeftError("not a regular file: move it away")
            self.seen = files.Seen(path, found)
            with open(path, "rb") as file:
                self.text = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _LeftError(f"cannot be read ({error.strerror}): check its permissions") from error
        _check(self.text, name)


def _check(text: bytes, name: str) -> None:
    """Raise _LeftError unless a version can be merged."""
    if len(text) > MAX_BYTES:
        raise _LeftError(f"more than {MAX_BYTES:,} bytes: make one file of them by hand")
    if name == SETTINGS:
        try:
            config_merge.parse_settings(text)
        except (ValueError, RecursionError) as error:
            raise _LeftError(f"not readable as settings ({error}): correct it or delete it") from error


def with_copies(folder: DataFolder) -> list[str]:
    """Names of the files in config/ that have copies beside them (and may be gone themselves), sorted."""
    return sorted({original for name in _names(folder) if (original := copied_name(name)) is not None})


def copied_name(name: str) -> str | None:
    """The name of the file in config/ that a file is a copy of; None when it is not one.

    A backup `x~` is none here: it is an editor's, made of what its user just replaced, and merging it would bring back
    every line that was taken out.
    """
    return None if name.endswith("~") else original_name(name)


def settle(folder: DataFolder, name: str, shipped: Sequence[str], brought: bytes | None = None) -> Outcome:
    """Merge the copies of one file in config/ into it.

    shipped: sha256 of each rules text of ours, oldest first. brought: a version that came by another way. What was
    merged stays as state/merged/<sha256[:12]>-<name>: that is written first, then the file, then the copies go, so a
    kill in between loses nothing. A file that is saved meanwhile stays as it was saved, for the next sync. It is
    written anew also where its text stays the same: a copy that goes for being equal to it would else be lost when a
    file sync brings the version by which the file was replaced elsewhere. Left alone and named: copies of other files,
    what is no regular file or cannot be read or parsed, what would make more than MAX_BYTES (all, where that is the
    file itself). Raises StorageError.
    """
    outcome = Outcome()
    if name not in {RULES, SETTINGS}:
        reason = f"there is no rule by which {name} is merged: make one file of them by hand"
        outcome.left = [(f"config/{os.path.basename(copy)}", reason) for copy in _copy_paths(folder, name)]
        return outcome
    path = os.path.join(folder.config, name)
    main = _version(path, name, outcome) if os.path.lexists(path) else None
    copies = [found for copy in _copy_paths(folder, name) if (found := _version(copy, name, outcome)) is not None]
    texts = {one.text for one in (main, *copies) if one is not None}
    if brought is not None:
        try:
            _check(brought, name)
            texts.add(brought)
        except _LeftError as error:
            outcome.left.append((f"config/{name} (brought)", str(error)))
    if (main is None and os.path.lexists(path)) or not texts:
        return outcome
    merged = config_merge.merge_texts(texts, shipped) if name == RULES else config_merge.merge_settings_texts(texts)
    if len(merged) > MAX_BYTES:
        reason = f"with its copies more than {MAX_BYTES:,} bytes: make one file of them by hand"
        outcome.left.append((f"config/{name}", reason))
    elif copies or main is None or merged != main.text:
        _write(folder, name, texts, merged, main.seen if main else files.Seen(path, None), copies, outcome)
    return outcome


def _copy_paths(folder: DataFolder, name: str) -> list[str]:
    return [os.path.join(folder.config, one) for one in _names(folder) if copied_name(one) == name]


def _names(folder: DataFolder) -> list[str]:
    try:
        return sorted(os.listdir(folder.config))
    except OSError:
        return []


def _version(path: str, name: str, outcome: Outcome) -> _Version | None:
    try:
        return _Version(path, name)
    except _LeftError as error:
        outcome.left.append((f"config/{os.path.basename(path)}", str(error)))
        return None


def _write(
    folder: DataFolder,
    name: str,
    texts: set[bytes],
    merged: bytes,
    main: files.Seen,
    copies: list[_Version],
    outcome: Outcome,
) -> None:
    """Keep what was merged, write the file, remove the copies; where somebody wrote to the file since it was read, it
    and its copies are left."""
    try:
        kept = _keep(folder, name, texts) if len(texts) > 1 else {}
        os.makedirs(folder.config, mode=0o700, exist_ok=True)
        try:
            files.write_atomic(main.path, merged, unchanged=[main])
        except files.ChangedMeanwhileError:
            for path, is_new in kept.items():
                if is_new:
                    files.remove_quietly(os.path.join(folder.root, path))
            outcome.left.append((f"config/{name}", "was written to while it was merged: the next sync does it"))
            return
        outcome.changed = True
        outcome.kept = list(kept)
        for copy in copies:
            try:
                copy.seen.remove()
            except files.ChangedMeanwhileError:
                pass  # another version has its name now: that one waits for the next sync
        files.fsync_folder(folder.config)
    except OSError as error:
        raise StorageError(
            f"Cannot merge config/{name}: {error.strerror or error}. Check free space and permissions, then run sync."
        ) from error


def _keep(folder: DataFolder, name: str, texts: set[bytes]) -> dict[str, bool]:
    """Write each version to state/merged/. Path below the data folder -> whether it was not there before."""
    import hashlib

    os.makedirs(os.path.join(folder.state, merge_log.MERGED), mode=0o700, exist_ok=True)
    kept = {}
    for text in sorted(texts):
        path = f"state/{merge_log.MERGED}/{hashlib.sha256(text).hexdigest()[:12]}-{name}"
        kept[path] = not os.path.lexists(os.path.join(folder.root, path))
        files.write_atomic(os.path.join(folder.root, path), text)
    return kept
