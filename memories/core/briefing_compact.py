"""The briefing after a compaction: what the session was in the middle of, from its transcript, not from the summary."""

from __future__ import annotations

from memories.core import briefing_blocks, briefing_status, budget, recovery
from memories.core.narrative_sections import SHARES
from memories.core.page import Offer, Page, text_offer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.briefing_material import Material

REQUEST_SHARE = 0.4
"""Part of the length that the last request gets before it is cut: nothing else says as well what is to be done."""

HEAD_SHARE = 0.7
"""Of a request that is cut, how much of what is shown is its beginning; the rest is its end. People paste below what
they ask, or above it."""

LONGEST_WORD = 40
"""Characters within which the end of a request is made to begin with a whole word."""

SHORT_REQUEST_CHARS = 120
"""A request as short as `yes, the second one` is understood only with what it replies to."""

NOTES_SHARE = 0.12
NARRATIVE_SHARE = 0.05
REPLIED_SHARE = 0.15
ENTRY_CHARS = 300


def text(material: Material, transcript_path: str, limit: int, *, upkeep: bool) -> str | None:
    """The recovery text, at most limit units, best first: the last request word for word, decisions, files, to-do list,
    failures, the last answer, this session's notes, where the narrative stopped, other notes. None where the transcript
    tells nothing."""
    found = recovery.gather(transcript_path, material.redactor)
    if not (found.last_request or found.files or found.open_items):
        return None
    page = Page(limit)
    briefing_blocks.frame(page, material, "this session before its compaction, in")
    foot = "\nThe whole transcript stays archived (transcript_read); memory_search finds earlier decisions."
    decisions = list(dict.fromkeys([*material.own_decisions(), *found.decisions]))
    own = material.own_notes()
    known = {row["uuid"] for row in own}
    others = [row for row in material.notes if row["uuid"] not in known]
    offers = [
        _request(found.last_request, limit),
        *_replied_to(found, limit),
        *_list(
            "Decisions and corrections of this session, newest first",
            decisions[::-1],
            limit,
            0.14,
        ),
        *_list("Files in work, newest first", found.files[::-1], limit, 0.07),
        *_list("Open items of the last to-do list", found.open_items, limit, 0.1),
        *_list(
            "Commands that failed and have not succeeded since, newest first",
            found.failed[::-1],
            limit,
            0.07,
        ),
        *_answer(found.last_answer, limit),
        *briefing_blocks.notes(own, int(limit * NOTES_SHARE), "Notes of this session and others"),
    ]
    for _, offer in briefing_blocks.narrative(material, limit, tuple(SHARES)):
        offer.least, offer.first = int(limit * NARRATIVE_SHARE), 0
        offers.append(offer)
    offers += [
        *briefing_blocks.notes(others, int(limit * NARRATIVE_SHARE), "Notes of this session and others"),
        text_offer(briefing_blocks.FOOT, foot),
        *briefing_blocks.upkeep(material, on=upkeep),
    ]
    if material.narrative is not None:
        offers.append(text_offer(briefing_blocks.STATUS, "\n" + briefing_status.status(material)))
    page.fill([offer for offer in offers if offer.least])
    return briefing_blocks.text(page, material, limit)


def _request(request: str, limit: int) -> Offer:
    heading = "\n## The user's last request, word for word"
    least = int(limit * REQUEST_SHARE) if request else 0
    return Offer(
        briefing_blocks.REQUEST,
        lambda room: _titled(heading, verbatim(request, room - budget.units(heading) - 1)),
        least,
    )


def _replied_to(found: recovery.Recovery, limit: int) -> list[Offer]:
    """The answer that a short request replies to; [] for a longer one, which says itself what it is about."""
    if not found.replied_to or len(found.last_request) > SHORT_REQUEST_CHARS:
        return []
    heading = "\n## What it replies to: the answer before it"
    share = int(limit * REPLIED_SHARE)

    def make(room: int) -> str:
        return _titled(heading, verbatim(found.replied_to, min(room, share) - budget.units(heading) - 1))

    return [Offer(briefing_blocks.REQUEST, make, share)]


def verbatim(words: str, room: int) -> str:
    """Words quoted as they are, blank lines too, where that takes at most so many units; else their beginning and their
    end, with what is left out counted between them."""
    whole = budget.quoted(words.strip())
    if budget.units(whole) <= room:
        return whole
    room -= len("\n(1,000,000 characters left out here)\n> > ")
    if room < briefing_blocks.LEAST_UNITS // 2:
        return ""
    head = _fitting(words.strip(), int(room * HEAD_SHARE), from_end=False)
    head = head[: max(head.rfind(" ", len(head) // 2), head.rfind("\n", len(head) // 2))].rstrip() or head
    tail = _fitting(words.strip(), room - budget.units(budget.quoted(head)), from_end=True)
    tail = tail[min(max(tail.find(" "), 0), LONGEST_WORD) :].lstrip(" ")
    missing = len(words.strip()) - len(head) - len(tail)
    return f"{budget.quoted(head)}\n({missing:,} characters left out here)\n{budget.quoted(tail)}"


def _fitting(words: str, room: int, *, from_end: bool) -> str:
    """The longest beginning (or end) of a text that fits into so many units once it is quoted."""
    least, most = 0, min(len(words), max(room, 0))
    while least < most:
        length = (least + most + 1) // 2
        part = words[-length:] if from_end else words[:length]
        if budget.units(budget.quoted(part)) <= room:
            least = length
        else:
            most = length - 1
    return words[len(words) - least :] if from_end else words[:least]


def _list(title: str, entries: list[str], limit: int, share: float) -> list[Offer]:
    """An offer of a list, newest or most urgent first; [] for an empty one."""
    if not entries:
        return []
    heading = f"\n## {title}"
    body = "\n".join(f"- {budget.one_line(entry, ENTRY_CHARS)}" for entry in entries)

    def make(room: int) -> str:
        space = room - budget.units(heading) - 1
        if space < briefing_blocks.LEAST_UNITS // 2:
            return ""
        kept, left = budget.cut(body, space)
        if left:
            kept, left = budget.cut(body, space - len("\n(1,000 more)"))
        return _titled(heading, budget.quoted(kept) + (f"\n({left:,} more)" if left else ""))

    return [Offer(briefing_blocks.REQUEST, make, int(limit * share))]


def _answer(answer: str, limit: int) -> list[Offer]:
    if not answer:
        return []
    heading = "\n## The last answer"

    def make(room: int) -> str:
        space = room - budget.units(heading) - 1
        if space < briefing_blocks.LEAST_UNITS // 2:
            return ""
        return _titled(heading, budget.quoted(budget.cut(answer, space)[0]))

    return [Offer(briefing_blocks.REQUEST, make, int(limit * 0.08))]


def _titled(heading: str, body: str) -> str:
    return f"{heading}\n{body}" if body else ""
