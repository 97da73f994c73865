"""A folder of basic-memory's Markdown notes (Obsidian's open in it too): a file a note, wikilinks the connections.

The body stays as it is written; `- [category] observation #tag` gives its tags, `[[Target]]` a related_to link where
the folder has that note.
"""

from __future__ import annotations

import os
import re

from memories.core import private_passages
from memories.importers import front_matter, items, source_files
from memories.importers.items import Item, NotOfFormatError, Reading
from memories.importers.source_files import UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.importers.front_matter import Value

SOURCE = "basic-memory"
NOTES = "Notes"
ENDINGS = (".md",)

MAX_NOTE_BYTES = 4 * items.MAX_CONTENT_CHARS
"""Of a file: as many bytes as the longest memory can have in UTF-8."""

_LINK = re.compile(r"\[\[([^\[\]\n|#]{1,500})(?:#[^\[\]\n|]{0,500})?(?:\|[^\[\]\n]{0,500})?\]\]")
_OBSERVATION = re.compile(r"^[ \t]*- \[[^\[\]\n()]{1,100}\](?!\()[ \t]+(\S.*)$", re.MULTILINE)
_TAG = re.compile(r"(?:^|(?<=\s))#([^\s#,()\[\]]{1,100})")
_HEADING = re.compile(r"^# +(.+?)[ \t#]*$", re.MULTILINE)
_OWN = frozenset({"title", "type", "permalink", "tags", "created", "created_at", "date"})
"""Front matter that has a place in a record; the rest goes to imported_fields."""


class _Note:
    """One file, read."""

    __slots__ = ("body", "created_at", "front", "path", "permalink", "title")

    def __init__(self, path: str, text: str, mtime: str) -> None:
        self.path = path
        self.front, self.body = front_matter.split(text)
        stem = os.path.splitext(os.path.basename(path))[0]
        self.title = _text(self.front.get("title")) or stem
        self.permalink = _text(self.front.get("permalink")) or os.path.splitext(path)[0]
        times = (items.time_of(self.front.get(name)) for name in ("created", "created_at", "date"))
        self.created_at = next((time for time in times if time), mtime)


def read(path: str, project: str | None = None) -> Reading:
    """The notes of a folder, or of one file, as items. project: what they are filed under; it is part of their ids, as
    permalinks are only unique within a folder. Raises ImportSourceError."""
    reading = Reading()
    root, names = path, source_files.walk(path, ENDINGS)
    if os.path.isfile(path):
        root, names = os.path.dirname(path) or ".", iter([os.path.basename(path)])
    notes = []
    for name in names:
        try:
            data, mtime = source_files.read_bytes(os.path.join(root, name), MAX_NOTE_BYTES)
        except UnreadableError as error:
            reading.skip(NOTES, name, str(error))
            continue
        one = _Note(name, items.storable(data.decode("utf-8-sig", "replace")), mtime)
        if reason := _refused(one):
            reading.skip(NOTES, name, reason)
        else:
            notes.append(one)
    if not notes and not reading.skipped:
        raise NotOfFormatError(f"{path} is not basic-memory's: no Markdown note is in it.")
    uuids: dict[str, str] = {}
    taken: set[str] = set()
    for one in notes:
        own = one.permalink if one.permalink not in taken else one.path  # two files of one permalink: both come
        taken.add(own)
        uuids[one.path] = items.derived_uuid(SOURCE, f"{project}/{own}" if project else own)
    names_of = _names(notes)
    for one in notes:
        targets = [uuids[path] for path in _targets(one, names_of)]
        reading.add(Item(uuids[one.path], NOTES, one.path, _fields(one, uuids[one.path], targets, project)))
    return reading


def _refused(one: _Note) -> str:
    """Why a note stays out, "" where it comes: its title alone, which may only be its file's name, is no memory."""
    if not one.body.strip():
        return "holds no text"
    parts, end = [], 0
    for start, stop in private_passages.private(one.body):
        parts.append(one.body[end:start])
        end = stop
    said = [line for line in "".join([*parts, one.body[end:]]).splitlines() if line.strip()]
    is_title_only = len(said) == 1 and one.title in _headings(said[0])
    return "all of it is marked as private" if end and (not said or is_title_only) else ""


def _headings(text: str) -> set[str]:
    return {heading.strip() for heading in _HEADING.findall(text)}


def _names(notes: list[_Note]) -> dict[str, str]:
    """What a link may call a note -> its path: its path or permalink, also without the first folder (a project's name
    in newer permalinks), its title, its file's name. What is more exact comes first."""
    found: dict[str, str] = {}
    stems = {one.path: os.path.splitext(one.path)[0] for one in notes}
    for names in (
        lambda one: (stems[one.path], one.permalink),
        lambda one: (one.title,),
        lambda one: (os.path.basename(stems[one.path]), one.permalink.partition("/")[2]),
    ):
        for one in notes:
            for name in names(one):
                if name:
                    found.setdefault(_folded(name), one.path)
    return found


def _folded(name: str) -> str:
    return name.strip().removesuffix(".md").casefold()


def _targets(one: _Note, names: dict[str, str]) -> list[str]:
    found = (names.get(_folded(target)) for target in _LINK.findall(one.body))
    return [path for path in found if path]


def _fields(one: _Note, uuid: str, targets: list[str], project: str | None) -> dict[str, Any]:
    body = one.body.strip()
    content = body if one.title in _headings(body[:2000]) else f"# {one.title}\n\n{body}"
    kind = _text(one.front.get("type"))
    tags = [kind] if kind and kind != "note" else []
    tags += _list(one.front.get("tags"))
    tags += [tag for text in _OBSERVATION.findall(body) for tag in _TAG.findall(text)]
    rest = {name: value for name, value in one.front.items() if name.lower() not in _OWN and value}
    fields = items.note(content, project=project, tags=tags, created_at=one.created_at, fields=rest)
    fields["connections"] = items.related(uuid, targets)
    return fields


def _text(value: Value | None) -> str:
    return value.strip() if isinstance(value, str) else ""


def _list(value: Value | None) -> list[str]:
    parts = value if isinstance(value, list) else (value or "").split(",")
    return [part.strip().lstrip("#") for part in parts]
