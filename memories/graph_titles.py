"""What the graph calls its nodes."""

from __future__ import annotations

import json
import re

from django.db import connection

from memories.core.transcript_items import clean
from memories.shown_text import plain_line

TITLE_CHARS = 60
"""A label's; the panel has the whole title."""

_INLINE_MARKS = re.compile(r"\*\*|__|`|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)|\]\([^)\s]*\)")
_LIST_MARKS = re.compile(r"^[ \t]*(?:>[ \t]?)*(?:[-*+][ \t]+)?", re.MULTILINE)
_HEADINGS = re.compile(r"^#{1,6}[ \t]+(.*?[^\s:])[ \t:]*$", re.MULTILINE)
_FIRST_REQUESTS = """
    SELECT session_id, title FROM memory
    WHERE type = 'session_log' AND session_id IN (SELECT value FROM json_each(%s)) ORDER BY id DESC
"""


def whole_title(title: str) -> str:
    """A memory's title on one line, without Markdown's marks and what no page can carry."""
    return plain_line(title if title.isprintable() else clean(title))


def short_title(title: str) -> str:
    """A memory's title as a label has room for it."""
    line = whole_title(title)
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


def plain_text(text: str) -> str:
    """Markdown as one line of text, a heading with a colon after it: an excerpt."""
    marked = _HEADINGS.sub(r"\1:", _LIST_MARKS.sub("", clean(text)))
    return plain_line(_INLINE_MARKS.sub("", marked))


def session_titles(sessions: list[str]) -> dict[str, str]:
    """Session -> what was asked first in it, the title of its session log, in one query; those without one: absent."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_REQUESTS, [json.dumps(sessions)])
        return {session: whole_title(title) for session, title in cursor.fetchall() if whole_title(title)}


def session_name(session: str) -> str:
    """What a session is called whose first request is not known."""
    return f"Session {clean(session)[:8]}"
