"""The ledgers of the first LLM Memory's later versions: projects/<project>.json and items/<project>/<kind>/<id>.json.

A project's file holds lists of items (decisions, goals, suggestions, learnings, done), a summary, operations, and its
sessions with a journal each; items/ holds the items once more, a file each, and the later version counts. Every item
becomes a note that is tagged with its kind. Fields without a place in a record are kept in imported_fields; what is
not understood is named.
"""

from __future__ import annotations

import hashlib
import os

from memories.importers import items, source_files
from memories.importers.items import Item, Reading
from memories.importers.source_files import UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOURCE = "first LLM Memory"
ITEMS, NARRATIVES = "Ledger items", "Narratives"

KINDS = {
    "decisions": "decision",
    "goals": "goal",
    "suggestions": "suggestion",
    "learnings": "learning",
    "done": "done",
}
"""A ledger's list -> the tag of its items."""

_TEXTS = ("text", "content", "body", "summary", "title")
_SAID = (
    ("rationale", "Why"), ("quote", "Said"), ("evidence", "Evidence"), ("progress", "Progress"),
    ("still_relevant_because", "Still relevant because"), ("commit", "Commit"), ("archived_reason", "Archived because"),
)  # fmt: skip
_RELATED = ("related_decisions", "linked_suggestion", "flagged_in_learnings", "blocks", "blocked_by", "links")
_TIMES = ("created_at", "introduced_at", "last_touched_at")
_PLACED = frozenset(
    {"id", "uuid", "project", "kind", "tags", "status", "supersedes", "created_at"}
    | {*_TEXTS, *_RELATED, *(name for name, _ in _SAID)}
)
_METADATA = frozenset({"schema_version", "project", "last_updated", "narrative", "summary", "operations", "sessions"})
_NARRATIVE = ".narrative.md"
_CONTESTED = ".contested.json"


class _Entry:
    """One item of a ledger, wherever it stands. tag: its kind."""

    __slots__ = ("created_at", "own_id", "project", "tag", "value", "where")

    def __init__(self, value: dict[str, Any], project: str, tag: str, where: str, created_at: str) -> None:
        self.value, self.project, self.tag, self.where = value, project, tag, where
        self.created_at = created_at
        own = items.text_of(value.get("id")) or items.text_of(value.get("uuid"))
        if not own:
            own = f"{tag}-{hashlib.sha256(_text(value).encode('utf-8', 'replace')).hexdigest()[:16]}"
        self.own_id = f"{project}/{own}"

    def is_later_than(self, other: _Entry) -> bool:
        """Whether this version of an item counts more: archived before active, then the later touched."""
        keys = [
            (one.value.get("status") == "archived", items.text_of(one.value.get("last_touched_at")))
            for one in (self, other)
        ]
        return keys[0] > keys[1]


