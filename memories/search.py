"""Searching: the memories, the archived conversations, or both, with an answer that says where else to look."""

from __future__ import annotations

import math

from memories import memory_hits, selectors, turn_hits
from memories.core import budget, clock, query
from memories.core.errors import QueryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import Any, TypeVar

    from memories.core.paths import DataFolder
    from memories.core.query import Term
    from memories.core.scope import Scope

    T = TypeVar("T")

SCOPES = ("memories", "transcripts", "all")
MAX_OFFSET = 1000
"""Hits that can be skipped; who has read a thousand asks another question."""

HINT_WORDS = 12
MATCHED_WORDS = 8
"""Matched words that a hit names, rarest first: a pasted page has dozens."""

NAMED_PROJECTS = 5


class Wanted:
    """What to search for, checked: since and until in Unix seconds, tags case folded."""

    __slots__ = ("boosted", "include_archived", "project", "since", "tags", "text", "type", "until")

    def __init__(
        self,
        text: str,
        *,
        project: Scope | None,
        boosted: Scope | None,
        type: str | None,  # noqa: A002 - the tool's argument
        since: int | None,
        until: int | None,
        tags: frozenset[str],
        include_archived: bool,
    ) -> None:
        self.text, self.project, self.boosted, self.type = text, project, boosted, type
        self.since, self.until, self.tags, self.include_archived = since, until, tags, include_archived

    @property
    def is_of_memories(self) -> bool:
        """Whether a filter is set that only memories can pass."""
        return bool(self.type or self.tags)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the project restricts the hits."""
        return self.is_of_memories or self.since is not None or self.until is not None

    def everywhere(self) -> Wanted:
        """The same in all projects."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return Wanted(**fields | {"project": None})


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
    newest: str = "memory_recent",
) -> dict[str, Any]:
    """What answers a question, best first: {"results": [...], "hint": str or None}. Any text is a valid question.

    scope: of SCOPES. project restricts, boosted only prefers (memories). since, until: times as a person names them,
    both included. tags: all of them; with tags or type, scope `all` is memories only. newest: what lists the newest
    memories where the question is asked, for the hint. Raises QueryError, MirrorUnavailableError, sqlite3.Error.
    """
    listed = ",".join(tags) if isinstance(tags, list) else tags or ""
    wanted = Wanted(
        text,
        project=project,
        boosted=boosted,
        type=type,
        since=_bound(since, 0),
        until=_bound(until, 1),
        tags=memory_hits.split_tags(listed),
        include_archived=include_archived,
    )
    _check(wanted, scope, limit, offset)
    raw = selectors.mirror_connection(folder)
    answer = _Answer(raw, wanted, scope, offset, offset + limit, newest)
    return {"results": [_shown(hit) for hit in answer.found[offset:]], "hint": answer.hint()}


def _check(wanted: Wanted, scope: str, limit: int, offset: int) -> None:
    if scope not in SCOPES:
        raise QueryError(f"scope {scope!r} is none of {', '.join(SCOPES)}. Choose one of them.")
    if scope == "transcripts" and wanted.is_of_memories:
        raise QueryError(
            "type and tags are those of memories; transcripts have none. Leave them out, or search memories."
        )
    if not 1 <= limit <= selectors.MAX_LIMIT:
        raise QueryError(f"limit {limit} is not from 1 to {selectors.MAX_LIMIT}. Use offset to see further hits.")
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


