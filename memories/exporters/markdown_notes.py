"""Memories as Markdown files that Obsidian opens: front matter, the text, links; and the indexes above them."""

from __future__ import annotations

import json
import re

from memories.core import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from memories.exporters.material import Head
    from memories.exporters.vault import Entry

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What JSON leaves as it is and YAML takes for an end of a line, or for nothing that may be in a file."""

_IN_ALIAS = str.maketrans({"[": "(", "]": ")", "|": "/", "<": "‹", ">": "›", "`": "'"})
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HEADINGS = (("narrative", "Narrative"), ("note", "Notes"), ("session_log", "Session logs"),
             ("conversation", "Conversations"))  # fmt: skip
HIDDEN_HEADING = "Archived and superseded"


def quoted(text: str) -> str:
    """A text as YAML has it on one line, whatever is in it: a JSON string is one of YAML's."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def time(text: str | None) -> str:
    """A record's time as YAML's own type, by which Obsidian sorts; null where there is none."""
    return (text if _TIME.fullmatch(text) else quoted(text)) if text else "null"


def front_matter(fields: Iterable[tuple[str, str]]) -> str:
    """(name, YAML) of each property as the block that begins a file."""
    return "".join(["---\n", *(f"{name}: {value}\n" for name, value in fields), "---\n\n"])


def wikilink(path: str, title: str) -> str:
    """A link to a file of the folder. path: with its suffix."""
    return f"[[{path.removesuffix('.md')}|{alias(title)}]]"


def alias(title: str) -> str:
    """A title as a link shows it: nothing in it ends the link."""
    return " ".join(title.translate(_IN_ALIAS).split()) or "untitled"


def note(head: Head, project: str, content: str, links: list[tuple[str, str]]) -> bytes:
    """A memory's file. project: "" for none. links: (how it is called, a wikilink or what stands for one) of each."""
    tags = [re.sub(r"\s+", "-", tag) for tag in records.tag_list(head.tags)]  # Obsidian's have no blanks
    fields = [
        ("uuid", quoted(head.uuid)),
        ("type", quoted(head.type)),
        ("project", quoted(project) if project else "null"),
        ("tags", "[" + ", ".join(quoted(tag) for tag in tags) + "]"),
        ("importance", str(head.importance)),
        ("created", time(head.created_at)),
        ("updated", time(head.updated_at)),
        ("status", quoted("superseded" if head.is_hidden and head.status == "active" else head.status)),
        ("aliases", f"[{quoted(head.uuid)}]"),
    ]
    more = (("session", head.session_id), ("imported_from", head.imported_from))
    fields += [(name, quoted(value)) for name, value in more if value]
    text = front_matter(fields) + closed(content) + "\n"
    if links:
        text += "\n## Links\n\n" + "".join(f"- {said} {target}\n" for said, target in links)
    return text.encode("utf-8", "replace")


def closed(content: str) -> str:
    """A text whose last block of code ends with it, so that what follows is none of it."""
    open_fence = ""
    for line in content.splitlines():
        found = _FENCE.fullmatch(line)
        if found is None:
            continue
        if not open_fence and not (found[1][0] == "`" and "`" in found[2]):
            open_fence = found[1]
        elif open_fence and found[1].startswith(open_fence) and not found[2].strip():
            open_fence = ""
    return f"{content}\n{open_fence}" if open_fence else content


def project_index(project: str, found: list[tuple[str, Entry]]) -> bytes:
    """The index of a project: its narrative first, then the rest by date, newest first. found: (path, entry)."""
    shown = [one for one in found if not one[1].hidden]
    parts = [front_matter([("type", '"index"'), ("project", quoted(project))]), f"# {alias(project)}\n"]
    for kind, heading in _HEADINGS:
        parts += _listed(heading, [one for one in shown if one[1].kind == kind])
    parts += _listed(HIDDEN_HEADING, [one for one in found if one[1].hidden])
    return "".join(parts).encode("utf-8", "replace")


def _listed(heading: str, found: list[tuple[str, Entry]]) -> list[str]:
    """A heading with the files below it, a heading for each month where there are several."""
    if not found:
        return []
    found = sorted(found, key=lambda one: (one[1].created, one[1].of), reverse=True)
    parts, month = [f"\n## {heading}\n"], ""
    has_months = len({entry.created[:7] for _, entry in found}) > 1
    for path, entry in found:
        if has_months and entry.created[:7] != month:
            month = entry.created[:7]
            parts.append(f"\n### {month or 'Undated'}\n")
        first = "\n" if parts[-1].startswith("\n#") else ""
        parts.append(f"{first}- {entry.created[:10]} {wikilink(path, entry.title)}\n")
    return parts


def top_index(projects: list[tuple[str, Entry, int]]) -> bytes:
    """The index of all: (path, entry, number of files) of each project's index."""
    parts = [front_matter([("type", '"index"')]), "# LLM Memory\n\n"]
    for path, entry, count in sorted(projects, key=lambda one: (one[1].title.casefold(), one[0])):
        parts.append(f"- {wikilink(path, entry.title)} ({count:,})\n")
    return "".join(parts).encode("utf-8", "replace")
