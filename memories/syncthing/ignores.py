"""What a .stignore lets travel, judged before Syncthing reads it (https://docs.syncthing.net/users/ignoring).

The first pattern that matches a path decides; a path that none matches travels. Only what sync-setup must know is
judged: whether the folders that are meant to travel do, and whether anything else at the data folder's top would.
"""

from __future__ import annotations

import re

from memories.core.paths import SYNCED_FOLDERS

PRIVATE = ("memory.db", "memory.db.7", "memory.db.7-wal", "memory.db.7-shm", "state", "lib", "lib.new-1", "lib.old-1")
"""Names at the data folder's top that must stay on this machine."""

_FLAG = re.compile(r"\(\?[id]\)|!")
_SPECIAL = re.compile(r"\*\*/?|\*|\?|\[!?[^\]]+\]|\\.")


class Judged:
    """more: private names that would travel; less: folders that would not; unclear: lines that are not understood."""

    __slots__ = ("less", "more", "unclear")

    def __init__(self, more: list[str], less: list[str], unclear: list[str]) -> None:
        self.more = more
        self.less = less
        self.unclear = unclear


def judge(text: str) -> Judged:
    """What the lines of a .stignore mean for the data folder. Raises nothing."""
    patterns: list[tuple[bool, re.Pattern[str]]] = []
    unclear = []
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("//"):
            continue
        if line.startswith("#"):
            unclear.append(line)
            continue
        try:
            ignores, pattern = _pattern(line)
        except re.error:
            unclear.append(line)
            continue
        patterns.append((ignores, pattern))
        if not ignores and line.rpartition("!")[2].strip("/").split("/")[0] not in SYNCED_FOLDERS:
            unclear.append(line)  # may bring back something deep inside what is ignored
    return Judged(
        more=[name for name in PRIVATE if not _ignored(name, patterns)],
        less=[name for name in SYNCED_FOLDERS if _ignored(name, patterns)],
        unclear=unclear,
    )


def _ignored(name: str, patterns: list[tuple[bool, re.Pattern[str]]]) -> bool:
    return next((ignored for ignored, pattern in patterns if pattern.fullmatch(name)), False)


def _pattern(line: str) -> tuple[bool, re.Pattern[str]]:
    """Whether a line ignores, and what it matches among names at the top. Raises re.error."""
    ignores, flags = True, 0
    while found := _FLAG.match(line):
        ignores = ignores and found[0] != "!"
        flags |= re.IGNORECASE if found[0] == "(?i)" else 0
        line = line[found.end() :]
    pieces, end = [], 0
    glob = line[1:] if line.startswith("/") else line
    for found in _SPECIAL.finditer(glob):
        pieces += [re.escape(glob[end : found.start()]), _translated(found[0])]
        end = found.end()
    return ignores, re.compile("".join([*pieces, re.escape(glob[end:])]), flags | re.DOTALL)


def _translated(special: str) -> str:
    if special.startswith("**"):
        return "(?:.*/)?" if special.endswith("/") else ".*"
    if special.startswith("["):
        return "[^" + special[2:] if special.startswith("[!") else special
    return {"*": "[^/]*", "?": "[^/]"}.get(special) or re.escape(special[1:])