class _Ledgers:
    """What was read so far: entries by their own ids, and when sessions were."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.entries: dict[str, _Entry] = {}
        self.sessions: dict[str, str] = {}

    def take(self, value: object, project: str, kind: str, where: str, mtime: str) -> None:
        """Note an item, or why it is none."""
        if not isinstance(value, dict) or not _text(value):
            self.reading.skip(ITEMS, where, "no item: it holds no text")
            return
        times = [self.sessions.get(items.text_of(value.get(name)), "") for name in ("introduced_in", "completed_in")]
        times += [items.time_of(value.get(name)) or "" for name in _TIMES]
        created_at = next((time for time in times if time), mtime)
        entry = _Entry(value, project, KINDS.get(kind, kind), where, created_at)
        before = self.entries.get(entry.own_id)
        if before is None or entry.is_later_than(before):
            self.entries[entry.own_id] = entry

    def finish(self) -> None:
        """Hand on what was noted."""
        for entry in self.entries.values():
            uuid = items.derived_uuid(SOURCE, entry.own_id)
            self.reading.add(Item(uuid, ITEMS, entry.where, _fields(entry, uuid)))


def read(path: str, reading: Reading) -> None:
    """Read the ledgers of a folder into a reading. Raises ImportSourceError."""
    found = _Ledgers(reading)
    for folder in ("projects", "items"):
        root = os.path.join(path, folder)
        for name in source_files.walk(root, (".json", ".jsonl", ".md")):
            where = f"{folder}/{name}"
            try:
                _read_file(os.path.join(root, name), where, found)
            except UnreadableError as error:
                reading.skip(ITEMS, where, str(error))
    found.finish()


def _read_file(path: str, where: str, found: _Ledgers) -> None:
    folders = where.split("/")
    name = folders[-1]
    if name.endswith(_CONTESTED):
        found.reading.notes.append(f"{where} stays there: it is derived from the ledger")
    elif name.endswith(_NARRATIVE):
        _narrative(path, name.removesuffix(_NARRATIVE), where, found)
    elif name.endswith(".md"):
        found.reading.skip(ITEMS, where, "not understood: no ledger and no narrative")
    elif name.endswith(".jsonl"):
        mtime = source_files.mtime_of(path)
        for number, line in source_files.lines(path):
            if line != b"":
                _take_line(line, f"{where}:{number}", folders, mtime, found)
    else:
        data, mtime = source_files.read_bytes(path)
        _take_value(source_files.json_of(data), where, folders, mtime, found)


def _take_line(line: bytes | None, where: str, folders: list[str], mtime: str, found: _Ledgers) -> None:
    try:
        if line is None:
            raise UnreadableError(f"longer than {source_files.MAX_LINE_BYTES:,} bytes")
        _take_value(source_files.json_of(line), where, folders, mtime, found)
    except UnreadableError as error:
        found.reading.skip(ITEMS, where, str(error))


def _take_value(value: object, where: str, folders: list[str], mtime: str, found: _Ledgers) -> None:
    """Take a file's or line's value. folders: of its path, which names project and kind of what is below items/."""
    is_item_file = folders[0] == "items"
    named = folders[1] if is_item_file and len(folders) > 2 else os.path.splitext(folders[-1])[0]  # noqa: PLR2004
    kind = folders[2] if is_item_file and len(folders) > 3 else ""  # noqa: PLR2004 - items/<project>/<kind>/<file>
    if isinstance(value, list):
        for number, one in enumerate(value, 1):
            _take_item(one, f"{where}[{number}]", named, kind, mtime, found)
    elif isinstance(value, dict) and not is_item_file and (_METADATA | KINDS.keys()) & value.keys() - {"project"}:
        _take_ledger(value, where, items.text_of(value.get("project")) or named, mtime, found)
    else:
        _take_item(value, where, named, kind, mtime, found)


def _take_item(value: object, where: str, named: str, kind: str, mtime: str, found: _Ledgers) -> None:
    own = value if isinstance(value, dict) else {}
    project = items.text_of(own.get("project")) or named
    found.take(value, project, items.text_of(own.get("kind")) or items.text_of(own.get("type")) or kind, where, mtime)


def _take_ledger(ledger: dict[str, Any], where: str, project: str, mtime: str, found: _Ledgers) -> None:
    sessions = ledger.get("sessions")
    for one in sessions if isinstance(sessions, list) else []:
        if isinstance(one, dict):
            time = items.time_of(one.get("ended")) or items.time_of(one.get("started"))
            found.sessions[items.text_of(one.get("session_id"))] = time or ""
    _summary(ledger.get("summary"), where, project, items.time_of(ledger.get("last_updated")) or mtime, found)
    _operations(ledger.get("operations"), where, project, items.time_of(ledger.get("last_updated")) or mtime, found)
    _journals(sessions, where, project, mtime, found)
    for name, value in ledger.items():
        if name in _METADATA or not value:
            continue
        if isinstance(value, list):
            for number, one in enumerate(value, 1):
                found.take(one, project, items.storable(name), f"{where}: {name}[{number}]", mtime)
        else:
            found.reading.skip(ITEMS, f"{where}: {name}", "not understood")


def _summary(value: object, where: str, project: str, time: str, found: _Ledgers) -> None:
    said = [(name, items.text_of(one)) for name, one in value.items()] if isinstance(value, dict) else []
    text = "\n\n".join(f"**{items.storable(name).capitalize()}.** {one}" for name, one in said if one)
    if text:
        _add(f"# {project}\n\n{text}", "summary", f"{where}: summary", project, time, found)


def _operations(value: object, where: str, project: str, time: str, found: _Ledgers) -> None:
    rows = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    said = [(items.text_of(one.get("item")), items.text_of(one.get("detail"))) for one in rows]
    text = "\n".join(f"- **{item}**: {detail}" for item, detail in said if item or detail)
    if text:
        _add(f"# {project}: operations\n\n{text}", "operations", f"{where}: operations", project, time, found)


def _journals(value: object, where: str, project: str, mtime: str, found: _Ledgers) -> None:
    for one in value if isinstance(value, list) else []:
        journal = items.text_of(one.get("journal")) if isinstance(one, dict) else ""
        if not journal:
            continue
        session_id, topic = items.text_of(one.get("session_id")), items.text_of(one.get("topic"))
        content = f"# {topic}\n\n{journal}" if topic else journal
        place = f"{where}: session {session_id[:80]}"
        _add(content, "session", place, project, found.sessions.get(session_id) or mtime, found, session_id)


def _add(
    content: str, tag: str, where: str, project: str, time: str, found: _Ledgers, session_id: str | None = None
) -> None:
    own = f"{project}/{tag}/{session_id}" if session_id else f"{project}/{tag}"
    fields = items.note(content, project=project, tags=[tag], created_at=time, session_id=session_id)
    found.reading.add(Item(items.derived_uuid(SOURCE, own), ITEMS, where, fields))


def _narrative(path: str, project: str, where: str, found: _Ledgers) -> None:
    data, mtime = source_files.read_bytes(path, 4 * items.MAX_CONTENT_CHARS)
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        found.reading.skip(NARRATIVES, where, "empty")
        return
    fields = {**items.note(text, project=project, created_at=mtime), "type": "narrative"}
    uuid = items.derived_uuid(SOURCE, f"{project}/narrative")
    found.reading.add(Item(uuid, NARRATIVES, where, fields))


def _text(value: dict[str, Any]) -> str:
    return next((text for text in (items.text_of(value.get(name)) for name in _TEXTS) if text), "")


def _fields(entry: _Entry, uuid: str) -> dict[str, Any]:
    value = entry.value
    said = [(label, "; ".join(items.texts_of(value.get(name)))) for name, label in _SAID]
    parts = [_text(value), *(f"{label}: {text}" for label, text in said if text)]
    rest = {items.storable(name): one for name, one in value.items() if name not in _PLACED and one not in (None, "")}
    session_id = items.text_of(value.get("introduced_in")) or items.text_of(value.get("completed_in"))
    tags = value.get("tags")
    fields = items.note(
        "\n\n".join(parts),
        project=entry.project,
        session_id=session_id,
        tags=[entry.tag, *(items.texts_of(tags) if isinstance(tags, list) else [items.text_of(tags)])],
        created_at=entry.created_at,
        fields=rest,
    )
    if value.get("status") == "archived":
        fields["status"] = "archived"
    fields["connections"] = [
        *items.related(uuid, _targets(value, ("supersedes",), entry.project), "supersedes"),
        *items.related(uuid, _targets(value, _RELATED, entry.project)),
    ]
    return fields


def _targets(value: dict[str, Any], names: tuple[str, ...], project: str) -> list[str]:
    """The ids of the records that an item's references become: they are short, and unique within a project."""
    found = [own for name in names for own in items.texts_of(value.get(name))]
    return [items.derived_uuid(SOURCE, f"{project}/{own}") for own in found]
