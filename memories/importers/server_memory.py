"""The JSONL file of @modelcontextprotocol/server-memory: a line an entity, or a relation between two.

An entity becomes a note, its observations a list; a relation a line in the note that it goes out from, which keeps what
kind it is, and a related_to link.
"""

from __future__ import annotations

from memories.importers import items, source_files
from memories.importers.items import Item, NotOfFormatError, Reading
from memories.importers.source_files import UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SOURCE = "server-memory"
"""What records say in imported_from."""

ENTITIES, RELATIONS = "Entities", "Relations"


class _Entity:
    """What the lines of one name say. where: the first one's place."""

    __slots__ = ("kinds", "observations", "relations", "where")

    def __init__(self, where: str) -> None:
        self.where = where
        self.kinds: dict[str, None] = {}
        self.observations: dict[str, None] = {}
        self.relations: dict[tuple[str, str], None] = {}


def read(path: str, project: str | None = None) -> Reading:
    """The entities of a file as items. project: what they are filed under; it is part of their ids, as names are only
    unique within a file. Raises ImportSourceError."""
    reading = Reading()
    entities: dict[str, _Entity] = {}
    relations: list[tuple[str, str, str, str]] = []
    lines = known = 0
    for number, line in source_files.lines(path):
        where = f"line {number}"
        if line is None:
            reading.skip(ENTITIES, where, f"longer than {source_files.MAX_LINE_BYTES:,} bytes")
        elif line:
            known += _take_line(line, where, reading, entities, relations)
        lines += line != b""
    if lines and not known:
        raise NotOfFormatError(f"{path} is not server-memory's file: no line of it is an entity or a relation.")
    _join(relations, entities, reading)
    created_at = source_files.mtime_of(path)
    uuids = {name: items.derived_uuid(SOURCE, _own_id(name, project)) for name in entities}
    for name, entity in entities.items():
        reading.add(Item(uuids[name], ENTITIES, entity.where, _fields(name, entity, uuids, project, created_at)))
    return reading


def _join(relations: list[tuple[str, str, str, str]], entities: dict[str, _Entity], reading: Reading) -> None:
    """Give each relation to the entity that it goes out from."""
    for source, target, kind, where in relations:
        missing = next((name for name in (source, target) if name not in entities), None)
        if missing is not None:
            reading.skip(RELATIONS, where, f"no entity is called {missing[:80]!r}")
        else:
            reading.linked[RELATIONS] = reading.linked.get(RELATIONS, 0) + 1
        if source in entities:
            entities[source].relations[kind, target] = None


def _own_id(name: str, project: str | None) -> str:
    return f"entity:{project}/{name}" if project else f"entity:{name}"


def _take_line(
    line: bytes,
    where: str,
    reading: Reading,
    entities: dict[str, _Entity],
    relations: list[tuple[str, str, str, str]],
) -> bool:
    """Note what a line says; whether it is one of this format."""
    try:
        value = source_files.json_of(line)
    except UnreadableError as error:
        reading.skip(ENTITIES, where, str(error))
        return False
    kind = items.text_of(value.get("type")) if isinstance(value, dict) else None
    if not isinstance(value, dict) or kind not in {"entity", "relation"}:
        reading.skip(ENTITIES, where, "neither an entity nor a relation")
        return False
    if kind == "entity":
        _take_entity(value, where, reading, entities)
    else:
        source, target, relation = (items.text_of(value.get(key)) for key in ("from", "to", "relationType"))
        if source and target:
            relations.append((source, target, relation or "related to", where))
        else:
            reading.skip(RELATIONS, where, "a relation without from or to")
    return True


def _take_entity(value: dict[str, Any], where: str, reading: Reading, entities: dict[str, _Entity]) -> None:
    name = items.text_of(value.get("name"))
    if not name:
        reading.skip(ENTITIES, where, "an entity without a name")
        return
    entity = entities.setdefault(name, _Entity(where))
    entity.kinds.update(dict.fromkeys(items.texts_of(value.get("entityType"))))
    entity.observations.update(dict.fromkeys(items.texts_of(value.get("observations"))))


def _fields(name: str, entity: _Entity, uuids: dict[str, str], project: str | None, created_at: str) -> dict[str, Any]:
    parts = [f"# {name}"]
    if entity.observations:
        parts.append("\n".join(f"- {text}" for text in entity.observations))
    if entity.relations:
        parts.append("\n".join(f"- {kind} → {target}" for kind, target in entity.relations))
    fields = items.note("\n\n".join(parts), project=project, tags=list(entity.kinds), created_at=created_at)
    targets = [uuids[target] for _, target in entity.relations if target in uuids]
    fields["connections"] = items.related(uuids[name], targets)
    return fields
