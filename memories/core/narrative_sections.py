"""A narrative's sections: their names, their order, and their token budgets. The one place that knows them.

A narrative is Markdown written by Claude; hooks/rules/CLAUDE.md names the headings. What is read here is lenient: case,
numbering, emphasis and the words after the name do not matter (`## 2. Key decisions` is a section of decisions).
"""

from __future__ import annotations

import re

from memories.core import budget
from memories.core.patterns import lazy

REQUIRED = (
    "What this is",
    "Current state",
    "Next steps",
    "Decisions with reasons",
    "Gotchas",
    "Session history",
    "Sources",
)
"""The headings that a narrative has, in this order (hooks/rules/CLAUDE.md asks for exactly these)."""

NAMES = (
    ("what this is", r"^what this is\b"),
    ("current state", r"\bcurrent (?:state|status)\b"),
    ("next steps", r"\bnext steps?\b"),
    ("outstanding", r"\boutstanding\b|\bopen (?:items|issues|points|questions|work)\b"),
    ("decisions", r"\bdecisions?\b"),
    ("gotchas", r"\bgotchas?\b"),
    ("session history", r"^(?:session )?history\b"),
    ("sources", r"^sources\b"),
)
"""How headings of each kind read, in lower case: those asked for, and what earlier narratives called the same. Of a
heading that reads like several, the first counts."""

KINDS = tuple(kind for kind, _ in NAMES)

SHARES = {"current state": 0.28, "next steps": 0.18}
"""Parts of a briefing that are kept for where the work stopped, whatever else there is: these are always shown. At the
default length of 6,000 units that is 420 and 270 tokens: about eight and six entries of a line or two."""

LEAST_TOKENS = {"outstanding": 90, "what this is": 60, "decisions": 150, "gotchas": 75, "session history": 75}
"""What each other kind gets at least in a briefing of the default length, where it has so much to say: some entries of
each, rather than all of one. Scaled with the length."""

LEAST_OTHER_TOKENS = 50

STORED_TOKENS = {
    "what this is": 200,
    "current state": 600,
    "next steps": 600,
    "outstanding": 600,
    "decisions": 3000,
    "gotchas": 2000,
    "session history": 1500,
    "sources": 1200,
}
"""What a section of a stored narrative may hold before memory_store warns. Together 9,700 tokens, or 38,800 units:
memory_get gives that in one answer (Claude Code passes on 50,000 units whole). Decisions and gotchas get the most: they
may only be condensed, never dropped; the history is what can be shortened."""

STORED_OTHER_TOKENS = 600

_HEADING = lazy(r"^(#{1,6}) +(.+?)[ #]*$")
_NUMBERING = lazy(r"^[\W\d_]+")


class Section:
    """heading: as written, "" for the text before the first one. kind: one of KINDS, None for others. body: the text
    below the heading with its subsections inside, stripped, never empty."""

    __slots__ = ("body", "heading", "kind")

    def __init__(self, heading: str, body: str) -> None:
        self.heading = heading
        self.kind = kind_of(heading)
        self.body = body


def kind_of(heading: str) -> str | None:
    """The kind of section that a heading begins: one of KINDS, None for others."""
    name = _NUMBERING.sub("", heading).lower()
    return next((kind for kind, pattern in NAMES if re.search(pattern, name)), None)


def sections(content: str) -> list[Section]:
    """A narrative's sections, in its own order. A heading without any text below it (the title, mostly) is none."""
    lines = content.splitlines()
    heads = headings(lines)
    levels = [level for _, level, _ in heads]
    below_title = [level for level in levels if level > 1]
    level = min(below_title) if levels.count(1) == 1 and below_title else min(levels, default=1)
    starts = [(-1, ""), *((number, title) for number, own, title in heads if own <= level)]
    ends = [*(number for number, _ in starts[1:]), len(lines)]
    found = [
        (title, "\n".join(lines[start + 1 : end]).strip()) for (start, title), end in zip(starts, ends, strict=True)
    ]
    return [Section(title, body) for title, body in found if body]


def headings(lines: list[str]) -> list[tuple[int, int, str]]:
    """(line number from 0, level, title) of each Markdown heading that is not in a block of code."""
    found = []
    fence = ""
    for number, line in enumerate(lines):
        mark = line.strip()[:3]
        if mark in budget.FENCES and fence in {"", mark}:
            fence = "" if fence else mark
        heading = None if fence else _HEADING.match(line)
        if heading:
            found.append((number, len(heading[1]), heading[2]))
    return found


def missing(found: list[Section]) -> list[str]:
    """The headings of REQUIRED of whose kind no section is there, in their order."""
    there = {section.kind for section in found}
    return [heading for heading in REQUIRED if kind_of(heading) not in there]


def stored_budget(kind: str | None) -> int:
    """Tokens that a stored narrative's section of a kind may hold before memory_store warns."""
    return STORED_TOKENS.get(kind or "", STORED_OTHER_TOKENS)
