"""Markdown of stored text -> HTML that is safe to show. What is stored is hostile until it has passed through here.

Two independent walls: markdown-it is told to escape raw HTML, and nh3 keeps only ALLOWED_TAGS of what comes out. Images
are neither parsed nor allowed: showing one would tell its server that the page was read.
"""

from __future__ import annotations

import re

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

MAX_MARKDOWN_CHARS = 200_000
"""Longer text is shown as it is: parsing takes about 1 s per million characters."""

ALLOWED_TAGS = frozenset(
    "a blockquote br code del em h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()
)
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
URL_SCHEMES = {"http", "https", "mailto"}
_LOWEST_HEADING = 6
_LINE_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|```.*$|~~~.*$|\|?[-:| \t]{3,}$|>[ \t]?)", re.MULTILINE)

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def render_markdown(text: str) -> SafeString:
    """The text as HTML. Headings start at <h2>, below the page's own; relative links lose their address."""
    if len(text) > MAX_MARKDOWN_CHARS:
        return format_html("<pre>{}</pre>", text)
    tokens = _parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + 1, _LOWEST_HEADING)}"
    html = nh3.clean(
        _parser.renderer.render(tokens, _parser.options, {}),
        tags=set(ALLOWED_TAGS),
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes=URL_SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(html)  # noqa: S308 - nh3 is what makes it safe


def plain_line(text: str) -> str:
    """The text on one line without the marks that only make sense at the start of a line (headings, fences, rules)."""
    return " ".join(_LINE_MARKS.sub("", text).replace("|", " ").split())
