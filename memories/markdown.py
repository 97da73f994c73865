"""Markdown of stored text -> HTML that is safe to show. What is stored is hostile until it has passed through here.

Two independent walls: markdown-it is told to escape raw HTML, and nh3 keeps only ALLOWED_TAGS of what comes out. Images
are neither parsed nor allowed: showing one would tell its server that the page was read. No Django: exports render too.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from memories.core.citations import CITATION, LINES, PLACE

CitationAddress = Callable[[str, int], str | None]
"""(session as a citation names it, line) -> the address of that line; None where it is not to be linked."""

MAX_MARKDOWN_CHARS = 200_000
"""Longer text is shown as it is: parsing takes about 1 s per million characters."""

_MOST_MARKUP = 3
"""Markdown that becomes so many times as long is shown as it is: a table of nothing is ten times its source."""

ALLOWED_TAGS = frozenset(
    "a blockquote br code del em h2 h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()
)
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
URL_SCHEMES = {"http", "https", "mailto"}
_LOWEST_HEADING = 6
_ABSOLUTE = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_LINES = re.compile(LINES)
_FIRST_NUMBER = re.compile(r"\d+")

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


class SafeHtml(str):
    """HTML in which everything stored is escaped already: templates put it in as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """The same, as Django's and other templates ask for it."""
        return str(self)


def preformatted(text: str) -> SafeHtml:
    """A text as it is."""
    return SafeHtml(f"<pre>{html.escape(text)}</pre>")


def render_markdown(text: str, citation_address: CitationAddress | None = None) -> SafeHtml:
    """The text as HTML. Headings start at <h2>, below the page's own; relative links lose their address, but for those
    that citation_address gives to the text's citations."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair, which a record's file may hold
    if len(text) > MAX_MARKDOWN_CHARS:
        return preformatted(text)
    tokens = _parser.parse(text)
    ours: set[str] = set()
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + 1, _LOWEST_HEADING)}"
        elif token.children and citation_address:
            linked = _with_citations(token.children, citation_address, ours)
            token.children = [one for one in linked if one.content or one.type != "code_inline"]

    def allowed(tag: str, name: str, value: str) -> str | None:
        is_relative = tag == "a" and name == "href" and not _ABSOLUTE.match(value)
        return None if is_relative and value not in ours else value

    safe = nh3.clean(
        _parser.renderer.render(tokens, _parser.options, {}),
        tags=set(ALLOWED_TAGS),
        attributes=ALLOWED_ATTRIBUTES,
        attribute_filter=allowed,
        url_schemes=URL_SCHEMES,
        url_relative="pass_through",  # `allowed` lets ours through alone
        link_rel="noopener noreferrer nofollow",
    )
    return SafeHtml(safe)


def rendered(text: str) -> SafeHtml:
    """Markdown as HTML, or as it is where that would be far longer."""
    safe = render_markdown(text)
    return safe if len(safe) <= _MOST_MARKUP * len(text) + 1000 else preformatted(text)


def _with_citations(children: list[Token], address: CitationAddress, ours: set[str]) -> Iterator[Token]:
    """A block's tokens with links around the places of its citations, `[id:12]` and ``[`id:12`]``, outside links.

    ours: gets the addresses of those links.
    """
    depth = 0
    for index, token in enumerate(children):
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if depth or token.type not in {"text", "code_inline"}:
            yield token
        elif token.type == "text":
            end = 0
            for found in CITATION.finditer(token.content):
                yield _like(token, token.content[end : found.start()])
                yield from _places(token, found[0], address, ours)
                end = found.end()
            yield _like(token, token.content[end:])
        elif _in_brackets(children, index) and CITATION.fullmatch(f"[{token.content}]"):
            yield from _places(token, token.content, address, ours)
        else:
            yield token


def _in_brackets(children: list[Token], index: int) -> bool:
    around = [children[place].content if 0 <= place < len(children) else "" for place in (index - 1, index + 1)]
    return around[0].endswith("[") and around[1].startswith("]")


def _places(token: Token, citation: str, address: CitationAddress, ours: set[str]) -> Iterator[Token]:
    """A citation as tokens like the one it stood in; a session with its first line is a link, so is each other line."""
    end = 0
    for place in PLACE.finditer(citation):
        for number, lines in enumerate(_LINES.finditer(citation, place.start("lines"), place.end("lines"))):
            start = lines.start() if number else place.start()
            yield _like(token, citation[end:start])
            end = lines.end()
            shown = _like(token, citation[start:end])
            line = int(_FIRST_NUMBER.search(lines[0])[0])  # type: ignore[index]  # LINES begins with one
            where = address(place["session"], line)
            if where is None:
                yield shown
                continue
            ours.add(where)
            yield Token("link_open", "a", 1, attrs={"href": where})
            yield shown
            yield Token("link_close", "a", -1)
    yield _like(token, citation[end:])


def _like(token: Token, content: str) -> Token:
    return Token(token.type, token.tag, 0, content=content, markup=token.markup)
