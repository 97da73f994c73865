"""Targets: narratives as they are compared and checked, and Markdown as the dashboard shows it."""

from __future__ import annotations

import html.parser

from memories import markdown, shown_text
from memories.core import (
    budget,
    citations,
    narrative_check,
    narrative_excerpt,
    narrative_items,
    narrative_losses,
    narrative_sections,
    session_log_parts,
)
from memories.core.errors import NarrativeRefusedError
from tests.dashboard import xss_payloads
from tests.fuzz import home as homes
from tests.fuzz.draw import Draw, is_structured

_LINES = (
    "# Orders", "## Decisions", "## Gotchas", "## Open items", "## History", "### Queue",
    "- Use `postgres` 14, not mysql", "- [x] done 2026-03-14", "- [ ] 60 s timeout for `GET /orders`", "~~dropped~~",
    "(dropped: why)", "| # | What |", "|---|---|", "| 1 | Use `redis` |", "```", "text below", "  - nested 5 %",
    "1. first", "<!-- comment", "-->", "", "[22c27cac:12]", "[22c27cac:12-14, 20]", "**Queue:**",
    "* [ ] Alice asks Bob", "Umfrage: 3 Uhr", "Title", "===", "> quoted", "\ttab",
)  # fmt: skip


def _texts(data: bytes) -> tuple[str, str]:
    """Two narratives; raw ones are separated by NUL."""
    if not is_structured(data):
        old, _, new = data.partition(b"\0")
        return old.decode("utf-8", "replace"), new.decode("utf-8", "surrogateescape")
    draw = Draw(data[1:])
    lines = [draw.one_of(_LINES) if draw.below(5) else draw.text(_LINES) for _ in range(draw.below(16))]
    before = list(lines)
    for _ in range(draw.below(5)):
        at = draw.below(len(lines) + 1)
        lines[at : at + draw.below(2)] = [draw.one_of(_LINES) for _ in range(draw.below(2))]
    return "\n".join(before), "\n".join(lines)


def narrative(data: bytes) -> None:
    """Narratives: any two can be compared; what is the same, or has more, lost nothing; a refusal is bounded."""
    old, new = _texts(data)
    home = homes.home("narrative")
    for text in (old, new):
        found = narrative_items.entries(text)
        lines = [entry.line for entry in found]
        assert not lines or 1 <= min(lines) <= max(lines) <= text.count("\n") + len(text.splitlines()) + 1
        assert narrative_losses.losses(text, text + "\n") == [], "nothing was taken out, and yet something is lost"
        for section in narrative_sections.sections(text):
            narrative_excerpt.excerpt(section, 50)
        budget.tokens(text)
        citations.cited(text)
        session_log_parts.opening_request(text)
    checked = narrative_check.check(home.folder, [old], new, ["x", "\0", "../y"], ["x"])
    handles = [finding.handle for finding in checked.all()]
    try:
        narrative_check.accept(checked, ["all"], ["a" * 32])
        assert not handles
    except NarrativeRefusedError as error:
        assert len(str(error)) <= narrative_check.MAX_CHARS
    assert len(narrative_check.accept(checked, handles, ["a" * 32])) == len(checked.all())


class _Tags(html.parser.HTMLParser):
    """Asserts that a page's HTML holds only what is allowed."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in markdown.ALLOWED_TAGS, f"a tag that is not allowed: {tag}"
        allowed = markdown.ALLOWED_ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
        for name, value in attrs:
            assert name in allowed, f"an attribute that is not allowed: {tag} {name}"
            if name == "href":
                bare = "".join(letter for letter in (value or "") if letter > " ").lower()
                assert bare.startswith(("http://", "https://", "mailto:", "/at/")), f"an address: {value!r}"

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


_PAYLOADS = tuple(xss_payloads.PAYLOADS)
_INLINE = (
    "[x](",
    ")",
    "<",
    ">",
    "javascript:",
    "data:",
    "![",
    "](//evil)",
    "`",
    "&#106;",
    "&colon;",
    "<http://",
    "[22c27cac:12]",
)


def markdown_page(data: bytes) -> None:
    """Markdown: the HTML of any text holds the allowed tags and attributes alone, and no address that runs a script."""
    if is_structured(data):
        draw = Draw(data[1:])
        text = "".join(
            draw.one_of((*_PAYLOADS, *_LINES)) if draw.below(3) else draw.text(_INLINE) for _ in range(draw.below(6))
        )
    else:
        text = data.decode("utf-8", "replace")
    page = markdown.render_markdown(text, lambda session, line: f"/at/{line}")
    parser = _Tags()
    parser.feed(str(page))
    parser.close()
    assert "\n" not in shown_text.plain_line(text)
