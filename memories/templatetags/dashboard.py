"""Filters that turn stored text and times into what a page shows. Stored text leaves here escaped or as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from memories.activity import Day
from memories.core import clock
from memories.core.transcript_page import shown_size
from memories.markdown import render_markdown
from memories.models import MARK_END, MARK_START
from memories.shown_text import shown
from memories.sync_words import device_said, folder_said
from memories.version_diff import Piece

register = template.Library()
register.filter("markdown", render_markdown)
register.filter("shown", shown)
register.filter("folder_said", folder_said)
register.filter("device_said", device_said)

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


def local(stored: str) -> datetime:
    """A record's time (UTC) as this machine's clock shows it: the dashboard runs where its reader sits. At the ends of
    the calendar, where no zone can be applied, in UTC."""
    then = datetime.fromisoformat(stored[:19]).replace(tzinfo=timezone.utc)
    try:
        return then.astimezone()
    except (OverflowError, ValueError, OSError):
        return then


@register.filter
def day(created_at: str) -> str:
    """The day of a record's time, as a heading says it: Today, Yesterday, Saturday 14 March 2026."""
    then, today = local(created_at).date(), local(clock.now()).date()
    if today - then in (timedelta(0), timedelta(days=1)):
        return "Today" if then == today else "Yesterday"
    return f"{then:%A} {then.day} {then:%B} {then.year}"


@register.filter
def when(stored: str, form: str = "") -> SafeString:
    """A record's time to the minute as <time>: 2026-03-14 09:12; form `clock`: 09:12, `date`: 2026-03-14. Its UTC form
    is in the title."""
    then = local(stored)
    shown = {"clock": f"{then:%H:%M}", "date": f"{then:%Y-%m-%d}"}.get(form, f"{then:%Y-%m-%d %H:%M}")
    title = f"{stored[:10]} {stored[11:16]} UTC"
    return format_html('<time datetime="{}Z" title="{}">{}</time>', stored[:19], title, shown)


@register.filter
def thousands(count: int) -> str:
    """A count with its thousands apart: 12,345."""
    return f"{count:,}"


@register.filter
def same_day(created_at: str, other: str) -> bool:
    """Whether two record times lie on one day of this machine's; other may be empty."""
    return bool(other) and local(created_at).date() == local(other).date()


@register.filter
def type_name(kind: str) -> str:
    """A record's type in words: session_log -> session log."""
    return kind.replace("_", " ")


@register.filter
def size(count: int) -> str:
    """Bytes as a person reads them: 17 KB, 52.3 MB."""
    return shown_size(count)


@register.filter
def pieces(line: Sequence[Piece], tag: str) -> SafeString:
    """A compared line with its changed pieces in a tag, `del` or `ins`."""
    return format_html_join(
        "",
        "{}",
        ((format_html("<{0}>{1}</{0}>", tag, one.text) if one.changed else one.text,) for one in line),
    )


@register.filter
def squares(days: list[Day]) -> SafeString:
    """The days of an activity map as SVG squares, each saying what there was."""
    found = (
        f'<rect x="{one.x}" y="{one.y}" class="l{one.level}">'
        f"<title>{one.day.day} {one.day:%b}: {one.said}</title></rect>"
        for one in days
    )
    return mark_safe("".join(found))  # noqa: S308 - numbers and a date; format_html takes 10 ms for a year
