"""The briefing: what a session is told at its start, best first, within the budget that Claude Code delivers whole.

Written as facts about the project, never as orders; everything that comes from memory is quoted (budget.quoted).
"""

from __future__ import annotations

from memories.core import (
    briefing_blocks,
    briefing_status,
    budget,
    digest,
    narrative_excerpt,
    narrative_sections,
    records,
)
from memories.core.briefing_material import NOTES, Material
from memories.core.page import Offer, Page, list_offer, text_offer

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from memories.core import scope
    from memories.core.paths import DataFolder

ALWAYS = tuple(narrative_sections.SHARES)
"""Kinds of narrative sections that are always shown: where the work stopped."""

NEW_SESSION_UNITS = 700
NEW_NARRATIVE_UNITS = 900
NOTES_SHARE = 0.12
NOTES_SHARE_ALONE = 0.2
"""Part of the length for notes, beside a narrative and without one."""

STOPPED_SHARE = 0.12
STOPPED_SHARE_ALONE = 0.2
"""The same for where the last session stopped."""

FOOT_ABOVE = 1500
"""Length from which a page ends with a line on where more is."""


class Briefing:
    """text: what the model gets. message: one line for the user, what was loaded and how old it is. handoffs: uuids of
    those in the text, which count as shown once the session has got it."""

    __slots__ = ("handoffs", "message", "text")

    def __init__(self, text: str, message: str, handoffs: list[str] | None = None) -> None:
        self.text = text
        self.message = message
        self.handoffs = handoffs or []


def build(
    connection: sqlite3.Connection,
    folder: DataFolder,
    project: scope.Scope,
    *,
    source: str,
    limit: int,
    session_id: str = "",
    transcript_path: str = "",
    since: str | None = None,
    upkeep: bool = False,
    with_auto_memory: bool = False,
) -> Briefing:
    """The briefing for a SessionStart source, at most limit UTF-16 code units.

    startup and clear (and any unknown source): handoffs, narrative, digest, notes. resume and fork: what is new since
    the given record time (without one: the whole, but for handoffs). compact: what the session was in the middle of.
    upkeep: whether the user wants the narrative kept up without being asked, which is then said where it is behind.
    with_auto_memory: as Material takes it.
    """
    material = Material(connection, folder, project, session_id, with_auto_memory=with_auto_memory)
    recovered = None
    if source == "compact":
        from memories.core import briefing_compact  # reads transcripts, which no other source does

        recovered = briefing_compact.text(material, transcript_path, limit, upkeep=upkeep)
    if recovered is not None:
        name = budget.label(project.name)
        made = Briefing(recovered, f"LLM Memory: {name} · recovery text after compaction loaded")
    elif source in {"resume", "fork"} and since:
        made = _since(material, since, limit)
    else:
        made = _whole(material, limit, upkeep=upkeep, with_handoffs=source not in {"resume", "fork", "compact"})
    return made if budget.units(made.text) <= limit else Briefing("", made.message)


def _whole(material: Material, limit: int, *, upkeep: bool, with_handoffs: bool) -> Briefing:
    name = budget.label(material.project.name)
    handoffs = material.handoffs() if with_handoffs else []
    if not (material.narrative or material.logs or material.notes or handoffs):
        text = f"LLM Memory has nothing about {name} yet; memory_store keeps what later sessions need."
        return Briefing(text, f"LLM Memory: {name} · nothing remembered yet")
    page = Page(limit)
    briefing_blocks.frame(page, material, "what earlier sessions kept about")
    shown = {record["uuid"] for record in handoffs}
    notes = [row for row in material.notes if row["uuid"] not in shown]
    offers = [
        text_offer(briefing_blocks.STATUS, "\n" + briefing_status.status(material)),
        *briefing_blocks.handoffs(handoffs, limit),
        *briefing_blocks.upkeep(material, on=upkeep),
    ]
    if limit >= FOOT_ABOVE:
        foot = "\nmemory_search finds more, also in other projects; memory_get with an id gives a whole text."
        offers.append(text_offer(briefing_blocks.FOOT, foot))
    if material.narrative is None:
        page.fill([*offers, *_without_narrative(material, notes, limit)])
    else:
        _with_narrative(page, material, offers, notes, limit)
    text = briefing_blocks.text(page, material, limit)
    return Briefing(text, briefing_status.message(material, text), briefing_blocks.shown_handoffs(text, handoffs))


