"""Bundles: one file with the records, deleted records, transcripts, rules and settings of a data folder, and the marks
of sessions that must not come back.

This module owns the format (docs/bundles.md): a tar archive of regular files under the names that they have in the data
folder, sorted, and last of all `manifest.json`, which says every file's size and sha256 and which machine exported it.
What the tar headers say of owner, mode and time is the same always and means nothing: the same files give the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile

from memories.core import budget, config_copies, forgotten, records, transcripts
from memories.core.errors import BundleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = "llm-memory-bundle"
VERSION = 1
MANIFEST = "manifest.json"
BLOCK = 512
"""Bytes that headers and contents are padded to (POSIX.1-2001, pax)."""

RECORD, TOMBSTONE, TRANSCRIPT, RULES, SETTINGS = "record", "tombstone", "transcript", "rules", "settings"
MARK = "mark"
"""The mark of a session that was forgotten or whose transcript was let go (forgotten.py)."""

KINDS = (RECORD, TOMBSTONE, TRANSCRIPT, RULES, SETTINGS, MARK)
OF_RECORDS = frozenset({RECORD, TOMBSTONE})
RULES_NAME = "config/CLAUDE.md"
SETTINGS_NAME = "config/settings.json"
_FIXED = {RULES_NAME: RULES, SETTINGS_NAME: SETTINGS}
_MARK_NAME = re.compile(rf"trash/({forgotten.FORGOTTEN}|{forgotten.EXPIRED})/([^/]+)")
_RECORD_NAME = re.compile(r"(records|trash)/([0-9a-f]{32})\.json")

MAX_FILES = 1_000_000
"""More members are not read: ten times what the design is measured with."""

MAX_NAME_BYTES = 1000
_MAX_PART_BYTES = 255  # of a file's name, on every file system in use
_MAX_DEPTH = 12
_MAX_MEMBER_LINE = 2 * MAX_NAME_BYTES + 300
_MAX_MANIFEST = 256 * 1024 * 1024
MAX_BYTES = {
    RECORD: records.MAX_RECORD_BYTES,
    TOMBSTONE: records.MAX_RECORD_BYTES,
    RULES: config_copies.MAX_BYTES,
    SETTINGS: config_copies.MAX_BYTES,
    MARK: 4096,
}
"""Kind -> the most bytes that one file may have; a transcript may have any number."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_MTIME_NS = 1 << 63
NO_NAME = "a bundle"
"""Who exported a bundle whose manifest does not say it: one made before manifests did, or not by us."""


class Member:
    """One file in a bundle. name: its path below the data folder; size in bytes; sha256: 64 hex digits; mtime_ns: a
    transcript's (it says up to where its archive is complete), and that of a mark which says up to where a session was
    let go; None for all other files."""

    __slots__ = ("mtime_ns", "name", "sha256", "size")

    def __init__(self, name: str, size: int, sha256: str, mtime_ns: int | None) -> None:
        self.name, self.size, self.sha256, self.mtime_ns = name, size, sha256, mtime_ns

    @property
    def kind(self) -> str | None:
        """What the file is, by its name (kind_of)."""
        return kind_of(self.name)


class Manifest:
    """What a manifest says. members: the files, in the bundle's order; machine: the name of the one that exported."""

    __slots__ = ("machine", "members")

    def __init__(self, members: list[Member], machine: str) -> None:
        self.members, self.machine = members, machine


def kind_of(name: str) -> str | None:
    """What a file of that name in a bundle is, one of KINDS; None for a name that no bundle may hold.

    The whitelist that export and import share: nothing absolute, no `..`, nothing hidden, no control characters.
    """
    if name in _FIXED:
        return _FIXED[name]
    match = _RECORD_NAME.fullmatch(name)
    if match:
        return RECORD if match[1] == "records" else TOMBSTONE
    if marked_session(name) is not None:
        return MARK
    top, *parts = name.split("/")
    if top != "transcripts" or not 1 <= len(parts) <= _MAX_DEPTH or not all(map(_is_part, parts)):
        return None
    session_id = parts[0].removesuffix(transcripts.SUFFIX) if len(parts) == 1 else parts[0]
    fits = transcripts.is_session_id(session_id) and (len(parts) > 1 or parts[0] != session_id)
    return TRANSCRIPT if fits and len(name.encode()) <= MAX_NAME_BYTES else None


def marked_session(name: str) -> tuple[str, str] | None:
    """(session id, forgotten.FORGOTTEN or EXPIRED) of a mark's member name; None for any other name."""
    match = _MARK_NAME.fullmatch(name)
    return (match[2], match[1]) if match and transcripts.is_session_id(match[2]) else None


