"""Records: one JSON file per memory, the truth. This module owns the format (docs/records.md).

A record is a plain dict; fields that this version does not know survive every rewrite. Reading is lenient where meaning
is clear and refuses the rest with a reason; writing always validates. Deleting moves a record to trash/ as a tombstone.
"""

from __future__ import annotations

import json
import os
import re
import stat

from memories.core import clock, files
from memories.core.errors import InvalidRecordError, RecordNotFoundError, StorageError
from memories.core.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from memories.core.paths import DataFolder

SCHEMA_VERSION = 1
TYPES = ("narrative", "note", "session_log")
RELATIONSHIPS = ("supersedes", "related_to")
STATUSES = ("active", "archived")
DEFAULT_IMPORTANCE = 5
MAX_IMPORTANCE = 10
MAX_RECORD_BYTES = 8_000_000
"""A larger file is not read: one record never costs a sync more than this many bytes of memory."""

LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59, the last time that a record's time string can say."""

LOCK_SECONDS = 10.0
"""How long a write waits for others' turns: with twenty servers storing as fast as they can, 5 s refused one in 700."""

UUID = re.compile(r"[0-9a-f]{32}")
_OPTIONAL_TEXT = (
    "project",
    "project_id",
    "session_id",
    "transcript_ref",
    "tags",
    "archived_in",
    "updated_at",
    "origin",
)


def new_uuid() -> str:
    """A random record id: 32 lowercase hex digits."""
    return os.urandom(16).hex()


