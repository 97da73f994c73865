"""The first LLM Memory's folder: records of schema_version 1, ledgers of its later versions, and raw transcripts; or
records alone, one a line, as `llm-memory export` writes them.

Records keep their own ids and every field that they have; what breaks the format is mended where its meaning is clear.
Other files of that product (conversations/, deltas/, memory.db) are derived from these and stay there.
"""

from __future__ import annotations

import json
import os

from memories.core import records
from memories.core.transcripts import SUFFIX, is_session_id
from memories.importers import items, ledgers, source_files
from memories.importers.items import Item, NotOfFormatError, Reading
from memories.importers.source_files import UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOURCE = ledgers.SOURCE
LINES_SOURCE = "JSON lines of LLM Memory"
"""imported_from of records that a file holds a line each."""
MEMORIES = "Memories"
FOLDERS = ("records", "projects", "items")
"""One of them makes a folder one of that product."""

_DERIVED = ("conversations", "deltas")
_TEXTS = ("content", "text", "body", "summary", "title")
_IMPORTANCE = {"session_log": 3}


def read(path: str, project: str | None = None, *, is_here: bool = False) -> Reading:
    """The records, ledger items and transcripts of a folder. project: for what names none. is_here: whether it is the
    data folder itself, in which the later versions' ledgers were left: its records and transcripts are here already.

    Raises ImportSourceError.
    """
    reading = Reading()
    names = (*FOLDERS, "transcripts")
    if not any(os.path.lexists(os.path.join(path, name)) for name in names):
        raise NotOfFormatError(f"{path} is not LLM Memory's: it has none of {', '.join(f'{name}/' for name in names)}.")
    for name in names:
        if os.path.islink(os.path.join(path, name)):
            reading.skip(MEMORIES, name, "a symbolic link, which is not followed: put the folder itself in its place")
    if not is_here:
        _records(os.path.join(path, "records"), reading, project)
    ledgers.read(path, reading)
    if not is_here:
        _transcripts(os.path.join(path, "transcripts"), reading)
    for name in _DERIVED:
        count = sum(1 for _ in source_files.walk(os.path.join(path, name), ("",)))
        if count:
            reading.notes.append(f"{count:,} files in {name}/ stay there: they are derived from the transcripts")
    return reading


def read_lines(path: str, project: str | None = None) -> Reading:
    """The records of a file with one a line (`llm-memory export FILE.jsonl`). project: for what names none.

    Raises ImportSourceError.
    """
    reading = Reading()
    reading.source = LINES_SOURCE
    mtime = source_files.mtime_of(path)
    is_any = is_known = False
    for number, line in source_files.lines(path):
        if line == b"":
            continue
        is_any = True
        try:
            if line is None:
                raise UnreadableError(f"longer than {source_files.MAX_LINE_BYTES:,} bytes")
            value = source_files.json_of(line)
            if not is_record(value):  # without an id of its own, a second import would not find it
                raise UnreadableError("no record: it has no schema_version and uuid")
            is_known = True
            _take(value, "", f"line {number}", mtime, reading, project)
        except UnreadableError as error:
            reading.skip(MEMORIES, f"line {number}", str(error))
    if is_any and not is_known:
        raise NotOfFormatError(f"{path} is not LLM Memory's file: no line of it is a record.")
    return reading


def is_record(value: object) -> bool:
    """Whether a JSON value is a memory as a file in records/ has it, whichever version wrote it."""
    return isinstance(value, dict) and "schema_version" in value and bool(_uuid(value.get("uuid")))


def _transcripts(root: str, reading: Reading) -> None:
    for name in source_files.walk(root, (SUFFIX,)):
        if "/" not in name:
            if is_session_id(name.removesuffix(SUFFIX)):
                reading.transcripts.append(os.path.join(root, name))
            else:
                reading.skip("Transcripts", f"transcripts/{name}", "not named by a session id")


