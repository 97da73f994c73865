"""Copies that a file sync leaves beside a file: how their names say of which file they are, and what settling came to.

A copy holds another version of the file, written on another machine: it is merged, never thrown away. Partial files of
a transfer that is under way are no copies; nobody reads, moves or deletes them.
"""

from __future__ import annotations

import re

_CONFLICTED = r" \((?:(?:[^()]|\([^()]*\))* )?conflicted copy \d{4}-\d\d-\d\d(?: \d{6})?(?: \(\d+\))?\)"
_DATED = (
    r"\.sync-conflict-\d{8}-\d{6}(?:-[A-Z0-9]{7})?"  # Syncthing; without the device's short id before 0.14
    rf"|{_CONFLICTED}"  # Dropbox (with a name before), Nextcloud, ownCloud
    r"|_conflict-\d{8}-\d{6}"  # ownCloud before 2.4
)
_NUMBERED = r" \(\d{1,3}\)"  # Google Drive
_DATED_MARK, _MARK = (
    re.compile(rf"(?P<stem>.+)(?:{marks})(?P<extension>\.[^.]*)?", re.DOTALL)
    for marks in (_DATED, f"{_DATED}|{_NUMBERED}")
)
"""What stands between a file's stem and its extension in a copy's name. Each program's own documentation says so."""

_PARTIAL = (".tmp", ".part", ".partial", ".crdownload")
"""Extensions of files that are still being written: Syncthing's and ours, rsync's and others', browsers'."""


class Outcome:
    """What settling the versions of one file came to.

    changed: whether anything on disk was. kept: what was kept beside (records' uuids, or paths below the data folder).
    deleted: whether a deletion prevailed. left: (path below the data folder, reason) of what cannot be merged and was
    left alone.
    """

    __slots__ = ("changed", "deleted", "kept", "left")

    def __init__(self) -> None:
        self.changed = False
        self.kept: list[str] = []
        self.deleted = False
        self.left: list[tuple[str, str]] = []


def original_name(name: str, *, dated: bool = False) -> str | None:
    """The name of the file that a file is a copy of, by its own name (no path); None when it is not one.

    A copy of a copy is one of the first file. An editor's backup (`x~`) counts as a copy. dated: only names in which a
    file sync wrote when it made the copy count, for folders whose files other programs name: there `x (1).txt` and `x~`
    may be nobody's copy.
    """
    if name.startswith((".", "~")) or name.removesuffix("~").endswith(_PARTIAL):
        return None
    found, shorter = None, _one_less(name, dated)
    while shorter is not None:
        found, shorter = shorter, _one_less(shorter, dated)
    return found


def _one_less(name: str, dated: bool) -> str | None:
    if len(name) > 1 and name.endswith("~") and not dated:
        return name[:-1]
    match = (_DATED_MARK if dated else _MARK).fullmatch(name)
    return match["stem"] + (match["extension"] or "") if match else None
