"""What a reader makes of its source: items that can become records, what it passed over, and why."""

from __future__ import annotations

import re

from memories.core import clock, records
from memories.core.errors import ImportSourceError
from memories.core.session_logs import NAMESPACE
from memories.core.transcripts import is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_CONTENT_CHARS = 1_000_000
"""As memory_store's: a longer text is no memory."""

MAX_CHARS = 500_000_000
"""Characters that one import holds: all is checked before anything is stored."""

MAX_SKIPPED = 10_000
"""Reasons that are kept; the rest is counted. A file of garbage must not fill the memory."""

IMPORTED_FIELDS = "imported_fields"
"""Record field: what the source says beside that has no field of the format."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NotOfFormatError(ImportSourceError):
    """Nothing in a source is of the format that it was said to be."""


class Item:
    """One record to be. kind: what the report counts it as; where: its place in the source; fields: the record's own,
    content, created_at and connections included, as the reader found them."""

    __slots__ = ("fields", "kind", "uuid", "where")

    def __init__(self, uuid: str, kind: str, where: str, fields: dict[str, Any]) -> None:
        self.uuid, self.kind, self.where, self.fields = uuid, kind, where, fields


class Reading:
    """A source, read. items; skipped: (place, reason) of the first MAX_SKIPPED that cannot come; skipped_by_kind:
    kind -> how many; linked: kind -> how many are part of items, as their links; notes: what is left out on purpose, in
    words; transcripts: paths of `<session id>.jsonl`; source: what it is from, where its format does not say it."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.skipped: list[tuple[str, str]] = []
        self.skipped_by_kind: dict[str, int] = {}
        self.linked: dict[str, int] = {}
        self.notes: list[str] = []
        self.source = ""
        self.transcripts: list[str] = []
        self._chars = 0

    def add(self, item: Item) -> None:
        """Take an item. Raises ImportSourceError where the source is too much for one import."""
        self._chars += len(item.fields["content"])
        if self._chars > MAX_CHARS:
            raise ImportSourceError(
                f"It holds more than {MAX_CHARS:,} characters of text, too much for one import: import parts of it."
            )
        self.items.append(item)

    def skip(self, kind: str, where: str, reason: str) -> None:
        """Note what cannot come, and why."""
        self.skipped_by_kind[kind] = self.skipped_by_kind.get(kind, 0) + 1
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append((where, reason))


def derived_uuid(source: str, own_id: str) -> str:
    """The id of the record that a source's item becomes, the same each time: uuid5 over `<source>:<its own id>`."""
    return records.uuid5(NAMESPACE, f"{source}:{own_id}")


def storable(text: str) -> str:
    """A text without what no file or index can hold: NUL and halves of surrogate pairs become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def text_of(value: object) -> str:
    """A value of somebody's JSON or database as a stripped text; "" for what is none."""
    if isinstance(value, bool) or value is None:
        return ""
    return storable(value).strip() if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def texts_of(value: object) -> list[str]:
    """The texts of a list, or of one text; those that are empty left out."""
    found = map(text_of, value if isinstance(value, list) else [value])
    return [text for text in found if text]


def tags_text(tags: list[str]) -> str | None:
    """Tags as a record has them: each once, without commas; None for none."""
    parts = (part.strip() for tag in tags for part in tag.replace("\n", " ").split(","))
    return ", ".join(dict.fromkeys(part for part in parts if part)) or None


def time_of(value: object) -> str | None:
    """A source's time as a record's, in UTC: ISO, a day, Unix seconds or milliseconds; None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > _MILLISECONDS else value
        return clock.format_time(seconds) if 0 < seconds <= records.LAST_SECOND else None
    if not isinstance(value, str):
        return None
    text = value.strip().strip("'\"")
    return clock.normalise_time(f"{text}T00:00:00" if len(text) == _DAY else text)


_MILLISECONDS = 100_000_000_000
"""A larger number counts milliseconds: as seconds it would be a year after 5138."""
_DAY = len("2026-03-14")


def note(
    content: str,
    *,
    project: str | None = None,
    session_id: object = None,
    tags: list[str] | None = None,
    created_at: str | None = None,
    fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A note's fields. session_id: kept where it is one. fields: what goes to IMPORTED_FIELDS."""
    made: dict[str, Any] = {
        "type": "note",
        "content": storable(content).strip(),
        "project": text_of(project) or None,
        "session_id": session_id if is_session_id(session_id) else None,
        "tags": tags_text(tags or []),
        "created_at": created_at,
        "connections": [],
    }
    if fields:
        made[IMPORTED_FIELDS] = fields
    return made


def related(uuid: str, targets: list[str], relationship: str = "related_to") -> list[dict[str, str]]:
    """Links to targets, each once, none to the record itself."""
    return [{"to_uuid": to, "relationship": relationship} for to in dict.fromkeys(targets) if to != uuid]
