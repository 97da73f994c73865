"""The timeline's state as an address and back: /?q=&type=&project=&tag=&importance=&month=&machine=&archived=1,
tag more than once for several, with &before= or &offset= for a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.urls import reverse

from memories.core.records import TYPES
from memories.facets import IMPORTANCES
from memories.local_time import MONTH
from memories.project_groups import ProjectGroup, find_group
from memories.timeline import TRANSCRIPT, Cursor, Filters, Page
from memories.timeline_search import MAX_RANKED

MAX_QUERY_CHARS = 300
"""Characters of a question that are used: every link of the page carries them."""

MAX_TAGS = 10
MAX_VALUE_CHARS = 500
"""Tags, and characters of a tag, project or machine, that an address may carry: each link repeats them all."""

_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)~(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where a page of the list starts; both empty for its beginning."""

    cursor: Cursor | None = None
    offset: int = 0

    def __bool__(self) -> bool:
        return self.cursor is not None or self.offset > 0


def read_filters(query: QueryDict, groups: list[ProjectGroup]) -> Filters:
    """The filters in an address. Raises BadRequest for a type, importance or month that does not exist, and for more or
    longer values than a page has room for."""
    kind, importance, month = (query.get(name, "") for name in ("type", "importance", "month"))
    if kind and kind not in {*TYPES, TRANSCRIPT}:
        raise BadRequest(f"There is no type {kind!r:.60}; the types are {', '.join([*TYPES, TRANSCRIPT])}.")
    if importance and importance not in IMPORTANCES:
        raise BadRequest(f"importance is one of {', '.join(IMPORTANCES)}.")
    if month and not MONTH.fullmatch(month):
        raise BadRequest("month is a year and a month: 2026-03.")
    project = query.get("project", "")
    if len(query.getlist("tag")) > MAX_TAGS:
        raise BadRequest(f"At most {MAX_TAGS} tags can be chosen at once.")
    if any(len(value) > MAX_VALUE_CHARS for value in (project, query.get("machine", ""), *query.getlist("tag"))):
        raise BadRequest(f"A project, tag or machine in an address has at most {MAX_VALUE_CHARS} characters.")
    tags = (tag.strip().casefold() for tag in query.getlist("tag"))
    return Filters(
        q=query.get("q", "")[:MAX_QUERY_CHARS].strip(),
        type=kind,
        project=find_group(groups, project) if project else None,
        tags=tuple(dict.fromkeys(tag for tag in tags if tag)),
        importance=importance,
        month=month,
        machine=query.get("machine", ""),
        archived=query.get("archived", "") == "1",
    )


def read_place(query: QueryDict, *, searching: bool) -> Place:
    """Where the page starts: an offset for a search, a cursor otherwise. Raises BadRequest for what is neither."""
    if searching:
        offset = query.get("offset", "0")
        if not re.fullmatch(r"\d{1,4}", offset, re.ASCII) or int(offset) >= MAX_RANKED:
            raise BadRequest(f"offset must be a whole number below {MAX_RANKED}.")
        return Place(offset=int(offset))
    before = query.get("before", "")
    if not before:
        return Place()
    found = _CURSOR.fullmatch(before)
    if found is None:
        raise BadRequest("before does not name a place in the timeline.")
    return Place(cursor=Cursor(found[1], int(found[2])))


def address(filters: Filters, **changes: object) -> str:
    """The timeline's address with these filters, some of them changed; empty ones are left out."""
    wanted = replace(filters, **changes)  # type: ignore[arg-type]  # the names are Filters' own
    return _with_query("timeline", wanted, {})


def fresh_address(filters: Filters, since: int, seen: int) -> str:
    """Where to ask for what is new: since: the newest memory that the page knows; seen: the newest that was told of."""
    return _with_query("fresh", filters, {"since": str(since), "seen": str(seen)})


def next_address(filters: Filters, page: Page) -> str | None:
    """The address of the page after this one; None at the end."""
    if page.next_cursor is not None:
        return _with_query("timeline", filters, {"before": f"{page.next_cursor.created_at}~{page.next_cursor.id}"})
    return _with_query("timeline", filters, {"offset": str(page.next_offset)}) if page.next_offset is not None else None


def pairs(filters: Filters) -> list[tuple[str, str]]:
    """The filters as an address or a form carries them, but for the words: (name, value), empty ones left out."""
    values = [
        ("type", filters.type),
        ("project", filters.project.value if filters.project else ""),
        *(("tag", tag) for tag in filters.tags),
        ("importance", filters.importance),
        ("month", filters.month),
        ("machine", filters.machine),
        ("archived", "1" if filters.archived else ""),
    ]
    return [(name, value) for name, value in values if value]


def _with_query(view: str, filters: Filters, place: dict[str, str]) -> str:
    words = [("q", filters.q)] if filters.q else []
    encoded = urlencode([*words, *pairs(filters), *place.items()])
    return reverse(view) + (f"?{encoded}" if encoded else "")
