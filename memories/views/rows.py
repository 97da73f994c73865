"""The timeline's entries made ready for a template: what each shows, escaped, and the day that it stands under.

A page has forty of them, so each costs the template a handful of look-ups.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from memories.core.records import DEFAULT_IMPORTANCE
from memories.models import MARK_START
from memories.templatetags.dashboard import day, marked, same_day, type_name, when
from memories.timeline import Entry, Filters, Page, TurnEntry

_NO_UUID = "0" * 32


@dataclass(frozen=True)
class Row:
    """An entry. day: the heading above it, "" where it stands under the one before; kind: its type's class; facts: what
    stands below it, after its type."""

    day: str
    kind: str
    kind_name: str
    url: str
    title: SafeString
    excerpt: SafeString
    facts: SafeString


def rows(page: Page, filters: Filters, previous: str) -> list[Row]:
    """The page's entries. previous: the time of the entry before the first, "" for none; a search has no days."""
    memory_url = reverse("memory", args=[_NO_UUID])
    found = []
    for entry in page.entries:
        new_day = not filters.q and not (previous and same_day(entry.created_at, previous))
        is_turn = isinstance(entry, TurnEntry)
        found.append(
            Row(
                day=day(entry.created_at) if new_day else "",
                kind=entry.type,
                kind_name="conversation" if is_turn else type_name(entry.type),
                url=_turn_url(entry) if isinstance(entry, TurnEntry) else memory_url.replace(_NO_UUID, entry.uuid),
                title=_marked(entry.title),
                excerpt=_marked(entry.excerpt),
                facts=_facts(entry, "" if filters.q else "clock"),
            )
        )
        previous = entry.created_at
    return found


def _turn_url(entry: TurnEntry) -> str:
    return f"{reverse('transcript', args=[entry.session])}?line={entry.line}#L{entry.line}"


def _marked(text: str) -> SafeString:
    return marked(text) if MARK_START in text else escape(text)


def _facts(entry: Entry | TurnEntry, form: str) -> SafeString:
    """What stands below an entry, after its type. form: of the time."""
    parts = [_span(entry.hidden, "hidden-state")] if isinstance(entry, Entry) and entry.hidden else []
    parts += [_span(entry.whence, "whence")] if isinstance(entry, Entry) and entry.whence else []
    parts += [_span(entry.speaker)] if isinstance(entry, TurnEntry) else []
    parts += [_span(entry.project)] if entry.project else []
    parts += [when(entry.created_at, form)] if entry.created_at else []
    if isinstance(entry, Entry):
        parts += [_span(f"importance {entry.importance}")] if entry.importance != DEFAULT_IMPORTANCE else []
        parts += [_span(tag, "tag") for tag in entry.tags]
        parts += [_span(f"{entry.more_tags} more tag{'s' if entry.more_tags > 1 else ''}")] if entry.more_tags else []
    return mark_safe(" ".join(parts))  # noqa: S308 - each part is escaped


def _span(text: str, kind: str = "") -> str:
    """Quicker than format_html, of which a page would need hundreds."""
    return f'<span class="{kind}">{escape(text)}</span>' if kind else f"<span>{escape(text)}</span>"
