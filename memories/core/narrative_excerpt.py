"""What a briefing shows of a narrative's section in a given room: best first, cut between entries, what is cut said."""

from __future__ import annotations

from memories.core import budget
from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.narrative_sections import Section

ORDER = ("current state", "next steps", "outstanding", "what this is", "decisions", "gotchas", None, "session history")
"""Kinds of section, best first; the list of sources is not shown."""

HEADING_CHARS = 40
SMALLEST = 40
"""Units below which a section has no room for a sentence."""

REMARK_UNITS = len("\n(1,000,000 more entries in the whole text)")
FULL_ENTRIES = 3
"""The newest entries of the history that are shown in full; older ones get OLD_ENTRY_CHARS on a line each."""

OLD_ENTRY_CHARS = 120
_DATE = lazy(r"\b(?:19|20)\d\d-\d\d(?:-\d\d)?\b")
_HEADING = lazy(r"^#{1,6} ")
_RULER = lazy(r"^\|[-:| ]+$")


def best_first(sections: list[Section]) -> list[Section]:
    """The sections that are shown, best first; of the same kind in the narrative's order."""
    return sorted((one for one in sections if one.kind in ORDER), key=lambda one: ORDER.index(one.kind))


def excerpt(section: Section, room: int) -> str:
    """The section quoted, heading and body, in at most so many units; "" where they hold no sentence.

    Decisions come newest first where they are dated. Of the history, newest first, the last entries are shown in full
    and older ones shortened. How many entries are left out is said below the quote.
    """
    head = f"## {budget.one_line(section.heading, HEADING_CHARS)}" if section.heading else ""
    head = budget.quoted(head) + "\n" if head else ""
    room -= budget.units(head)
    if room < SMALLEST:
        return ""
    kept, left = _kept(section, room)
    if left:
        room -= REMARK_UNITS
        kept, left = _kept(section, room) if room >= SMALLEST else ("", left)
    if not kept:
        return ""
    noun = "entry" if left == 1 else "entries"
    return head + budget.quoted(kept) + (f"\n({left:,} more {noun} in the whole text)" if left else "")


def count(section: Section) -> int:
    """How many entries a section has."""
    return len(entries(section.body))


def entries(body: str) -> list[str]:
    """A section's entries: what stands below each of its sub-headings, or, without these, its list entries, table rows
    and paragraphs."""
    pieces = budget.items(body)
    if not any(map(_HEADING.match, pieces)):
        return pieces
    found: list[str] = []
    for piece in pieces:
        if _HEADING.match(piece) or not found:
            found.append(piece)
        else:
            found[-1] += "\n\n" + piece
    return found


def _kept(section: Section, room: int) -> tuple[str, int]:
    """What is shown of a section's body in so many units, not quoted yet, and how many entries are left out."""
    if section.kind == "session history":
        return _history(section.body, room)
    body = "\n\n".join(_newest_first(entries(section.body))) if section.kind == "decisions" else section.body
    return budget.cut(body, room)


def _newest_first(found: list[str]) -> list[str]:
    """Entries by the newest date in each, where at least half of them name one: else they stay in their order.

    A table's head stays in front.
    """
    head = next((number + 1 for number, entry in enumerate(found[:2]) if _RULER.match(entry)), 0)
    dates = [max(_DATE.findall(entry), default="") for entry in found[head:]]
    if 2 * sum(map(bool, dates)) < len(dates):
        return found
    order = sorted(range(len(dates)), key=lambda index: dates[index], reverse=True)
    return found[:head] + [found[head + index] for index in order]


def _history(body: str, room: int) -> tuple[str, int]:
    """The newest entries in full, older ones in a line each, as far as there is room; how many are left out."""
    found = _newest_first(entries(body))
    kept: list[str] = []
    for number, entry in enumerate(found):
        line = budget.one_line(_HEADING.sub("- ", entry), OLD_ENTRY_CHARS)
        full = [entry] if number < FULL_ENTRIES else []
        shown = next((text for text in (*full, line) if _cost(text) <= room), None)
        if shown is None:
            break
        kept.append(shown)
        room -= _cost(shown)
    if found and not kept:
        return budget.cut(found[0], room)[0], len(found) - 1
    return "\n".join(kept), len(found) - len(kept)


def _cost(text: str) -> int:
    """Units of a text once it is quoted and ends its line."""
    return budget.units(budget.quoted(text)) + 1