def _records(root: str, reading: Reading, project: str | None) -> None:
    for name in source_files.walk(root, (".json",)):
        where = f"records/{name}"
        try:
            data, mtime = source_files.read_bytes(os.path.join(root, name), records.MAX_RECORD_BYTES)
            value = source_files.json_of(data)
        except UnreadableError as error:
            reading.skip(MEMORIES, where, str(error))
            continue
        _take(value, _uuid(name.removesuffix(".json")), where, mtime, reading, project)


def _take(value: object, named: str, where: str, mtime: str, reading: Reading, project: str | None) -> None:
    """Note a record, or why it is none. named: the id in its file's name, "" for none; mtime: its file's."""
    if not isinstance(value, dict):
        reading.skip(MEMORIES, where, "not a JSON object")
    elif value.get("deleted_at"):
        reading.skip(MEMORIES, where, "deleted there")
    elif reason := _refused(value):
        reading.skip(MEMORIES, where, reason)
    else:
        uuid = _uuid(value.get("uuid")) or named or items.derived_uuid(SOURCE, where)
        reading.add(Item(uuid, MEMORIES, where, _mended(value, mtime, project)))


def _refused(value: dict[str, Any]) -> str:
    version = value.get("schema_version", records.SCHEMA_VERSION)
    if isinstance(version, int) and version > records.SCHEMA_VERSION:
        return f"schema_version {version} was written by a newer LLM Memory: update this one"
    return "" if _content(value) else "holds no text"


def _content(value: dict[str, Any]) -> str:
    return next((text for text in (items.text_of(value.get(name)) for name in _TEXTS) if text), "")


def _uuid(value: object) -> str:
    text = value.strip().lower().replace("-", "") if isinstance(value, str) else ""
    return text if records.is_uuid(text) else ""


def _mended(value: dict[str, Any], mtime: str, project: str | None) -> dict[str, Any]:
    """A record's fields, its uuid left out."""
    kind, tags = value.get("type"), _tags(value.get("tags"))
    if kind not in records.TYPES:
        tags += items.texts_of(kind)
        kind = "note"
    fields = {items.storable(name): one for name, one in value.items() if name not in {"uuid", "schema_version"}}
    fields.update(
        type=kind,
        content=_content(value),
        project=items.text_of(value.get("project")) or project,
        session_id=items.text_of(value.get("session_id")) or None,
        importance=_importance(value.get("importance"), kind),
        transcript_ref=_ref(value.get("transcript_ref")),
        tags=items.tags_text(tags),
        created_at=items.time_of(value.get("created_at")) or mtime,
        connections=_connections(value.get("connections")),
        status="archived" if value.get("status") == "archived" else "active",
    )
    for name, read in (("updated_at", items.time_of), ("archived_in", _uuid), ("project_id", items.text_of)):
        fields[name] = read(value.get(name)) or None
    for name in ("updated_at", "archived_in", "project_id"):
        if fields[name] is None:
            del fields[name]
    if not isinstance(value.get("origin"), str):
        fields.pop("origin", None)
    return fields


def _tags(value: object) -> list[str]:
    return records.tag_list(value) if isinstance(value, str) else items.texts_of(value)


def _importance(value: object, kind: str) -> int:
    text = items.text_of(value)
    if text.isdecimal() and len(text) <= 3:  # noqa: PLR2004 - longer ones are no importance
        return min(max(int(text), 1), records.MAX_IMPORTANCE)
    return _IMPORTANCE.get(kind, records.DEFAULT_IMPORTANCE)


def _ref(value: object) -> str | None:
    """A transcript_ref in one of the forms that a record has; lists as the JSON text that one is written as."""
    if isinstance(value, list):
        found = items.texts_of(value)
        return json.dumps(found) if found else None
    return items.text_of(value) or None


def _connections(value: object) -> list[dict[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for one in value if isinstance(value, list) else []:
        to_uuid = _uuid(one.get("to_uuid")) if isinstance(one, dict) else ""
        if to_uuid:
            relationship = one.get("relationship")
            known = isinstance(relationship, str) and relationship in records.RELATIONSHIPS
            found[to_uuid, relationship if known else "related_to"] = None
    return [{"to_uuid": to_uuid, "relationship": relationship} for to_uuid, relationship in found]