class _Answer:
    """The hits of a question, up to so many, best first, and what is to be said with them."""

    def __init__(self, raw: sqlite3.Connection, wanted: Wanted, scope: str, offset: int, end: int, newest: str) -> None:
        self._raw = raw
        self._wanted = wanted
        self._scope = scope
        self._offset = offset
        self._newest = newest
        self._in_memories = memory_hits.counted(raw, wanted.text) if scope != "transcripts" else []
        self._weights: dict[str, float] | None = None
        memories = memory_hits.find(raw, wanted, self._in_memories, end) if scope != "transcripts" else []
        turns = turn_hits.find(raw, wanted, end) if scope != "memories" and not wanted.is_of_memories else []
        self.found = merged(memories, turns, self._coverage)[:end]

    def _coverage(self, hit: dict[str, Any]) -> float:
        """The share of the question that a hit holds, 0 to 1: the one thing that hits of both indexes have in common.

        A word is the more of the question the rarer it is, in memories and conversations together; one that occurs
        nowhere is none of it.
        """
        if self._weights is None:
            self._weights = weights([self._in_memories, turn_hits.counted(self._raw, self._wanted.text)])
        return sum(self._weights.get(word, 0.0) for word in hit["matched"])

    def hint(self) -> str | None:
        """Where else to look; None when there is nothing to say."""
        if not query.terms(self._wanted.text):
            return f"The query holds no word to search for; {self._newest} lists the newest memories."
        said = [selectors.several_projects_hint(self._wanted.project)] if self._wanted.project else []
        if not self.found:
            said.append(self._nothing_found())
        elif self._offset >= len(self.found):
            said.append(f"There are only {len(self.found)} hits; leave offset out to see them.")
        if self._scope == "memories" and self._offset == 0 and not self._wanted.is_of_memories:
            said.append(self._closer_in_transcripts())
        return " ".join(filter(None, said)) or None

    def _closer_in_transcripts(self) -> str | None:
        """Points to the conversations when one of them holds clearly more of the question than the best memory."""
        enough = max(map(self._coverage, self.found[:3]), default=0.0) + query.BETTER_BY
        turns = turn_hits.find(self._raw, self._wanted, 1) if enough <= 1 else []
        if not turns or self._coverage(turns[0]) < enough:
            return None
        hit = turns[0]
        snippet = " ".join(hit["snippet"].split()[:HINT_WORDS])
        return (
            f'A conversation is closer (session {hit["session_id"]}, line {hit["line"]}: "{snippet}"): '
            'search again with scope "transcripts".'
        )

    def _nothing_found(self) -> str | None:
        wanted = self._wanted
        if wanted.project is not None:
            is_known = _is_known(self._raw, wanted.project)
            name = budget.label(wanted.project.name)
            nothing = f"Nothing in {name}" if is_known else f"No project {name!r} is known"
            others = self._projects(wanted.everywhere())
            names = ", ".join(budget.label(name or "no project") for name in others[:NAMED_PROJECTS])
            if names:
                return f"{nothing}; there are hits in: {names}. Search without project."
            if not is_known:
                known = ", ".join(map(budget.label, _known_projects(self._raw)))
                return f"{nothing}{f'; the projects with most in them are: {known}' if known else ''}."
        if self._scope == "transcripts" and turn_hits.is_empty(self._raw):
            return "No conversation is in the index yet; `llm-memory sync` archives what Claude Code has."
        if wanted.is_filtered:
            return "Nothing matches with these filters. Leave some out, or try other words."
        return f"Nothing matches. Try other words; {self._newest} lists the newest memories."

    def _projects(self, everywhere: Wanted) -> list[str | None]:
        found = memory_hits.projects(self._raw, everywhere, self._in_memories)
        if self._scope != "memories" and not everywhere.is_of_memories:
            found += [hit["project"] for hit in turn_hits.find(self._raw, everywhere, selectors.MAX_LIMIT)]
        return list(dict.fromkeys(found))


def _is_known(raw: sqlite3.Connection, project: Scope) -> bool:
    """Whether any memory or conversation, shown or not, belongs to a project."""
    for table in ("memory", "session"):
        condition, values = project.sql(table)
        if raw.execute(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1", values).fetchone():
            return True
    return False


def _known_projects(raw: sqlite3.Connection) -> list[str]:
    """The names of the projects that have most memories and conversations."""
    sql = (
        "SELECT max(project) FROM (SELECT project, project_key FROM memory UNION ALL SELECT project, project_key "
        "FROM session) WHERE project IS NOT NULL GROUP BY project_key ORDER BY count(*) DESC, 1 LIMIT ?"
    )
    return [name for (name,) in raw.execute(sql, (NAMED_PROJECTS,))]


def merged(memories: list[T], turns: list[T], coverage: Callable[[T], float]) -> list[T]:
    """Two ranked lists as one: whichever next hit covers more of the question, the memory where both do alike."""
    together: list[T] = []
    left, right = memories[::-1], turns[::-1]
    while left and right:
        together.append((left if coverage(left[-1]) >= coverage(right[-1]) else right).pop())
    return together + left[::-1] + right[::-1]


def weights(counts: list[list[tuple[int, Term]]]) -> dict[str, float]:
    """Word of the question -> its share of it. counts: (how often it occurs, term) of each term, for each index."""
    total: dict[str, int] = {}
    for count, term in (pair for one in counts for pair in one):
        total[term.word] = total.get(term.word, 0) + count
    most = max(total.values(), default=0)
    gains = {word: math.log(2 + most / count) for word, count in total.items() if count}
    whole = sum(gains.values())
    return {word: gain / whole for word, gain in gains.items()}


def _shown(hit: dict[str, Any]) -> dict[str, Any]:
    """A hit as it is given: of an identifier that matched whole, its parts are not named again."""
    matched = hit["matched"]
    parts = {part for word in matched for part in word.split() if part != word}
    return {**hit, "matched": [word for word in matched if word not in parts][:MATCHED_WORDS]}
