"""How a project's memory stands, in the words of a briefing: for the model and for the user."""

from __future__ import annotations

from memories.core import budget, clock
from memories.core.coverage import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.briefing_material import Material

LONG_BEHIND = 3
"""Sessions that a narrative lacks from which on it is also said for how long, when that is a day or more."""

DUE_SESSIONS = 3
DUE_TURNS = 40
"""How many sessions, or turns in them, a narrative may lack before upkeep is spoken of: a day's work, about."""

DAY_SECONDS = 86_400
FORKS = 2
"""Narratives beside the one shown that are named."""

UPKEEP = (
    "Narrative upkeep is on: the skill `llm-memory` tells how it is done, in the background, once the user's request "
    "has been served."
)


def narrative_age(material: Material) -> str:
    """`narrative written 3 days ago; 4 sessions, 57 turns since`, or what there is to write one from."""
    state, narrative = material.coverage, material.narrative
    sessions, turns = state["sessions_since"], state["turns_since"]
    if narrative is None:
        text = "no narrative yet"
        text += f"; {counted(sessions, 'session')} to write one from" if sessions else ""
    else:
        age = clock.age(_seconds_since(narrative.created_at))
        text = f"narrative written {age}{'' if age == 'just now' else ' ago'}"
        text += f"; {counted(sessions, 'session')}, {counted(turns, 'turn')} since" if sessions else ""
    since = state["since"]
    if since and sessions >= LONG_BEHIND and _seconds_since(since) >= DAY_SECONDS:
        text += f" (for {clock.age(_seconds_since(since))}, since {since[:10]})"
    return text


def status(material: Material) -> str:
    """The briefing's status line."""
    age = narrative_age(material)
    forks = material.coverage["forks"]
    named = ", ".join(forks[:FORKS]) + (f" and {len(forks) - FORKS} more" if len(forks) > FORKS else "")
    other = f" Another active narrative exists ({named}), not merged with this one." if forks else ""
    return f"Status: {age}.{other}"


def is_due(material: Material) -> bool:
    """Whether the narrative is missing and there is a session to write it from, or so far behind that it is worth the
    tokens: one that is one short session behind costs as much to bring up to date as one that is five."""
    sessions, turns = material.coverage["sessions_since"], material.coverage["turns_since"]
    if material.narrative is None:
        return bool(sessions)
    return bool(sessions >= DUE_SESSIONS or turns >= DUE_TURNS)


def counts(material: Material) -> list[str]:
    """What there is, in words for a person."""
    notes, sessions = len(material.notes), material.coverage["on_disk"]
    return [
        narrative_age(material),
        f"{notes}{'+' * material.more_notes} note{'s' * (notes != 1)}",
        f"{sessions} session{'s' * (sessions != 1)}",
    ]


def message(material: Material, text: str) -> str:
    """One line for the user: what was loaded, how old the narrative is, what is missing."""
    parts = [f"LLM Memory: {budget.label(material.project.name)}", *counts(material)]
    return " · ".join([*parts, f"{budget.units(text):,} characters loaded"])


def _seconds_since(time: str) -> int:
    return (clock.parse_time(clock.now()) or 0) - (clock.parse_time(time) or 0)
