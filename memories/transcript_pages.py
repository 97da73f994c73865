"""Which page of a transcript an address asks for, with the requests around it."""

from __future__ import annotations

from dataclasses import dataclass

from memories.core import line_places, transcript_reading
from memories.core.archived_sessions import ArchivedTranscript
from memories.core.line_places import Place
from memories.core.transcript_reading import Page
from memories.requests import IndexedConversation, Outline, Request

BEFORE = 8
"""Requests before the page that its outline begins with."""

LAST_LINE = 1 << 62


@dataclass(frozen=True)
class Wanted:
    """What is asked for: the page around a line, from a place on, before a place, or the last one; else the first."""

    line: int = 0
    begin: Place | None = None
    end: Place | None = None
    last: bool = False

    @property
    def is_part(self) -> bool:
        """Whether it goes on where another page ended."""
        return self.begin is not None or self.end is not None


@dataclass(frozen=True)
class Around:
    """The requests near a page: outline, and those just before and after the place (None where there are none).
    current: the line of the one that the place belongs to, 0 for none."""

    outline: Outline
    previous: Request | None
    next: Request | None
    current: int


def page_of(found: ArchivedTranscript, indexed: IndexedConversation | None, wanted: Wanted) -> Page:
    """The page. Raises TranscriptError where there is no such place."""
    if wanted.begin is not None:
        return transcript_reading.page_from(found, wanted.begin)
    if wanted.end is not None:
        return transcript_reading.page_before(found, wanted.end)
    if wanted.line:
        place = transcript_reading.place_of(found, wanted.line, _known(indexed, wanted.line))
        return transcript_reading.page_around(found, place)
    if wanted.last:
        end = transcript_reading.end_of(found, _known(indexed, LAST_LINE))
        return transcript_reading.page_before(found, end)
    return transcript_reading.page_from(found, line_places.START)


def _known(indexed: IndexedConversation | None, line: int) -> Place:
    return indexed.known_place(line) if indexed else line_places.START


def around(indexed: IndexedConversation, line: int) -> Around:
    """The requests around a line. A fixed number of queries, and some to bisect."""
    before, after = indexed.before(line, BEFORE), indexed.after(line)
    here = after.requests[0] if after.requests and after.requests[0].line == line else None
    following = [one for one in after.requests if one.line > line]
    current = here or (before.requests[-1] if before.requests else None)
    return Around(
        outline=Outline([*before.requests, *after.requests], before.earlier, after.later),
        previous=before.requests[-1] if before.requests else None,
        next=following[0] if following else None,
        current=current.line if current else 0,
    )
