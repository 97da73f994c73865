"""A narrative taken apart: its entries (list entries, table rows, paragraphs, headings), and which of them are items.

An item is what a rewritten narrative must not lose unseen: a list entry or table row under decisions, gotchas, next
steps or outstanding, or a sub-heading there with the paragraphs right below it. See docs/narratives.md.
"""

from __future__ import annotations

import itertools

from memories.core import budget, narrative_sections
from memories.core.narrative_closed import closes, is_closing_title
from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Form = Literal["list", "row", "paragraph", "titled", "heading"]

ITEM_KINDS = ("decisions", "gotchas", "next steps", "outstanding")
"""Kinds of section whose entries are items."""

_MARKER = lazy(r"^( *)(?:[-*+•]|\d{1,9}[.)])(?: +|$)(.*)$")
_BOX = lazy(r"^\[([ xX~/-])\] *")
_RULER = lazy(r"^[\s|:-]*-[\s|:-]*$")
_BREAK = lazy(r"^ {0,3}([-*_])(?: *\1){2,} *$")
_QUOTE = lazy(r"^ {0,3}(?:> ?)+")
_NUMBER_TITLES = frozenset({"", "#", "no", "no.", "nr", "nr."})
_LEAST_INDENT = 2
_TITLE_LEVEL = 2
"""Headings down to this level begin a section of their own kind; a deeper one only when it names a kind of item."""


class Entry:
    """One entry of a narrative.

    form: list, row, paragraph, titled (a sub-heading with its paragraphs) or heading. text: without list marker and
    box, on one line. section: the heading that gives the section its kind, "" before the first. kind: of the section,
    one of narrative_sections.KINDS or None. line: 1-based. is_closed: marked as done or dropped.
    """

    __slots__ = ("form", "is_closed", "kind", "line", "section", "text")

    def __init__(self, form: Form, text: str, place: _Place, line: int, is_closed: bool) -> None:
        self.form = form
        self.text = text
        self.section = place.section
        self.kind = place.kind
        self.line = line
        self.is_closed = is_closed

    @property
    def is_item(self) -> bool:
        """Whether a rewrite must keep it."""
        return self.kind in ITEM_KINDS and self.form in {"list", "row", "titled"}


class _Place:
    """Where in the document entries stand. level: of the heading above them. is_done: it says so of all below it."""

    __slots__ = ("is_done", "is_section", "kind", "level", "line", "section", "title")

    def __init__(self) -> None:
        self.title = self.section = ""
        self.kind: str | None = None
        self.level = self.line = 0
        self.is_section = True
        self.is_done = False

    def below(self, line: int, level: int, title: str, ancestors: list[_Place], is_title: bool) -> _Place:
        """The place that a heading begins."""
        place = _Place()
        place.line, place.level, place.title = line, level, title
        parent = next((one for one in reversed(ancestors) if one.level < level), None)
        own = None if is_title else narrative_sections.kind_of(title)
        inherits = parent is not None and parent.kind is not None
        place.is_section = not inherits or own in ITEM_KINDS or (own is not None and level <= _TITLE_LEVEL)
        place.kind, place.section = own, title
        if not place.is_section and parent is not None:
            place.kind, place.section = parent.kind, parent.section
            place.is_done = parent.is_done
        place.is_done = place.is_done or (not is_title and is_closing_title(title))
        return place


class _Draft:
    """An entry being read. indent: of its marker; box: what its task box holds, "" without one."""

    __slots__ = ("box", "form", "indent", "line", "lines", "parent", "place")

    def __init__(self, form: Form, text: str, place: _Place, line: int, indent: int = 0) -> None:
        self.form = form
        self.place = place
        self.line = line
        self.indent = indent
        self.parent: _Draft | None = None
        box = _BOX.match(text) if form == "list" else None
        self.box = box[1] if box else ""
        self.lines = [text[box.end() :] if box else text]

    def text(self) -> str:
        return " ".join(" ".join(self.lines).split())

    def is_closed(self) -> bool:
        """Whether it is marked as done; what is below a closed entry is closed unless its own box is open."""
        if self.box:
            return self.box in "xX-" or closes(self.text(), is_row=False)
        if self.place.is_done or closes(self.text(), is_row=self.form == "row"):
            return True
        return self.parent is not None and self.parent.is_closed()


