"""Both sides of a merged conflict as a terminal shows them: line by line, as `diff` does."""

from __future__ import annotations

from collections.abc import Iterator

from memories import merged_conflicts, selectors, version_diff, versions
from memories.core import merge_log
from memories.core.errors import InvalidRecordError, RecordNotFoundError, StorageError
from memories.core.paths import DataFolder
from memories.core.transcript_items import clean

MIN_DIGITS = 6
"""Hex digits of an id's beginning that find it, as of a session's."""

MAX_SIDES = 20
"""Contents that lost to one record, or versions of one file, that are compared with it."""

_KEPT = (
    "SELECT uuid, conflict_of FROM memory WHERE conflict_of IS NOT NULL "
    "AND (substr(uuid, 1, ?) = ? OR substr(conflict_of, 1, ?) = ?) ORDER BY uuid LIMIT ?"
)
_MARKS = {"removed": "-", "added": "+", "same": " "}


def diff_lines(folder: DataFolder, given: str) -> Iterator[tuple[str, str]]:
    """(mark, line): `#` for what is said of the sides, `-` and `+` for lines that one of them has, ` ` for both's.

    given: the id of a kept content, or of the record that it lost to (then every content that did), or the name of a
    version in state/merged/; MIN_DIGITS digits of its beginning or more. Raises RecordNotFoundError,
    InvalidRecordError, StorageError, MirrorUnavailableError, sqlite3.Error.
    """
    given = given.strip()
    if merged_conflicts.MERGED_NAME.fullmatch(given):
        yield from _of_file(folder, given)
        return
    prefix = given.lower()
    if len(prefix) < MIN_DIGITS:
        raise InvalidRecordError(f"{prefix!r:.60} is too short: give the first {MIN_DIGITS} digits of an id or more.")
    pairs = _pairs(folder, prefix)
    for kept, winner in pairs:
        yield from _of_record(folder, kept, winner)
    if not pairs:
        yield from _of_file(folder, _file_name(folder, prefix))


def _of_record(folder: DataFolder, kept: str, winner: str) -> Iterator[tuple[str, str]]:
    found = versions.version_changes(folder, kept, winner, in_trash=True)
    for sign, side in (("---", found.old), ("+++", found.new)):
        role = "kept" if side.uuid == kept else "shown"
        if side.deleted_at:
            role = "deleted" if role == "shown" else "in trash/"
        yield "#", clean(f"{sign} {side.uuid} {role}, {side.written_at.replace('T', ' ')} UTC {side.machine}").strip()
    yield from _compared(found.comparison, folder.records)


def _of_file(folder: DataFolder, name: str) -> Iterator[tuple[str, str]]:
    """A version of the rules or the settings against each other one that was merged with it."""
    merges = [one.sides for one in merged_conflicts.merged_files(folder) if name in one.sides]
    others = [other for other in (merges[0] if merges else []) if other != name]
    if not others:
        raise StorageError(f"No other version that was merged with {name} is kept: `llm-memory status --json`.")
    for other in others[:MAX_SIDES]:
        yield "#", f"--- state/{merge_log.MERGED}/{name}"
        yield "#", f"+++ state/{merge_log.MERGED}/{other}"
        yield from _compared(merged_conflicts.compare_files(folder, name, other), f"state/{merge_log.MERGED}/")


def _compared(comparison: version_diff.Comparison, whole: str) -> Iterator[tuple[str, str]]:
    for line in comparison.inline:
        yield _line(line)
    if comparison.cut:
        yield "#", f"cut here; whole: {whole}"


def _line(line: version_diff.InlineLine) -> tuple[str, str]:
    if line.kind == "folded":
        return "#", f"@@ {line.count:,} unchanged line{'' if line.count == 1 else 's'} @@"
    mark = _MARKS[line.kind]
    return mark, mark + clean("".join(piece.text for piece in line.pieces))


def _pairs(folder: DataFolder, prefix: str) -> list[tuple[str, str]]:
    """(uuid of a kept content, uuid of the record that it lost to): the one pair, or all that lost to one record."""
    rows = selectors.mirror_connection(folder).execute(_KEPT, (len(prefix), prefix, len(prefix), prefix, MAX_SIDES))
    found: dict[str, str] = dict(rows.fetchall())
    for one in merged_conflicts.deleted_edits(folder):
        if one.kept.uuid.startswith(prefix) or one.winner_uuid.startswith(prefix):
            found[one.kept.uuid] = one.winner_uuid
    named = {uuid for pair in found.items() for uuid in pair if uuid.startswith(prefix)}
    if len(named) > 1:
        raise InvalidRecordError(f"Several ids begin with {prefix:.60}: give more of the id.")
    return [(uuid, winner) for uuid, winner in found.items() if uuid in named] or list(found.items())


def _file_name(folder: DataFolder, prefix: str) -> str:
    """The one version in state/merged/ whose name begins so."""
    names = {name for one in merged_conflicts.merged_files(folder) for name in one.sides if name.startswith(prefix)}
    if len(names) > 1:
        raise InvalidRecordError(f"Several versions begin with {prefix:.60}: give more of the name.")
    if not names:
        raise RecordNotFoundError(f"No content kept from a conflict has the id {prefix:.60}: `llm-memory status`.")
    return names.pop()
