"""What a user should know before all else that status shows: memory that is off, a disk that is full, and what others
can read or a secret can hide in. Doctor's own checks, asked again."""

from __future__ import annotations

from collections.abc import Iterator

from memories import doctor_index, doctor_permissions, doctor_secrets
from memories.core.paths import DataFolder
from memories.core.settings import OFF, disabled_by_environment, read_settings, why_off
from memories.core.transcript_items import clean


def attention(folder: DataFolder) -> Iterator[tuple[str, str]]:
    """(sentence, the id of the section that says more) of what a user should act upon."""
    settings, _ = read_settings(folder)
    why = why_off(settings)
    if why is not None:
        yield clean(f"{OFF}{why}."), "checks"
    if disabled_by_environment():
        yield f"{OFF}LLM_MEMORY_DISABLE is set here; unset it.", "checks"
    for check in (
        doctor_index.in_the_way(folder),
        doctor_permissions.readable_by_others(folder),
        doctor_secrets.unmasked_archive(folder, settings),
    ):
        if check is not None:
            yield clean(f"{check.text[0].upper()}{check.text[1:]}: {check.todo}."), "checks"
