"""What the dashboard's timeline shows: memories newest first, from a cursor on. What a search lists is
timeline_search's, the counts beside either are facet_counts'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Substr

from memories import selectors, snippets
from memories.core import coverage, records
from memories.core.paths import DataFolder
from memories.facets import FacetIndex
from memories.models import MARK_END, MARK_START, Memory
from memories.project_groups import ProjectGroup
from memories.shown_text import plain_line

PAGE_SIZE = 40

EXCERPT_CHARS = 600
"""Characters of a memory's text that a list reads; a record may be 8 MB."""

WORD_CHARS = 24
"""How far before its end a title is cut, so that it ends with a whole word."""

TITLE_CHARS = 110
SHOWN_CHARS = 180
"""Characters of a title and of an excerpt that reach a page, about as many as two lines hold."""

TAGS_SHOWN = 5

TRANSCRIPT = "transcript"
"""The type that stands for turns of conversations beside the types of memories."""

_ENTRY_FIELDS = (
    "id",
    "uuid",
    "type",
    "title",
    "project",
    "created_at",
    "importance",
    "tags",
    "status",
    "origin",
    "imported_from",
)


@dataclass(frozen=True)
class Filters:
    """What the timeline is asked for: words to search; type ("" for all; TRANSCRIPT: conversations only); project (None
    for all); tags, case folded, all of which a memory has; importance (of facets.IMPORTANCES); month (local, YYYY-MM);
    machine; and whether archived and superseded memories are shown too."""

    q: str = ""
    type: str = ""
    project: ProjectGroup | None = None
    tags: tuple[str, ...] = ()
    importance: str = ""
    month: str = ""
    machine: str = ""
    archived: bool = False

    @property
    def active(self) -> bool:
        """Whether anything narrows the timeline."""
        return bool(self.q or self.type or self.project or self.month or self.has_memory_fields)

    @property
    def has_memory_fields(self) -> bool:
        """Whether a filter is set on what only memories have."""
        return bool(self.tags or self.importance or self.machine)

    @property
    def lists_turns(self) -> bool:
        """Whether turns of conversations are among what a search lists."""
        return self.type in {"", TRANSCRIPT} and not self.has_memory_fields


@dataclass(frozen=True)
class Cursor:
    """Where a page of the timeline starts: below the memory with this time and row id."""

    created_at: str
    id: int


@dataclass(frozen=True)
class Entry:
    """A memory as the list shows it. title and excerpt (what a search matched, else the text after the title) have
    MARK_START and MARK_END around matched words; hidden: "archived" or "superseded" where search and recent hide it;
    more_tags: how many are not in tags; whence: where it is from when it is not this machine's own (records.whence)."""

    uuid: str
    type: str
    title: str
    excerpt: str
    project: str
    created_at: str
    importance: int
    tags: tuple[str, ...]
    more_tags: int
    hidden: str
    whence: str = ""


@dataclass(frozen=True)
class TurnEntry:
    """A turn of a conversation as the list shows it. session: as the transcript page names it; line: 1-based; speaker:
    who said it; created_at: when, UTC, "" where it is not known."""

    session: str
    line: int
    speaker: str
    title: str
    excerpt: str
    project: str
    created_at: str
    type: str = TRANSCRIPT


@dataclass(frozen=True)
class Page:
    """Entries with where the next page starts: a cursor, an offset (search), or neither at the end. cut: whether hits
    beyond timeline_search.MAX_RANKED are not listed."""

    entries: list[Entry | TurnEntry]
    next_cursor: Cursor | None = None
    next_offset: int | None = None
    cut: bool = False


@dataclass(frozen=True)
class Coverage:
    """How far a project's narrative has come, in words, and its uuid; "" where there is none yet."""

    summary: str
    narrative_uuid: str


def coverage_line(folder: DataFolder, filters: Filters) -> Coverage | None:
    """What stands above a project's memories; None without a project, or where it has neither narrative nor sessions.

    A fixed number of queries, however many rows. Raises MirrorUnavailableError.
    """
    if filters.project is None or filters.project.scope is None:
        return None
    raw, project = selectors.mirror_connection(folder), filters.project.scope
    found = coverage.coverage_of(coverage.narrative(raw, folder, project), raw, folder, project)
    if not (found["narrative_uuid"] or found["on_disk"]):
        return None
    return Coverage(found["summary"], found["narrative_uuid"] or "")


