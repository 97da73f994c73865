"""The timeline's state as an address and back: /?q=&type=&project=&archived=1 with &before= or &offset= for a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.urls import reverse

from memories.core.records import TYPES
from memories.project_groups import ProjectGroup, find_group
from memories.timeline import MAX_RANKED, Cursor, Filters, Page

_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)~(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Place:
    """Where a page of the list starts; both empty for its beginning."""

    cursor: Cursor | None = None
    offset: int = 0

    def __bool__(self) -> bool:
        return self.cursor is not None or self.offset > 0


def read_filters(query: QueryDict, groups: list[ProjectGroup]) -> Filters:
    """The filters in an address. Raises BadRequest for a type that does not exist."""
    kind = query.get("type", "")
    if kind and kind not in TYPES:
        raise BadRequest(f"There is no type {kind!r:.60}; the types are {', '.join(TYPES)}.")
    project = query.get("project", "")
    return Filters(
        q=query.get("q", "").strip(),
        type=kind,
        project=find_group(groups, project) if project else None,
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
    return _address(wanted, {})


def next_address(filters: Filters, page: Page) -> str | None:
    """The address of the page after this one; None at the end."""
    if page.next_cursor is not None:
        return _address(filters, {"before": f"{page.next_cursor.created_at}~{page.next_cursor.id}"})
    return _address(filters, {"offset": str(page.next_offset)}) if page.next_offset is not None else None


def _address(filters: Filters, place: dict[str, str]) -> str:
    values = {
        "q": filters.q,
        "type": filters.type,
        "project": filters.project.value if filters.project else "",
        "archived": "1" if filters.archived else "",
        **place,
    }
    encoded = urlencode({name: value for name, value in values.items() if value})
    return reverse("timeline") + (f"?{encoded}" if encoded else "")
