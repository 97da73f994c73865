"""Memories as HTML: each an entry with its text, what is known of it and its links."""

from __future__ import annotations

from memories.core import records
from memories.exporters.html_page import escaped, when
from memories.markdown import render_markdown
from memories.shown_text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.exporters.material import Head, Material


def entry(material: Material, head: Head, *, is_folded: bool = False) -> str:
    """A memory. is_folded: its text is seen when it is opened."""
    kind = escaped(head.type)
    state = "superseded" if head.is_hidden and head.status == "active" else head.status
    facts = [
        f'<span class="type">{escaped(head.type.replace("_", " "))}</span>',
        when(head.created_at),
        f"<span>importance {head.importance}</span>",
        f'<span class="tag">{state}</span>' if state != "active" else "",
        f"<span>imported from {escaped(head.imported_from)}</span>" if head.imported_from else "",
        *(f'<span class="tag">{escaped(tag)}</span>' for tag in records.tag_list(head.tags)),
        f"<code>{escaped(head.uuid)}</code>",
    ]
    text = f'<div class="text">{render_markdown(shown(material.content(head.uuid)))}</div>\n'
    told = f'<p class="facts">{" ".join(fact for fact in facts if fact)}</p>\n'
    links = _links(material, head.uuid)
    inside = f"{told}{text}{links}"
    if is_folded:
        inside = f"<details><summary>{escaped(head.title)}</summary>\n{inside}</details>\n"
    return f'<article class="entry {kind}" id="{place(head.uuid)}">\n{inside}</article>\n'


def place(uuid: str) -> str:
    """The id of a memory in the page."""
    return f"m-{escaped(uuid)}"


def _links(material: Material, uuid: str) -> str:
    items = []
    for said, other in material.links(uuid):
        title = material.title(other)
        if other in material.heads:
            target = f'<a href="#{place(other)}">{escaped(title)}</a>'
        else:
            target = f"{escaped(title)} (not in this file)" if title else f"<code>{escaped(other)}</code> (not there)"
        items.append(f'<li><span class="relationship">{said}</span> {target}</li>\n')
    return f'<ul class="links">\n{"".join(items)}</ul>\n' if items else ""