def tag_list(tags: str | None) -> tuple[str, ...]:
    """A record's comma-separated tags, each once."""
    return tuple(dict.fromkeys(tag.strip() for tag in (tags or "").split(",") if tag.strip()))


def newest(index: FacetIndex, filters: Filters, after: Cursor | None = None) -> Page:
    """A page of PAGE_SIZE memories, newest first, from the cursor on; filters without words."""
    ids = index.after(index.chosen(filters), after, PAGE_SIZE + 1)
    shown = ids[:PAGE_SIZE]
    rows = memory_rows(shown)
    if len(ids) == len(shown) or not rows:
        return Page(memory_entries(rows, {}, index))
    last = shown[-1]
    return Page(memory_entries(rows, {}, index), next_cursor=Cursor(index.times[index.positions[last]], last))


def memory_rows(ids: list[int]) -> list[dict[str, Any]]:
    """What a list reads of these memories, in their order, in one query; those that are gone are left out."""
    found: QuerySet[Memory, dict[str, Any]] = (
        Memory.objects.filter(id__in=ids)
        .annotate(start=Substr("content", 1, EXCERPT_CHARS))
        .values(*_ENTRY_FIELDS, "start")
    )
    rows = {row["id"]: row for row in found}
    return [rows[one] for one in ids if one in rows]


def memory_entries(rows: list[dict[str, Any]], passages: dict[int, str], index: FacetIndex) -> list[Entry | TurnEntry]:
    """memory_rows as entries. passages: row id -> the passage that matched, snippets.MARKS around the words."""
    entries: list[Entry | TurnEntry] = []
    for row in rows:
        place = index.positions.get(row["id"])
        hidden = ""
        if place is not None and not index.visible >> place & 1:
            hidden = "archived" if row["status"] == "archived" else "superseded"
        title, excerpt = headline(row["title"] or row["uuid"], row["start"], passages.get(row["id"], ""))
        tags = tag_list(row["tags"])
        entries.append(
            Entry(
                uuid=row["uuid"],
                type=row["type"],
                title=title,
                excerpt=excerpt,
                project=row["project"] or "",
                created_at=row["created_at"],
                importance=row["importance"],
                tags=tags[:TAGS_SHOWN],
                more_tags=len(tags[TAGS_SHOWN:]),
                hidden=hidden,
                whence=records.whence(row),
            )
        )
    return entries


def headline(first_line: str, start: str, passage: str) -> tuple[str, str]:
    """Title and excerpt of a text: of its first line, its beginning, and the passage that matched ("" for none). A
    passage that the title holds marks the title, so that no text is shown twice."""
    title = _to_a_word(snippets.line(plain_line(first_line), TITLE_CHARS))
    passage = snippets.line(plain_line(passage), SHOWN_CHARS).replace(f"{MARK_END} {MARK_START}", " ")
    bare = passage.replace(MARK_START, "").replace(MARK_END, "").strip("…")
    base = title.rstrip("…")
    if passage and bare not in title and base and bare.startswith(base):
        marked_title, rest = _divided(passage.lstrip("…"), len(base))
        return marked_title + "…" * title.endswith("…"), rest.strip()
    if passage and bare not in title:
        return title, passage
    _, found, rest = start.partition(first_line)
    return title.replace(bare, passage.strip("…"), 1), snippets.line(plain_line(rest if found else start), SHOWN_CHARS)


def _to_a_word(text: str) -> str:
    """A line that was cut, ending with a whole word where one ends near."""
    space = text.rfind(" ", len(text) - WORD_CHARS) if text.endswith("…") else -1
    return f"{text[:space]}…" if space > 0 else text


def _divided(passage: str, length: int) -> tuple[str, str]:
    """A passage in two: so many of its characters, marks not counted, and the rest; marks that the cut lies in are
    closed before it and opened after it."""
    at = seen = 0
    while seen < length:
        seen += passage[at] not in {MARK_START, MARK_END}
        at += 1
    head, tail = passage[:at], passage[at:]
    if head.count(MARK_START) > head.count(MARK_END):
        return head + MARK_END, tail.removeprefix(MARK_END) if tail.startswith(MARK_END) else MARK_START + tail
    return head, tail