def exporter(name: object) -> str:
    """A machine's name as records carry it: one short line, the same wherever it is read; NO_NAME for what is none."""
    found = name.encode("utf-8", "replace").decode() if isinstance(name, str) else ""
    return budget.label(found).strip() or NO_NAME


def _is_part(part: str) -> bool:
    """Whether a folder's or file's name may be in a transcript's path."""
    if not part or part.startswith((".", "~")) or _CONTROL.search(part):
        return False
    try:
        return len(part.encode("utf-8")) <= _MAX_PART_BYTES
    except UnicodeEncodeError:
        return False


def uuid_of(name: str) -> str:
    """The uuid in a record's or tombstone's member name."""
    return name.rpartition("/")[2].removesuffix(".json")


def header(name: str, size: int) -> bytes:
    """The tar header of a file (a pax header before it where the name or size needs one)."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """The zeros that follow a content of that size."""
    return bytes(-size % BLOCK)


def manifest_bytes(members: list[Member], machine: str) -> bytes:
    """The manifest's text: JSON with a line for each file, in the order in which they are in the bundle. machine: who
    exports."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "machine": machine,
        "machine_sha256": _machine_digest(machine),
        "files": len(members),
        "bytes": sum(one.size for one in members),
        "sha256": members_digest(members),
    }
    lines = ["{", *(f"{json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()), '"members": [']
    listed = [_member_text(one) for one in members]
    lines += [text + "," for text in listed[:-1]] + listed[-1:]
    return "\n".join([*lines, "]", "}", ""]).encode("utf-8")


def _member_text(member: Member) -> str:
    value = {"name": member.name, "size": member.size, "sha256": member.sha256}
    if member.mtime_ns is not None:
        value["mtime_ns"] = member.mtime_ns
    return json.dumps(value, ensure_ascii=False)


def members_digest(members: list[Member]) -> str:
    """sha256 over a line `<sha256> <size> <mtime_ns or -> <name>` for each file: the list itself is verified too."""
    digest = hashlib.sha256()
    for one in members:
        mtime = "-" if one.mtime_ns is None else one.mtime_ns
        digest.update(f"{one.sha256} {one.size} {mtime} {one.name}\n".encode())
    return digest.hexdigest()


def _machine_digest(machine: str) -> str:
    return hashlib.sha256(machine.encode("utf-8", "surrogatepass")).hexdigest()


def max_manifest_bytes(files: int) -> int:
    """The most bytes that the manifest of a bundle with so many files can have."""
    return min(_MAX_MANIFEST, 4096 + files * _MAX_MEMBER_LINE)


def parse_manifest(data: bytes) -> Manifest:
    """What a manifest says. Raises BundleError unless it is one of this version and agrees with itself."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"Its manifest is not JSON ({error}): the file is damaged. Export it again.") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BundleError("Its manifest is not one of an LLM Memory bundle: check that it is the right file.")
    version = value.get("version")
    if _count(version) > VERSION:
        raise BundleError(f"It is of format version {version}, made by a newer LLM Memory: update this one first.")
    listed = value.get("members")
    if version != VERSION or isinstance(version, bool) or not isinstance(listed, list):
        raise BundleError("Its manifest cannot be read: the file is damaged. Export it again.")
    members = [_member(item) for item in listed]
    said = (value.get("files"), value.get("bytes"), value.get("sha256"))
    machine = value.get("machine")
    digest = _machine_digest(machine) if isinstance(machine, str) else None
    agrees = said == (len(members), sum(one.size for one in members), members_digest(members))
    if not agrees or digest != value.get("machine_sha256"):
        raise BundleError("Its manifest does not agree with itself: the file is damaged. Export it again.")
    return Manifest(members, exporter(machine))


def _member(item: Any) -> Member:
    """One entry of a manifest's list. Raises BundleError."""
    values: dict[str, Any] = item if isinstance(item, dict) else {}
    name, size, digest, mtime_ns = (values.get(key) for key in ("name", "size", "sha256", "mtime_ns"))
    kind = kind_of(name) if isinstance(name, str) else None
    is_time = isinstance(mtime_ns, int) and not isinstance(mtime_ns, bool) and abs(mtime_ns) < _MAX_MTIME_NS
    mark = marked_session(name) if isinstance(name, str) else None
    fits = is_time if kind == TRANSCRIPT or (mark and mark[1] == forgotten.EXPIRED) else mtime_ns is None
    if kind is None or not (fits and _count(size) >= 0 and isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise BundleError(f"Its manifest lists what no bundle holds ({item!r:.200}): export it again.")
    return Member(str(name), _count(size), digest, mtime_ns)


def _count(value: Any) -> int:
    """A whole number that is not negative; -1 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else -1