class _Reader:
    """Reads a narrative line by line into drafts."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.place = _Place()
        self._open: list[_Draft] = []  # the paragraph, or the list entry with its parents, that a line may continue
        self._after_blank = False
        self._fence = ""
        self._table_drops_first: bool | None = None  # None: not in a table

    def begin(self, place: _Place) -> None:
        """A heading."""
        self.place = place
        self._open, self._fence, self._table_drops_first = [], "", None
        if place.title:
            self.drafts.append(_Draft("heading", place.title, place, place.line))

    def read(self, number: int, line: str) -> None:
        """A line below it; number is 1-based."""
        line = line.expandtabs(4)
        if self._fenced(number, line):
            return
        line = _QUOTE.sub("", line)
        if not line.strip() or _BREAK.match(line):
            self._after_blank, self._table_drops_first = True, None
            return
        if not self._row(number, line) and not self._list_entry(number, line):
            self._text(number, line)
        self._after_blank = False

    def _fenced(self, number: int, line: str) -> bool:
        mark = line.strip()[:3]
        if mark in budget.FENCES and self._fence in {"", mark}:
            self._fence = "" if self._fence else mark
            if self._fence and self._after_blank and not line.startswith(" " * _LEAST_INDENT):
                self._open = []
            return True
        if self._fence and line.strip():
            self._continue(number, line)
        return bool(self._fence)

    def _continue(self, number: int, line: str) -> None:
        if self._open:
            self._open[-1].lines.append(line)
        else:
            self._add(_Draft("paragraph", line.strip(), self.place, number))

    def _add(self, draft: _Draft) -> None:
        self.drafts.append(draft)
        if draft.form == "list":
            self._open = [one for one in self._open if one.form == "list" and one.indent < draft.indent]
            draft.parent = self._open[-1] if self._open else None
            self._open.append(draft)
        else:
            self._open = [] if draft.form == "row" else [draft]

    def _row(self, number: int, line: str) -> bool:
        if "|" not in line:
            self._table_drops_first = None
            return False
        if _RULER.match(line):
            header = self.drafts.pop() if self._open or self._last_is_row() else None
            title = _cells(header.lines[-1])[0] if header else ""
            if header and len(header.lines) > 1:  # text directly above the header is a paragraph of its own
                header.lines.pop()
                self.drafts.append(header)
            self._table_drops_first = title.strip("*_ ").lower() in _NUMBER_TITLES
            self._open = []
            return True
        if self._table_drops_first is None and not line.strip().startswith("|"):
            return False
        cells = _cells(line)
        if self._table_drops_first and len(cells) > 1 and cells[0].isdigit():
            cells = cells[1:]
        if any(cells):
            self._add(_Draft("row", " | ".join(cells), self.place, number))
        return True

    def _last_is_row(self) -> bool:
        return bool(self.drafts) and self.drafts[-1].form == "row"

    def _list_entry(self, number: int, line: str) -> bool:
        found = _MARKER.match(line)
        if found is None:
            return False
        if found[2].strip():
            self._add(_Draft("list", found[2], self.place, number, len(found[1])))
        return True

    def _text(self, number: int, line: str) -> None:
        if self._after_blank:
            indent = len(line) - len(line.lstrip())
            self._open = [one for one in self._open if one.form == "list" and one.indent < indent >= _LEAST_INDENT]
        self._continue(number, line)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").replace("\\|", "¦").split("|")]


def entries(content: str) -> list[Entry]:
    """Every entry of a narrative, in its order. Any text is read; nothing is raised."""
    lines = _without_comments(content).splitlines()
    heads = {number: (level, title) for number, level, title in narrative_sections.headings(lines)}
    levels = [level for level, _ in heads.values()]
    one_title = levels.count(1) == 1 and len(levels) > 1
    reader = _Reader()
    ancestors = [reader.place]
    for number, line in enumerate(lines):
        if number in heads:
            level, title = heads[number]
            place = _Place().below(number + 1, level, title, ancestors, one_title and level == 1)
            ancestors = [one for one in ancestors if one.level < level] + [place]
            reader.begin(place)
        else:
            reader.read(number + 1, line)
    return _titled(reader.drafts)


def _without_comments(content: str) -> str:
    """A text without its HTML comments, line numbers kept."""
    kept = []
    at = 0
    while (begin := content.find("<!--", at)) >= 0 and (end := content.find("-->", begin)) >= 0:
        kept += [content[at:begin], "\n" * content.count("\n", begin, end)]
        at = end + len("-->")
    return "".join([*kept, content[at:]])


def _titled(drafts: list[_Draft]) -> list[Entry]:
    """The drafts as entries: a sub-heading among items becomes one entry with the paragraphs right below it,
    unless these introduce a list or table (the last one ends with a colon)."""
    groups: list[list[_Draft]] = []
    for draft in drafts:
        if draft.form == "heading" or not groups:
            groups.append([])
        groups[-1].append(draft)
    found = []
    for group in groups:
        head, below = group[0], group[1:]
        leading = list(itertools.takewhile(lambda one: one.form == "paragraph", below))
        is_titled = head.form == "heading" and not head.place.is_section and head.place.kind in ITEM_KINDS
        introduces = len(leading) < len(below) and leading and leading[-1].text().rstrip("*_").endswith(":")
        if is_titled and leading and not introduces:
            is_closed = head.is_closed() or leading[-1].is_closed()
            text = " ".join([f"{head.text()}:", *(one.text() for one in leading)])
            found.append(Entry("titled", text, head.place, head.line, is_closed))
            group = below[len(leading) :]  # noqa: PLW2901 - what is left of it
        found += [Entry(one.form, one.text(), one.place, one.line, one.is_closed()) for one in group]
    return found


def items(content: str) -> list[Entry]:
    """The entries of a narrative that a rewrite must keep, closed ones included."""
    return [entry for entry in entries(content) if entry.is_item]
