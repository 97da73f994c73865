"""Both sides of a merged conflict as a terminal shows them: line by line, as `diff` does."""

from __future__ import annotations

from collections.abc import Iterator

from memories import selectors, version_diff, versions
from memories.core.errors import InvalidRecordError, RecordNotFoundError
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean
from memories.models import Memory

MIN_DIGITS = 6
"""Hex digits of an id's beginning that find it, as of a session's."""

_MARKS = {"removed": "-", "added": "+", "same": " "}


def diff_lines(folder: DataFolder, uuid: str) -> Iterator[tuple[str, str]]:
    """(mark, line): `#` for what is said of the sides, `-` and `+` for lines that one of them has, ` ` for both's.

    uuid: of a kept content, or at least MIN_DIGITS digits of its beginning. Raises RecordNotFoundError,
    InvalidRecordError, StorageError, MirrorUnavailableError, sqlite3.Error.
    """
    kept, winner = _kept(folder, uuid.strip().lower())
    found = versions.version_changes(folder, kept, winner)
    for sign, side in (("---", found.old), ("+++", found.new)):
        role = "kept" if side.uuid == kept else "shown"
        yield "#", clean(f"{sign} {side.uuid} {role}, {side.written_at.replace('T', ' ')} UTC {side.machine}").strip()
    for line in found.comparison.inline:
        yield _line(line)
    if found.comparison.cut:
        yield "#", f"cut here; whole: {folder.records}"


def _line(line: version_diff.InlineLine) -> tuple[str, str]:
    if line.kind == "folded":
        return "#", f"@@ {line.count:,} unchanged line{'' if line.count == 1 else 's'} @@"
    mark = _MARKS[line.kind]
    return mark, mark + clean("".join(piece.text for piece in line.pieces))


def _kept(folder: DataFolder, prefix: str) -> tuple[str, str]:
    """(uuid, uuid of the record that it lost to) of the one kept content whose id begins so."""
    if len(prefix) < MIN_DIGITS:
        raise InvalidRecordError(f"{prefix!r:.60} is too short: give the first {MIN_DIGITS} digits of an id or more.")
    selectors.mirror_connection(folder)
    kept = Memory.objects.filter(conflict_of__isnull=False, uuid__startswith=prefix)
    found: list[tuple[str, str]] = list(kept.values_list("uuid", "conflict_of")[:2])
    if len(found) > 1:
        raise InvalidRecordError(f"Several kept contents begin with {prefix:.60}: give more of the id.")
    if not found:
        raise RecordNotFoundError(f"No content kept from a conflict has the id {prefix:.60}: `llm-memory status`.")
    return found[0]
