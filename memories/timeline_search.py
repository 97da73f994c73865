"""The timeline's search: memories and turns of conversations as one list, ranked as memory_search does for scope `all`.

A page dresses only what it shows; what is counted beside it are the memories that match, all of them, and the best
REACH turns.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from memories import memory_hits, ranking, search, snippets, turn_hits
from memories.core import clock, mirror_rows, turn_ids, turn_search
from memories.core.turn_search import TurnHit
from memories.facets import FacetIndex
from memories.models import Memory
from memories.timeline import (
    EXCERPT_CHARS,
    PAGE_SIZE,
    TRANSCRIPT,
    Entry,
    Filters,
    Page,
    TurnEntry,
    headline,
    memory_entries,
    memory_rows,
)

MAX_RANKED = 200
"""Hits of a search that can be paged to: beyond them, another word helps more than another page."""

REACH = 1000
"""Turns, the best ones, among which are counted."""

SEARCHES_KEPT = 16
"""Searches of the turns that are remembered until the mirror changes (200 KB each): whoever filters or pages asks for
the same again."""

SPEAKERS = {"user": "You", "assistant": "Claude"}

_MATCHES = "SELECT group_concat(rowid) FROM memory_fts WHERE memory_fts MATCH ?"
_LINE = "SELECT id, line FROM turn WHERE id BETWEEN ? AND ?"
_TURN = (
    "SELECT line, role, time, text, session_id, part, project FROM turn "
    f"JOIN session ON session.id = turn.id >> {turn_ids.SESSION_SHIFT} WHERE turn.id = ?"
)
_PASSAGE = "SELECT snippet(turn_fts, 0, ?, ?, '…', ?) FROM turn_fts WHERE turn_fts MATCH ? AND rowid = ?"


@dataclass(frozen=True)
class Hit:
    """What is known of a hit before it is dressed. row_id: of `memory` or of `turn`; matched: the words of the question
    that it holds, rarest first."""

    row_id: int
    is_turn: bool
    matched: list[str]


@dataclass(frozen=True)
class Turns:
    """Turns that match, best first, each line once. is_cut: whether there may be more than REACH rows of the index."""

    hits: list[TurnHit]
    is_cut: bool


class Hits:
    """What the words of some filters find. Each part is worked out when it is first asked for."""

    def __init__(self, raw: sqlite3.Connection, index: FacetIndex, filters: Filters) -> None:
        """raw: selectors.mirror_connection's. Nothing is asked yet; each use may raise sqlite3.Error."""
        self._raw = raw
        self._index = index
        self._filters = filters
        self._counted = memory_hits.counted(raw, filters.q)
        self._question = memory_hits.question_of(self._counted)

    @cached_property
    def memories(self) -> int:
        """The memories that match the words, whatever the other filters, as a set of the index."""
        if not self._question:
            return 0
        listed = self._raw.execute(_MATCHES, (self._question,)).fetchone()[0]
        return self._index.of_ids(json.loads(f"[{listed or ''}]"))

    @cached_property
    def turns(self) -> Turns:
        """The best turns that all filters but the type leave."""
        if not (self._filters.project or self._filters.month):
            return self._turns_anywhere
        sessions = self._index.sessions.items()
        return self._search({number: None for number, place in sessions if _is_in(place, self._filters)})

    @cached_property
    def _turns_anywhere(self) -> Turns:
        """The best turns of all projects and months."""
        return self._search(None)

    def turns_but_for(self, facet: str) -> Turns:
        """Those of the best turns anywhere that all filters but the type and one, project or month, leave."""
        if not getattr(self._filters, facet):
            return self.turns
        rest = replace(self._filters, project=None) if facet == "project" else replace(self._filters, month="")
        anywhere = self._turns_anywhere
        return Turns([turn for turn in anywhere.hits if _is_in(self._place(turn), rest)], anywhere.is_cut)

    def place_of(self, turn: TurnHit, facet: str) -> str:
        """The project (a group's value) or month of a turn's conversation, "" where it has none."""
        return self._place(turn)[facet == "month"]

    def _place(self, turn: TurnHit) -> tuple[str, str]:
        return self._index.sessions.get(turn_ids.session_at(turn.place), ("", ""))

    def _search(self, sessions: dict[int, None] | None) -> Turns:
        if self._filters.has_memory_fields or sessions == {}:
            return Turns([], is_cut=False)
        kept, key = self._index.kept, (self._filters.q, None if sessions is None else frozenset(sessions))
        found = kept.get(key)
        if found is None:
            corpus = turn_hits.corpus_of(self._raw)
            rows = turn_search.search(self._raw, corpus, self._filters.q, sessions=sessions, most=REACH)
            found = Turns(self._each_line_once(rows), len(rows) >= REACH)
            if len(kept) >= SEARCHES_KEPT:
                kept.clear()
            kept[key] = found
        return found

    def _each_line_once(self, turns: list[TurnHit]) -> list[TurnHit]:
        """Of a long line, which the index has in several rows, the best one."""
        lines: dict[tuple[int, int], TurnHit] = {}
        for turn in turns:
            row = self._raw.execute(_LINE, turn_ids.place_range(turn.place)).fetchone()
            if row is not None:
                lines.setdefault((row[0] >> turn_ids.SESSION_SHIFT, row[1]), turn)
        return list(lines.values())

    def page(self, offset: int = 0) -> Page:
        """A page of PAGE_SIZE hits, best first; offset counts from the best hit, below MAX_RANKED."""
        end = min(offset + PAGE_SIZE, MAX_RANKED)
        memories = self._best_memories(end + 1) if self._filters.type != TRANSCRIPT else []
        turns = self._best_turns(end + 1) if self._filters.lists_turns else []
        shares = search.weights([self._counted, turn_hits.counted(self._raw, self._filters.q)]) if turns else {}
        found = search.merged(memories, turns, lambda hit: sum(shares.get(word, 0.0) for word in hit.matched))
        entries = self._dressed(found[offset:end])
        if len(found) <= end:
            return Page(entries)
        return Page(entries, next_offset=end) if end < MAX_RANKED else Page(entries, cut=True)

    def _best_memories(self, most: int) -> list[Hit]:
        """The best memories, at most so many, and MAX_RANKED + 1."""
        chosen = self._index.chosen(self._filters)
        if not self._question or not chosen & self.memories:
            return []
        positions = self._index.positions

        def is_chosen(row_id: int) -> bool:
            place = positions.get(row_id)
            return place is not None and bool(chosen >> place & 1)

        self._raw.create_function("is_chosen", 1, is_chosen)
        # As many for every page: with another number, ranking looks at other candidates, and pages would overlap.
        best = ranking.ranked(self._raw, self._question, ("is_chosen(memory.id)", []), MAX_RANKED + 1)
        ids = [row_id for row_id, _ in best[:most]]
        held = memory_hits.words_held(self._raw, self._counted, ids)
        return [Hit(row_id, is_turn=False, matched=held[row_id]) for row_id in ids]

    def _best_turns(self, most: int) -> list[Hit]:
        places = [
            (self._raw.execute(_LINE, turn_ids.place_range(turn.place)).fetchone(), turn)
            for turn in self.turns.hits[:most]
        ]
        return [Hit(row[0], is_turn=True, matched=turn.matched) for row, turn in places if row is not None]

    def _dressed(self, hits: list[Hit]) -> list[Entry | TurnEntry]:
        rows = memory_rows([hit.row_id for hit in hits if not hit.is_turn])
        ids = [row["id"] for row in rows]
        matched = {hit.row_id: hit.matched for hit in hits if not hit.is_turn}
        passages = memory_hits.matching_passages(self._raw, self._question, ids, matched) if ids else {}
        for row in rows:
            passages[row["id"]] = self._marked(row, passages.get(row["id"], ""), matched[row["id"]])
        memories = dict(zip(ids, memory_entries(rows, passages, self._index), strict=True))
        dressed = [self._turn(hit) if hit.is_turn else memories.get(hit.row_id) for hit in hits]
        return [entry for entry in dressed if entry is not None]

    def _marked(self, row: dict[str, Any], passage: str, matched: list[str]) -> str:
        """The passage with marks. Only where SQLite could set none is the whole text read."""
        if snippets.MARKS[0] in passage or not matched:
            return passage
        content = Memory.objects.filter(id=row["id"]).values_list("content", flat=True).first()
        return snippets.marked(passage, content or row["start"], matched)

    def _turn(self, hit: Hit) -> TurnEntry | None:
        row = self._raw.execute(_TURN, (hit.row_id,)).fetchone()
        if row is None:
            return None  # indexed anew meanwhile
        line, role, seconds, text, session_id, part, project = row
        passage = ""
        if hit.matched:
            question = " OR ".join(term.expression for _, term in self._counted)
            found = self._raw.execute(_PASSAGE, (*snippets.MARKS, snippets.WORDS, question, hit.row_id)).fetchone()
            passage = snippets.marked(found[0] if found else "", text, hit.matched)
        title, excerpt = headline(mirror_rows.title_of(text) or text, text[:EXCERPT_CHARS], passage)
        return TurnEntry(
            session=f"{session_id}/{part}" if part else session_id,
            line=line,
            speaker=SPEAKERS.get(role, role),
            title=title,
            excerpt=excerpt,
            project=project or "",
            created_at=clock.format_time(seconds) if seconds is not None else "",
        )


def _is_in(place: tuple[str, str], filters: Filters) -> bool:
    """Whether a conversation's (project, month) is the one asked for."""
    project, month = place
    return (not filters.project or filters.project.value == project) and (not filters.month or filters.month == month)
