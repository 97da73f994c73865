"""Masking what is in the archive and was not masked, or not by the present rules: after the setting was switched on,
or an older version of the program or another machine wrote there. Each sync does it, for what changed since the last.
"""

from __future__ import annotations

import json
import os

from memories.core import diverged, files, masked_archive, redact_existing, transcript_copies, transcripts
from memories.core.errors import LLMMemoryError
from memories.core.masking import Masker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memories.core.paths import DataFolder

NOTES = "masked-files.json"
"""File in state/: {"fingerprint": of the rules, "files": {path below transcripts/: [size, mtime in microseconds]}}."""


def run(
    folder: DataFolder, settings: dict[str, Any], *, progress: Callable[[int, int], None] | None = None
) -> list[tuple[str, str]]:
    """Mask each archived file that no run has looked at since it changed; (path, reason) of those that could not be.

    Does nothing where redact_transcripts is off. progress(done, total). With nothing new it costs one stat a file.
    Raises StorageError where what was done cannot be noted.
    """
    redactor = transcripts.archive_redactor(settings)
    if redactor is None:
        return []
    before = _noted(folder, redactor.fingerprint)
    found = {
        os.path.relpath(path, folder.transcripts): path for path in redact_existing.files_below(folder.transcripts)
    }
    states = {name: _state(path) for name, path in found.items()}
    todo = sorted(name for name, state in states.items() if state is None or state != before.get(name))
    noted = {name: state for name, state in states.items() if name not in todo}
    masker, left = Masker(redactor), list[tuple[str, str]]()
    for done, name in enumerate(todo, 1):
        try:
            if any(masked_archive.secrets_in(found[name], masker)):
                masked_archive.mask_archived(found[name], masker)
                left += settle(folder, name)
            noted[name] = _state(found[name])
        except FileNotFoundError:
            pass  # gone meanwhile
        except (LLMMemoryError, OSError) as error:
            left.append((f"transcripts/{name}", str(error)))
        if progress is not None:
            progress(done, len(todo))
    if noted != before:
        whole = {"fingerprint": redactor.fingerprint, "files": {name: one for name, one in noted.items() if one}}
        files.write_atomic(os.path.join(folder.state, NOTES), json.dumps(whole).encode("utf-8"), durable=False)
    if todo and not left:
        redact_existing.note_masked(folder, redactor)
    return left


def settle(folder: DataFolder, name: str) -> list[tuple[str, str]]:
    """Make versions of a file one that differed only in their secrets, once these are masked. name: below transcripts/.

    (path, reason) of what could not be merged.
    """
    original = diverged.original(name)
    versions = diverged.versions(folder, original)
    if not versions:
        return []
    try:
        return transcript_copies.settle(folder, original).left
    except LLMMemoryError as error:
        return [(f"transcripts/{original}", str(error))]
    finally:
        for version in versions:
            masked_archive.drop_empty_folder(folder, os.path.join(folder.transcripts, version))


def _state(path: str) -> list[int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns // 1000]


def _noted(folder: DataFolder, fingerprint: int) -> dict[str, Any]:
    """What is known to be masked by these rules."""
    try:
        with files.open_plain(os.path.join(folder.state, NOTES)) as file:
            notes = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(notes, dict) or notes.get("fingerprint") != fingerprint:
        return {}
    return notes["files"] if isinstance(notes.get("files"), dict) else {}
