"""Searching: the memories, the archived conversations, or both, with an answer that says where else to look."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from memories import memory_hits, selectors, turn_hits
from memories.core import clock, query
from memories.core.errors import QueryError
from memories.core.paths import DataFolder
from memories.core.scope import Scope

SCOPES = ("memories", "transcripts", "all")
MAX_OFFSET = 1000
"""Hits that can be skipped; who has read a thousand asks another question."""

HINT_WORDS = 12


@dataclass(frozen=True)
class Wanted:
    """What to search for, checked: since and until in Unix seconds, tags in lower case."""

    text: str
    project: Scope | None = None
    boosted: Scope | None = None
    type: str | None = None
    since: int | None = None
    until: int | None = None
    tags: tuple[str, ...] = ()
    include_archived: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the project restricts the hits."""
        return bool(self.type or self.tags or self.since is not None or self.until is not None)


def memory_search(
    folder: DataFolder,
    text: str,
    *,
    project: Scope | None = None,
    boosted: Scope | None = None,
    type: str | None = None,  # noqa: A002 - the tool's argument
    limit: int = 10,
    scope: str = "memories",
    since: str | None = None,
    until: str | None = None,
    tags: str | list[str] | None = None,
    include_archived: bool = False,
    offset: int = 0,
) -> dict[str, Any]:
    """What answers a question, best first: {"results": [...], "hint": str or None}. Any text is a valid question.

    scope: of SCOPES. project restricts, boosted only prefers (memories). since, until: times as a person names them,
    both included. tags: all of them, memories only. Raises QueryError, MirrorUnavailableError, sqlite3.Error.
    """
    wanted = Wanted(
        text, project, boosted, type, _bound(since, 0), _bound(until, 1), _tags(tags), include_archived=include_archived
    )
    _check(wanted, scope, offset)
    raw = selectors.mirror_connection(folder)
    end = offset + min(limit, selectors.MAX_LIMIT)
    found = memory_hits.find(raw, wanted, end) if scope != "transcripts" else []
    if scope != "memories" and not (wanted.type or wanted.tags):
        found = _merged(found, turn_hits.find(raw, wanted, end))
    hint = _hint(raw, wanted, scope, found, offset)
    return {"results": [_shown(hit) for hit in found[offset:end]], "hint": hint}


def _check(wanted: Wanted, scope: str, offset: int) -> None:
    if scope not in SCOPES:
        raise QueryError(f"scope {scope!r} is none of {', '.join(SCOPES)}. Choose one of them.")
    if scope == "transcripts" and (wanted.type or wanted.tags):
        raise QueryError(
            "type and tags are those of memories; transcripts have none. Leave them out, or search memories."
        )
    if not 0 <= offset <= MAX_OFFSET:
        raise QueryError(f"offset {offset} is not from 0 to {MAX_OFFSET}. Ask a narrower question instead.")
    if wanted.since is not None and wanted.until is not None and wanted.since > wanted.until:
        raise QueryError("since is later than until: nothing can lie between them. Exchange them.")


def _bound(text: str | None, side: int) -> int | None:
    if text is None or not text.strip():
        return None
    found = clock.bounds(text)
    if found is None:
        raise QueryError(f"{text!r} is not a time. Use YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS (UTC).")
    return found[side]


def _tags(tags: str | list[str] | None) -> tuple[str, ...]:
    parts = ",".join(tags) if isinstance(tags, list) else tags or ""
    return tuple(dict.fromkeys(tag.strip().lower() for tag in parts.split(",") if tag.strip()))


def _merged(memories: list[dict[str, Any]], turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two ranked lists as one: whichever next hit covers more of the question, the memory where both cover as much.

    Scores of different indexes cannot be compared; the share of the question that a hit holds can.
    """
    merged: list[dict[str, Any]] = []
    left, right = list(reversed(memories)), list(reversed(turns))
    while left and right:
        merged.append((left if left[-1]["coverage"] >= right[-1]["coverage"] else right).pop())
    return merged + left[::-1] + right[::-1]


def _shown(hit: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in hit.items() if name != "coverage"}


def _hint(raw: sqlite3.Connection, wanted: Wanted, scope: str, found: list[dict[str, Any]], offset: int) -> str | None:
    if not query.terms(wanted.text):
        return "The query holds no word to search for; memory_recent lists the newest memories."
    said = [selectors.several_projects_hint(wanted.project)] if wanted.project else []
    if not found:
        said.append(_nothing_found(raw, wanted, scope))
    elif offset >= len(found):
        said.append(f"There are only {len(found)} hits; leave offset out to see them.")
    if scope == "memories" and offset == 0:
        said.append(_closer_in_transcripts(raw, wanted, found))
    return " ".join(filter(None, said)) or None


def _closer_in_transcripts(raw: sqlite3.Connection, wanted: Wanted, found: list[dict[str, Any]]) -> str | None:
    """Points to the conversations when one of them holds clearly more of the question than the best memory."""
    if wanted.is_filtered and (wanted.type or wanted.tags):
        return None
    turns = turn_hits.find(raw, wanted, 1)
    best = max((hit["coverage"] for hit in found[:3]), default=0.0)
    if not turns or turns[0]["coverage"] < min(1.0, best + query.BETTER_BY):
        return None
    hit = turns[0]
    snippet = " ".join(hit["snippet"].split()[:HINT_WORDS])
    return (
        f'A conversation is closer (session {hit["session_id"]}, line {hit["line"]}: "{snippet}"): '
        'search again with scope "transcripts".'
    )


def _nothing_found(raw: sqlite3.Connection, wanted: Wanted, scope: str) -> str | None:
    if wanted.project is not None:
        everywhere = Wanted(**{**vars(wanted), "project": None})
        others = memory_hits.projects(everywhere) if scope != "transcripts" else set()
        if scope != "memories":
            others |= {hit["project"] for hit in turn_hits.find(raw, everywhere, selectors.MAX_LIMIT)}
        names = sorted(filter(None, others))
        if names:
            return (
                f"Nothing in {wanted.project.name}; there are hits in: {', '.join(names[:5])}. Search without project."
            )
    if wanted.is_filtered:
        return "Nothing matches with these filters. Leave some out, or try other words."
    return "Nothing matches. Try other words, or memory_recent for the newest memories."
