"""Filters that turn stored text and times into what a page shows. Stored text leaves here escaped or as text."""

from __future__ import annotations

import re
from datetime import date, timedelta

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from memories.core import clock
from memories.markdown import render_markdown
from memories.models import MARK_END, MARK_START

register = template.Library()
register.filter("markdown", render_markdown)

_MARKED = re.compile(f"{MARK_START}([^{MARK_START}{MARK_END}]*){MARK_END}")
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n"}


@register.filter
def marked(snippet: str) -> SafeString:
    """A snippet with what MARK_START and MARK_END enclose in <mark>; pairs only, so that no stray one opens a tag."""
    pieces = enumerate(_MARKED.split(snippet))
    return format_html_join(
        "",
        "{}",
        ((format_html("<mark>{}</mark>", text) if place % 2 else text.translate(_CONTROLS),) for place, text in pieces),
    )


@register.filter
def day(created_at: str) -> str:
    """The day of a record's time, as a heading says it: Today, Yesterday, Saturday 14 March 2026 (UTC)."""
    then, today = date.fromisoformat(created_at[:10]), date.fromisoformat(clock.now()[:10])
    if today - then in (timedelta(0), timedelta(days=1)):
        return "Today" if then == today else "Yesterday"
    return f"{then:%A} {then.day} {then:%B} {then.year}"


@register.filter
def when(time: str) -> str:
    """A record's time to the minute: 2026-03-14 09:12 UTC."""
    return f"{time[:10]} {time[11:16]} UTC"


@register.filter
def thousands(count: int) -> str:
    """A count with its thousands apart: 12,345."""
    return f"{count:,}"


@register.filter
def same_day(created_at: str, other: str) -> bool:
    """Whether two record times lie on one day (UTC); other may be empty."""
    return created_at[:10] == other[:10]


@register.filter
def type_name(kind: str) -> str:
    """A record's type in words: session_log -> session log."""
    return kind.replace("_", " ")