def uuid5(namespace: str, name: str) -> str:
    """RFC 4122's uuid5 as 32 hex digits; namespace: a UUID, with dashes or without. (The uuid module costs 8 ms.)"""
    import hashlib

    data = bytes.fromhex(namespace.replace("-", "")) + name.encode("utf-8", "surrogatepass")
    digest = bytearray(hashlib.sha1(data, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # the variant of RFC 4122
    return digest.hex()


def machine_name() -> str:
    """The name that `origin` carries: this machine's host name."""
    return os.uname().nodename


def whence(record: dict[str, Any]) -> str:
    """Where a record (or its row) that is not this machine's own is from, its names as they are: `imported from
    laptop`, `from laptop`; "" for this machine's own, and where the record does not say."""
    exporter, origin = record.get("imported_from"), record.get("origin")
    if exporter and isinstance(exporter, str):
        return f"imported from {exporter}"
    return f"from {origin}" if origin and isinstance(origin, str) and origin != machine_name() else ""


def is_uuid(text: object) -> bool:
    """True for 32 lowercase hex digits."""
    return isinstance(text, str) and UUID.fullmatch(text) is not None


def record_path(folder: DataFolder, uuid: str) -> str:
    """Where a record's file is. Raises InvalidRecordError unless given a uuid, so that no path can leave records/."""
    if not is_uuid(uuid):
        raise InvalidRecordError(f"{uuid!r} is not a record id: 32 lowercase hex digits. memory_search finds ids.")
    return os.path.join(folder.records, uuid + ".json")


def trash_path(folder: DataFolder, uuid: str) -> str:
    """Where a record's tombstone is. Raises as record_path."""
    return os.path.join(folder.trash, os.path.basename(record_path(folder, uuid)))


def new_record(*, type: str, content: str, created_at: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: A002
    """A record with every field of the format, stamped with this machine as its origin; not yet on disk.

    fields: any of project, project_id, session_id, importance, transcript_ref, tags, connections.
    Raises InvalidRecordError when a value breaks the format.
    """
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "uuid": new_uuid(),
        "type": type,
        "content": content.strip() if isinstance(content, str) else content,
        "project": None,
        "project_id": None,
        "session_id": None,
        "importance": DEFAULT_IMPORTANCE,
        "transcript_ref": None,
        "tags": None,
        "created_at": created_at or clock.now(),
        "connections": [],
        "status": "active",
        "origin": machine_name(),
        **fields,
    }
    validate(record)
    try:
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidRecordError("The text holds half a surrogate pair: send it as valid Unicode.") from None
    return record


def validate(record: dict[str, Any]) -> None:
    """Raise InvalidRecordError, naming the field and what it must be, unless the dict is a record."""
    version = record.get("schema_version", SCHEMA_VERSION)
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidRecordError("schema_version must be a whole number.")
    if version > SCHEMA_VERSION:
        raise InvalidRecordError(f"schema_version {version} was written by a newer LLM Memory: update this one.")
    if not is_uuid(record.get("uuid")):
        raise InvalidRecordError("uuid must be 32 lowercase hex digits.")
    if record.get("type") not in TYPES:
        raise InvalidRecordError(f"type must be one of {', '.join(TYPES)}; it is {record.get('type')!r:.60}.")
    content = record.get("content")
    if not isinstance(content, str) or not content.strip():
        raise InvalidRecordError("content must be text that is not empty.")
    for name in _OPTIONAL_TEXT:
        if not isinstance(record.get(name), str | None):
            raise InvalidRecordError(f"{name} must be text or null.")
    if record["type"] == "narrative" and not (record.get("project") or "").strip():
        raise InvalidRecordError("A narrative belongs to a project: pass project.")
    importance = DEFAULT_IMPORTANCE if record.get("importance") is None else record["importance"]
    if not isinstance(importance, int) or isinstance(importance, bool) or not 1 <= importance <= MAX_IMPORTANCE:
        raise InvalidRecordError(f"importance must be a whole number from 1 to {MAX_IMPORTANCE}.")
    if clock.parse_time(record.get("created_at")) is None:
        raise InvalidRecordError("created_at must be a time like 2026-03-14T09:12:44 (UTC).")
    if record.get("connections") is not None and not isinstance(record["connections"], list):
        raise InvalidRecordError("connections must be a list of {to_uuid, relationship}.")
    if (record.get("status") or "active") not in STATUSES:
        raise InvalidRecordError(f"status must be one of {', '.join(STATUSES)}.")


def valid_connections(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The well-formed links of a record, each once, in order: (to_uuid, relationship). Others are passed over."""
    links: dict[tuple[str, str], None] = {}
    for item in record.get("connections") or []:
        if isinstance(item, dict) and is_uuid(item.get("to_uuid")) and item.get("relationship") in RELATIONSHIPS:
            links[item["to_uuid"], item["relationship"]] = None
    return list(links)


def parse(data: bytes, uuid: str) -> dict[str, Any]:
    """The record in a file's bytes. Raises InvalidRecordError with the reason unless it is one with that uuid."""
    try:
        record = json.loads(data.decode(json.detect_encoding(data)))  # given bytes, it takes surrogates for UTF-8
    except (ValueError, RecursionError) as error:
        raise InvalidRecordError(f"not JSON: {str(error) or 'nested too deeply'}"[:200]) from error
    if not isinstance(record, dict):
        raise InvalidRecordError("not a JSON object")
    validate(record)
    if record["uuid"] != uuid:
        raise InvalidRecordError(f"holds uuid {record['uuid']}, which is not the file's name")
    return record


def parse_tombstone(data: bytes, uuid: str) -> dict[str, Any]:
    """The deleted record in a tombstone's bytes. Raises InvalidRecordError: as parse, and where deleted_at is no
    time."""
    grave = parse(data, uuid)
    if clock.parse_time(grave.get("deleted_at")) is None:
        raise InvalidRecordError("not a tombstone: deleted_at must be a time like 2026-03-14T09:12:44 (UTC)")
    return grave


def read_file(path: str) -> tuple[bytes, os.stat_result]:
    """A record file's bytes with the stat they belong to.

    Raises InvalidRecordError for what is not a plain file or is too large; OSError (gone, no permission) as it comes.
    """
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise InvalidRecordError("a symbolic link, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise InvalidRecordError("a folder or special file, not a record")
    if found.st_size > MAX_RECORD_BYTES:
        raise InvalidRecordError(f"{found.st_size:,} bytes; a record is at most {MAX_RECORD_BYTES:,}")
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        return file.read(MAX_RECORD_BYTES + 1), found


def _read(path: str, uuid: str) -> tuple[dict[str, Any], files.Seen]:
    try:
        data, found = read_file(path)
        return parse(data, uuid), files.Seen(path, found)
    except FileNotFoundError:
        raise RecordNotFoundError(
            f"No record {uuid}. memory_search or memory_recent lists the ids there are."
        ) from None
    except InvalidRecordError as error:
        raise InvalidRecordError(f"{path} is not a readable record: {error} Repair the file or move it away.") from None
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from error


def load(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """The record with that uuid, deleted ones excluded.

    Raises RecordNotFoundError, InvalidRecordError (the file is not a record), StorageError (it cannot be read).
    """
    return load_seen(folder, uuid)[0]


def load_seen(folder: DataFolder, uuid: str) -> tuple[dict[str, Any], files.Seen]:
    """What load gives, with the file's state then, for save. Raises as load."""
    grave = tombstone(folder, uuid)
    try:
        record, seen = _read(record_path(folder, uuid), uuid)
        if grave is None or not stays_deleted(record, grave):
            return record, seen
    except RecordNotFoundError:
        if grave is None:
            raise
    raise RecordNotFoundError(f"Record {uuid} was deleted; `llm-memory restore {uuid}` brings it back.")


def dump(record: dict[str, Any]) -> bytes:
    """A record as its file's bytes: UTF-8, indent 2, newline at the end.

    A file that came with half a surrogate pair (as an escape) keeps it so; new_record refuses such text.
    """
    try:
        return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
    except UnicodeEncodeError:
        return (json.dumps(record, indent=2) + "\n").encode("ascii")


def save(folder: DataFolder, record: dict[str, Any], *, unchanged: Sequence[files.Seen] = ()) -> None:
    """Write a record: validated, atomic, durable. It is stored when this returns.

    unchanged: as write_atomic's; whoever changes a record passes what load_seen gave, within files.retried. Raises
    InvalidRecordError (nothing written), StorageError (the old file is intact), ChangedMeanwhileError.
    """
    validate(record)
    for name in ("updated_at", "deleted_at"):
        if record.get(name) is not None and clock.parse_time(record[name]) is None:
            raise InvalidRecordError(f"{name} must be a time like 2026-03-14T09:12:44 (UTC).")
    data = dump(record)
    if len(data) > MAX_RECORD_BYTES:
        raise InvalidRecordError(f"{len(data):,} bytes are too many for one record ({MAX_RECORD_BYTES:,}): split it.")
    path = record_path(folder, record["uuid"])
    if not os.path.isdir(folder.records):
        _create(folder)
    files.write_atomic(path, data, unchanged=unchanged)


def _create(folder: DataFolder) -> None:
    try:
        folder.create()
    except OSError as error:
        raise StorageError(f"Cannot create {folder.root}: {error.strerror}. Check LLM_MEMORY_HOME.") from error


def lock(folder: DataFolder) -> FileLock:
    """The lock that every read-change-write of records holds, so that two processes never undo each other's change."""
    if not os.path.isdir(folder.state):
        _create(folder)
    return FileLock(os.path.join(folder.state, "records.lock"), LOCK_SECONDS)


def update(folder: DataFolder, uuid: str, change: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Change a record in place; the caller holds lock(). change mutates the dict and returns whether it did; where a
    file sync writes the record meanwhile, it is called again with that version.

    Stamps updated_at and origin, except on logs derived from a transcript, which are the same file on every machine.
    Raises what load and save raise.
    """

    def attempt() -> dict[str, Any]:
        record, seen = load_seen(folder, uuid)
        before, is_same_everywhere = last_edit(record), _is_derived(record)
        if change(record):
            if not is_same_everywhere:
                stamp(record, before)
            save(folder, record, unchanged=[seen])
        return record

    return files.retried(record_path(folder, uuid), attempt)


def _is_derived(record: dict[str, Any]) -> bool:
    if record["type"] != "session_log":
        return False
    from memories.core import record_merge  # imports this module, and what derives logs: few edits are of one

    return record_merge.is_derived(record)


def time_after(seconds: int) -> str:
    """Now, or the second after a given time where this machine's clock is behind the one that wrote it: of two edits,
    one made in sight of the other, the second is always the later, up to LAST_SECOND."""
    now = clock.parse_time(clock.now()) or 0
    return clock.format_time(min(now if now >= seconds else seconds + 1, LAST_SECOND))


def stamp(record: dict[str, Any], seconds: int) -> None:
    """Mark a record as edited on this machine, in sight of an edit or deletion at that time."""
    record.update(updated_at=time_after(seconds), origin=machine_name())


def last_edit(record: dict[str, Any]) -> int:
    """Unix seconds of a record's last edit by a person or tool, or of its creation where that is later or it was never
    edited; at most LAST_SECOND, so that a deletion can follow it."""
    times = (clock.parse_time(record.get(name)) for name in ("updated_at", "created_at"))
    return min(max((time for time in times if time is not None), default=0), LAST_SECOND)


def stays_deleted(record: dict[str, Any], grave: dict[str, Any]) -> bool:
    """Whether a tombstone outranks a record file that is (again) there: it does unless the edit is newer."""
    return (clock.parse_time(grave.get("deleted_at")) or 0) >= last_edit(record)


def tombstone(folder: DataFolder, uuid: str) -> dict[str, Any] | None:
    """The deleted record in trash/, with deleted_at; None when there is none that can be read."""
    try:
        return parse_tombstone(read_file(trash_path(folder, uuid))[0], uuid)
    except (OSError, InvalidRecordError):
        return None


def delete(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Move a record to trash/ with deleted_at, whole, so that it can be restored. Returns the tombstone.

    Raises RecordNotFoundError, InvalidRecordError, StorageError, LockTimeoutError.
    """
    from memories.core import trash  # imports this module; no hook deletes

    with lock(folder):
        return files.retried(record_path(folder, uuid), lambda: trash.bury(folder, uuid))


def restore(folder: DataFolder, uuid: str) -> dict[str, Any]:
    """Bring a deleted record back; its edit time becomes later than the deletion, so copies of the tombstone lose.

    Raises RecordNotFoundError when trash/ does not hold it, and what save raises.
    """
    from memories.core import trash

    with lock(folder):
        return files.retried(trash_path(folder, uuid), lambda: trash.dig_up(folder, uuid))


def tag_list(tags: object) -> list[str]:
    """The tags in a record's text, in order, each once."""
    parts = tags.split(",") if isinstance(tags, str) else []
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def ref_items(transcript_ref: object) -> list[str]:
    """Session ids and paths that a transcript_ref names, as they are written, in order.

    Reads every form in use: one id or path, a JSON array (also encoded in a string), comma- or newline-separated.
    """
    items: list[object] = transcript_ref if isinstance(transcript_ref, list) else []
    if isinstance(transcript_ref, str):
        try:
            decoded = json.loads(transcript_ref)
        except (ValueError, RecursionError):
            decoded = None
        items = decoded if isinstance(decoded, list) else re.split(r"[,\n]", transcript_ref)
    stripped = (item.strip() for item in items if isinstance(item, str))
    return [item for item in stripped if item]


def session_refs(transcript_ref: object) -> list[str]:
    """Session ids that a transcript_ref names, in order, each once. A path counts by its file's stem."""
    # half a surrogate pair, which JSON can hold, is a question mark: no page can show it
    items = (item.encode("utf-8", "replace").decode("utf-8") for item in ref_items(transcript_ref))
    names = [os.path.basename(item.rstrip("/")) for item in items]
    return list(dict.fromkeys(name.removesuffix(".jsonl") for name in names if name))
