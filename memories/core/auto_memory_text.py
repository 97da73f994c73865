"""What a file of Claude Code's auto memory says, as a memory's text.

One file holds one fact: front matter (name, description, and a type, which newer clients put below `metadata:` with the
id of the session that wrote it), then Markdown. MEMORY.md beside the files is an index of pointers to them; what people
or older clients wrote into it besides is a memory too. Claude writes these files freely: whatever cannot be understood
is text.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from memories.core.transcripts import is_session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

INDEX = "MEMORY.md"
"""The index's name, in the folder and in those below it."""

TYPES = ("user", "feedback", "project", "reference")
"""What Claude Code 2.1 says a memory is about (the `type` that it asks the model for)."""

MAX_FRONT_LINES = 100
"""Front matter that is longer is text."""

NAME_CHARS = 200
_FENCES = ("---", "...")
_FIELD = re.compile(r"(?P<indent> *)(?P<name>[A-Za-z_][\w-]*):(?:[ \t]+(?P<value>.*))?")
_BLOCK = re.compile(r"[|>][+-]?[1-9]?[+-]?")
_POINTER = re.compile(r"\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?\[[^]]*\]\((?P<target>[^)\s]+)\)")


class Text:
    """What a file says. content: Markdown, "" where it says nothing; kind: one of TYPES, "" for another or none;
    session_id: of the session that wrote it, None where it does not say."""

    __slots__ = ("content", "kind", "session_id")

    def __init__(self, content: str, kind: str = "", session_id: str | None = None) -> None:
        self.content = content
        self.kind = kind
        self.session_id = session_id


def of_file(text: str, stem: str) -> Text:
    """A memory's file. stem: its name without `.md`, which stands in for a name that the front matter lacks."""
    fields, body = front_matter(text)
    name = " ".join((fields.get("name") or stem).split())[:NAME_CHARS]
    description, body = fields.get("description", "").strip(), body.strip()
    parts = [part for part in (description if description not in body else "", body) if part]
    kind, session_id = fields.get("type", "").lower(), fields.get("originSessionId", "")
    return Text(
        "\n\n".join([f"# {name}", *parts]) if parts else "",
        kind if kind in TYPES else "",
        session_id if is_session_id(session_id) else None,
    )


def of_index(text: str, names: Set[str]) -> Text:
    """What a MEMORY.md holds besides its pointers: to files beside it, which need not be there any more, and to those
    below its folder. names: of the files that are there."""
    lines = [line for line in front_matter(text)[1].split("\n") if not _points_to(line, names)]
    if all(not line.strip() or line.lstrip().startswith("#") for line in lines):
        return Text("")
    rest = "\n".join(lines).strip()
    return Text(rest if rest.startswith("#") else f"# {INDEX}\n\n{rest}")


def _points_to(line: str, names: Set[str]) -> bool:
    found = _POINTER.match(line)
    if found is None:
        return False
    target = unquote(found["target"].strip("<>")).removeprefix("./")
    return target in names or (target.endswith(".md") and "/" not in target)


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The fields before a text, at any depth, each by its first mention, and the text without them.

    Of YAML it understands plain, quoted and block values. A text without front matter, or whose front matter never
    ends, is given whole.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text
    end = next((at for at, line in enumerate(lines[1 : MAX_FRONT_LINES + 2], 1) if line.rstrip() in _FENCES), 0)
    if not end:
        return {}, text
    return _fields(lines[1:end]), "\n".join(lines[end + 1 :])


def _fields(lines: list[str]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    open_value: list[str] = []
    depth, is_block = 0, False
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        found = _FIELD.fullmatch(line.rstrip())
        if (is_block and (indent > depth or not line.strip())) or (open_value and indent > depth and not found):
            open_value.append(line.strip())
            continue
        open_value, is_block = [], False
        if found is None:
            continue
        value = (found["value"] or "").strip()
        depth, is_block = indent, _BLOCK.fullmatch(value) is not None
        open_value = [] if is_block or not value else [value]
        if found["name"] not in values:
            values[found["name"]] = open_value
    return {name: _unquoted(" ".join(filter(None, parts))) for name, parts in values.items()}


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        inner = value[1:-1]
        return inner.replace("''", "'") if value[0] == "'" else inner.replace('\\"', '"').replace("\\\\", "\\")
    return value
