"""A project as one HTML page: its narrative, its notes, its sessions' logs, and all of it by date."""

from __future__ import annotations

from memories import named
from memories.exporters import html_memories, html_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from memories.exporters.material import Head, Material

_SECTIONS = (("narrative", "Narrative"), ("note", "Notes"), ("session_log", "Session logs"))
_COUNTED = {"note": ("note", ""), "session_log": ("session log", ""), "hidden": ("archived and superseded",) * 2}


def write(material: Material, file: BinaryIO) -> int:
    """Write the page; how many memories it shows."""
    heads = list(reversed(material.heads.values()))
    shown = [head for head in heads if not head.is_hidden]
    parts = [(kind, title, [head for head in shown if head.type == kind]) for kind, title in _SECTIONS]
    parts.append(("hidden", "Archived and superseded", [head for head in heads if head.is_hidden]))
    parts = [part for part in parts if part[2]]
    name = material.scope.name if material.scope else ""
    counts = [named.counted(len(found), *_COUNTED[kind]) for kind, _, found in parts if kind in _COUNTED]
    times = [head.created_at[:10] for head in heads]
    html_page.write(file, html_page.head(name, [" – ".join(dict.fromkeys([*times[-1:], *times[:1]])), *counts]))
    places = [(kind, title, f"{len(found):,}") for kind, title, found in parts]
    html_page.write(file, html_page.outline("Contents", [*places, ("timeline", "Timeline", "")]))
    html_page.write(file, '<div class="content" id="content">\n')
    for kind, title, found in parts:
        html_page.write(file, f'<section id="{kind}"><h2>{title}</h2>\n')
        for head in found:
            is_folded = kind in {"session_log", "hidden"}
            html_page.write(file, html_memories.entry(material, head, is_folded=is_folded))
        html_page.write(file, "</section>\n")
    html_page.write(file, _timeline(heads))
    html_page.write(file, html_page.FOOT)
    return len(heads)


def _timeline(heads: list[Head]) -> str:
    """A line for each memory, newest first, a heading for each month."""
    parts, month = ['<section id="timeline"><h2>Timeline</h2>\n'], ""
    for head in heads:
        if head.created_at[:7] != month:
            parts.append("</ul>\n" if month else "")
            month = head.created_at[:7]
            parts.append(f'<h3 class="day">{html_page.escaped(month)}</h3>\n<ul class="timeline">\n')
        link = f'<a href="#{html_memories.place(head.uuid)}">{html_page.escaped(head.title)}</a>'
        said = html_page.escaped(head.type.replace("_", " "))
        parts.append(
            f'<li class="{html_page.escaped(head.type)}">{html_page.when(head.created_at, "date")}'
            f'<span><span class="type">{said}</span> {link}</span></li>\n'
        )
    return "".join([*parts, "</ul>\n" if month else "", "</section>\n"])