def _without_narrative(material: Material, notes: list[dict[str, Any]], limit: int) -> list[Offer]:
    """The digest, and the notes after where the work stopped."""
    heading = (
        "\n## Digest of the last sessions: quotes from their transcripts, nothing inferred; [session:line] is the place"
    )
    found = briefing_blocks.digest_parts(
        material.logs, limit, heading, STOPPED_SHARE_ALONE, first=briefing_blocks.FIRST_UNITS
    )
    return [*found[:1], *briefing_blocks.notes(notes, int(limit * NOTES_SHARE_ALONE)), *found[1:]]


def _with_narrative(
    page: Page, material: Material, offers: list[Offer], notes: list[dict[str, Any]], limit: int
) -> None:
    """Where the work stopped by the narrative, what the sessions since leave, the rest of the narrative, notes."""
    always = briefing_blocks.narrative(material, limit, ALWAYS)
    others = briefing_blocks.narrative(
        material, limit, tuple(kind for kind in narrative_excerpt.ORDER if kind not in ALWAYS)
    )
    logs = material.uncovered
    since = "\n## Sessions since the narrative: quotes from their transcripts, nothing inferred"
    digests = briefing_blocks.digest_parts(logs, limit, since, STOPPED_SHARE)
    best, rest = others[:3], others[3:]
    ordered = [
        *offers,
        *(offer for _, offer in always),
        *digests[:1],
        *(offer for _, offer in best),
        *digests[1:3],
        *briefing_blocks.notes(notes, int(limit * NOTES_SHARE)),
        *(offer for _, offer in rest),
        *digests[3:],
    ]
    if material.logs and not logs:
        ordered.append(_last_sessions(material.logs, limit))
    page.reserve(briefing_blocks.LEFT_OUT_UNITS)
    missing = page.fill(ordered)
    page.reserve(-briefing_blocks.LEFT_OUT_UNITS)
    briefing_blocks.left_out(page, material, [section for section, offer in always + others if offer in missing])


def _last_sessions(logs: list[digest.Log], limit: int) -> Offer:
    """A line for each of the last sessions, which the narrative tells of (or which need not be in it)."""
    part = digest.requests(logs[: briefing_blocks.ASKED_ENTRIES])
    return Offer(briefing_blocks.SESSION, part.text, int(limit * 0.05), heading="\n## Last sessions")


def _since(material: Material, since: str, limit: int) -> Briefing:
    rows = material.since(since)
    when = since[:16].replace("T", " ")
    name = budget.label(material.project.name)
    if not rows:
        return Briefing(
            f"LLM Memory: nothing new about {name} since this session's last message ({when} UTC).",
            f"LLM Memory: {name} · nothing new since {when} UTC",
        )
    count = f"{NOTES}+" if len(rows) > NOTES else str(len(rows))
    page = Page(limit)
    briefing_blocks.frame(page, material, f"what is new since {when} UTC about")
    page.add(briefing_blocks.FOOT, f"\n{count} new in all; memory_recent lists them.")
    blocks = list(map(_new_block, rows[:NOTES]))
    page.fill([list_offer(briefing_blocks.NOTE, blocks, limit, "\n## New since then")])
    return Briefing(briefing_blocks.text(page, material, limit), f"LLM Memory: {name} · {count} new since {when} UTC")


def _new_block(row: dict[str, Any]) -> str:
    if row["type"] == "session_log":
        return digest.stopped(digest.Log(row), NEW_SESSION_UNITS)
    if row["type"] == "narrative":
        found = narrative_excerpt.best_first(narrative_sections.sections(row["content"]))
        room = NEW_NARRATIVE_UNITS // max(len(found[:2]), 1)
        shown = "\n".join(filter(None, (narrative_excerpt.excerpt(section, room) for section in found[:2])))
        whence = briefing_blocks.from_where(records.whence(row))
        return f"Narrative of {row['created_at'][:10]}{whence} (whole: memory_get {row['uuid']})\n{shown}"
    return briefing_blocks.note(row)
