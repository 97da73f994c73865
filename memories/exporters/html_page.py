"""The frame of an exported HTML page: one file without scripts that loads nothing, whatever is in it."""

from __future__ import annotations

import html
import os

from memories.core.transcript_items import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import SupportsWrite

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Nothing is loaded, run or sent, even if something stored were taken for markup. The styles are our own file's."""

_STYLES = os.path.join(os.path.dirname(__file__), "page.css")


def escaped(text: str) -> str:
    """A stored text as text or as an attribute's value."""
    return html.escape(clean(text))


def write(file: SupportsWrite[bytes], text: str) -> None:
    """Add to the page."""
    file.write(text.encode("utf-8", "replace"))


def head(title: str, facts: list[str]) -> str:
    """The page up to where its content begins. title, facts: text."""
    with open(_STYLES, encoding="utf-8") as file:
        styles = file.read()
    told = escaped(" · ".join(fact for fact in facts if fact))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="generator" content="LLM Memory">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{styles}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#content">Skip to the content</a>\n'
        f'<header class="site"><p class="brand">LLM Memory</p><h1>{escaped(title)}</h1><p>{told}</p></header>\n'
        '<main><div class="reader">\n'
    )


def outline(label: str, entries: list[tuple[str, str, str]]) -> str:
    """A list of places in the page. entries: (id, text, what stands small behind it) of each."""
    if not entries:
        return "<div></div>\n"
    items = ""
    for place, text, small in entries:
        beside = f" <small>{escaped(small)}</small>" if small else ""
        items += f'<li><a href="#{escaped(place)}">{escaped(text)}{beside}</a></li>\n'
    return f'<nav class="outline" aria-label="{label}">\n<h2>{label}</h2>\n<ol>\n{items}</ol>\n</nav>\n'


FOOT = (
    "<footer><p>Times are UTC. Exported by <code>llm-memory export</code>; what looked like a secret is replaced.</p>"
    "</footer>\n</div>\n</div></main>\n</body>\n</html>\n"
)
"""The end of a page, from the end of its content on."""


def when(time: str, form: str = "") -> str:
    """A record's time as <time>, to the minute; form `clock`: without its day, `date`: the day alone. "" for none."""
    if not time:
        return ""
    shown = {"clock": time[11:16], "date": time[:10]}.get(form, f"{time[:10]} {time[11:16]}")
    return f'<time datetime="{escaped(time[:19])}Z">{escaped(shown)}</time>'
