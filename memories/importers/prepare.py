"""Items made into records that may be stored: without secrets, whole, and with the marks of where they are from."""

from __future__ import annotations

import hashlib
import json

from memories.core import record_merge, records, redact, redaction
from memories.core.errors import InvalidRecordError
from memories.importers import items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.redact import Redactor
    from memories.importers.items import Item

IMPORTED_HASH = "imported_hash"
"""Record field: what the record said when it was imported. One that says so still was not edited here."""

MAX_DEPTH = 50
"""Fields of anybody's making that are nested deeper are refused: whoever reads a record later must not stop at them."""

_HASH_CHARS = 32
_HASHED = (
    "type", "content", "project", "session_id", "importance", "transcript_ref", "tags", "status", items.IMPORTED_FIELDS,
)  # fmt: skip
_MARKS = (b"[redacted: ", b"[private]")
_MAX_LINE_CHARS = 1000
"""Of a project's or session's name."""


class Prepared:
    """A record, ready to be compared with what is here. kind, where: its item's; secrets: replaced in it."""

    __slots__ = ("kind", "record", "secrets", "where")

    def __init__(self, item: Item, record: dict[str, Any], secrets: int) -> None:
        self.kind, self.where = item.kind, item.where
        self.record = record
        self.secrets = secrets


class Preparer:
    """Makes records of one source's items. source: what they say in imported_from."""

    __slots__ = ("_redactor", "_source")

    def __init__(self, folder: DataFolder, source: str) -> None:
        self._redactor: Redactor = redaction.of(folder)
        self._source = source

    def prepare(self, item: Item) -> Prepared:
        """The record that an item becomes. Raises InvalidRecordError with why it cannot be one."""
        record = self._record(item)
        if len(record["content"]) > items.MAX_CONTENT_CHARS:
            raise InvalidRecordError(
                f"{len(record['content']):,} characters; a memory has at most {items.MAX_CONTENT_CHARS:,}"
            )
        for name in ("project", "session_id", "project_id"):
            if len(record.get(name) or "") > _MAX_LINE_CHARS:
                raise InvalidRecordError(f"{name} has more than {_MAX_LINE_CHARS:,} characters")
        if _is_too_deep(record):
            raise InvalidRecordError(f"its fields are nested more than {MAX_DEPTH} deep")
        secrets = self._redact(record, records.dump(record))
        record[IMPORTED_HASH] = fingerprint(record)
        if len(records.dump(record)) > records.MAX_RECORD_BYTES:
            raise InvalidRecordError(f"more than {records.MAX_RECORD_BYTES:,} bytes")
        records.validate(record)
        return Prepared(item, record, secrets)

    def _record(self, item: Item) -> dict[str, Any]:
        record: dict[str, Any] = {
            "schema_version": records.SCHEMA_VERSION,
            "uuid": item.uuid,
            "type": "note",
            "content": "",
            "project": None,
            "session_id": None,
            "importance": records.DEFAULT_IMPORTANCE,
            "transcript_ref": None,
            "tags": None,
            "created_at": None,
            "connections": [],
            "status": "active",
        }
        record.update(item.fields)
        record.pop(IMPORTED_HASH, None)
        if not isinstance(record.get(record_merge.IMPORTED_FROM), str):
            record[record_merge.IMPORTED_FROM] = self._source
        return record

    def _redact(self, record: dict[str, Any], before: bytes) -> int:
        """Replace the secrets in a record, ids and paths that somebody else chose included; how many there were."""
        found = self._redactor.record(record)
        for name in ("session_id", "transcript_ref", "project_id", "origin"):
            text = record.get(name)
            if isinstance(text, str) and self._redactor.spans(text):
                record[name] = self._redactor.text(text)
                found.append(name)
        if not found:
            return 0
        if not record["content"].replace(redact.placeholder(redact.PRIVATE), "").strip():
            raise InvalidRecordError("all of it is marked as private")
        after = records.dump(record)
        return max(sum(after.count(mark) - before.count(mark) for mark in _MARKS), 1)


def fingerprint(record: dict[str, Any]) -> str:
    """A hash of what a record says. When it was written, its links and who wrote it are left out, and whether a
    narrative is the current one."""
    said = [record.get(name) or None for name in _HASHED]
    if record.get("type") == "narrative":
        said[_HASHED.index("status")] = None
    text = json.dumps(said, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_HASH_CHARS]


def _is_too_deep(record: dict[str, Any]) -> bool:
    level: list[Any] = [record]
    for _ in range(MAX_DEPTH):
        inner = [one for value in level for one in (value.values() if isinstance(value, dict) else value)]
        level = [one for one in inner if isinstance(one, dict | list)]
        if not level:
            return False
    return True
