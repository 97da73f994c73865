"""From a person's words to search terms, and every constant of the ranking. The one module that owns the query.

Any text is a valid query: every token is quoted, so FTS5 syntax in it means nothing. Stop words are dropped (all are
kept when nothing else is left), the rest is joined by OR and ranked: AND of all words finds next to nothing for a
natural question. What each constant is worth is in docs/searching.md, with the command that measures it.
"""

from __future__ import annotations

import re

from memories.core.word_lists import IRREGULAR, SAME, STOP_WORDS
from memories.core.words import CHUNK, WORD, camel_parts, pairs, spaceless

# Memories: FTS5's own BM25 over memory_fts, times bounded boosts.

BM25_WEIGHTS = (1.0, 2.0, 1.0, 0.7)
"""Weights of memory_fts's columns: content, title, search_meta, search_extra (the recipe measured on LoCoMo)."""

PROJECT_BOOST = 1.3
"""Factor on the score of the session's own project: it wins between like matches, not over a clearly better one."""

IMPORTANCE_STEP = 0.05
"""Relative gain per point of importance above the default of 5 (loss below it): at most a quarter."""

NARRATIVE_BOOST = 1.1
"""Factor on a project's living document: between like matches, what is kept current comes first."""

RECENCY_STEPS = ((7, 1.10), (30, 1.07), (90, 1.05), (365, 1.02))
"""(days, factor): what a memory no older than so many days gains. At most a tenth: it settles ties, not questions."""

MEMORY_BUDGET = 10_000
"""Matches that a search of the memories ranks; beyond that the most frequent words are left out of the question."""

# Conversations: BM25F over posting lists (turn_search), without any boost: recency, role and project only cost there.

TURN_SATURATION = 1.0
"""BM25's k1: how soon more evidence of the same term stops counting."""

TURN_LENGTH = 0.35
"""BM25's b for a turn's own words: 0 takes no notice of length, 1 divides by it."""

NEIGHBOUR_LENGTH = 0.75
"""b for neighbours: a long neighbour says less about this turn."""

NEIGHBOUR_FLOOR = 0.7
"""The least length norm of a neighbour: a short one says no more than its words."""

BEFORE_WEIGHTS = (0.4, 0.3)
"""What a term in the turn before counts, and in the one before that, against 1 in the turn itself: an answer seldom
repeats the words of the question that it follows."""

AFTER_WEIGHTS = (0.25, 0.1)
"""The same for the turn after, and the one after that."""

PAIR_WEIGHT = 0.2
"""Share of its idf that a pair counts: two words that follow each other in the question and stand within PAIR_DISTANCE
words of each other in the turn."""

PAIR_DISTANCE = 2

SESSION_WEIGHT = 0.3
"""Share of its session's own BM25 that is added to a turn's score."""

SESSION_SATURATION = 1.2
SESSION_LENGTH = 0.75
"""k1 and b of the sessions' BM25, in which a term counts once for each turn that has it."""

ROW_BUDGET = 10_000
"""Postings that a query reads of its rarest terms; the more frequent ones are looked up only where those occur."""

LEAST_SHARE = 0.15
"""A term beyond the budget whose idf is below this share of the best term's is not looked up: it could move little."""

# Both.

MAX_TERMS = 48
"""Terms of a query that are used; a pasted page is searched by its first distinct words."""

NEAR_DUPLICATE = 0.8
"""Share of common distinct words (Jaccard) from which two memories are named as near duplicates."""

BETTER_BY = 0.2
"""How much more of a question a turn must hold than the best memory, for the answer to point to the conversations."""

_SHORT_NUMBER = 3
_LONGEST = 256
"""Characters of a word that is asked for; longer is encoded data that somebody pasted."""

_MOST_PARTS = 32
"""Parts of a path or an identifier that is asked for whole."""

_VERSION_START = r"[vV]\d+(?:\.\d+)+"


class Term:
    """One thing asked for. word: as it was typed, lower-cased. expression: what finds it, in FTS5's syntax."""

    __slots__ = ("expression", "word")

    def __init__(self, word: str, forms: list[str]) -> None:
        self.word = word
        quoted = [f'"{form}"' if not form.endswith("*") else f'"{form[:-1]}" *' for form in forms]
        self.expression = quoted[0] if len(quoted) == 1 else f"({' OR '.join(quoted)})"


def terms(text: str) -> list[Term]:
    """What a text asks for, in its own order, each once, at most MAX_TERMS; empty when it holds no word at all.

    An identifier is asked for whole (as a phrase) and by its parts; an irregular form together with its base form; a
    script without spaces by its pairs of characters.
    """
    found: dict[str, list[str]] = {}
    for run in [] if text.isascii() else spaceless().findall(text):
        for pair in [run + "*"] if len(run) == 1 else pairs(run)[:-1]:
            found.setdefault(pair.removesuffix("*"), [pair])
    for chunk in CHUNK.findall(spaceless().sub(" ", text) if found else text):
        _add_chunk(chunk, found)
    kept = {word: forms for word, forms in found.items() if word not in STOP_WORDS} or found
    return [Term(word, forms) for word, forms in list(kept.items())[:MAX_TERMS]]


def _add_chunk(chunk: str, found: dict[str, list[str]]) -> None:
    parts = [part for part in WORD.findall(chunk) if len(part) <= _LONGEST]
    if 1 < len(parts) <= _MOST_PARTS and "'" not in chunk and "’" not in chunk:
        whole = " ".join(parts).lower()
        bare = [whole[1:]] if re.fullmatch(_VERSION_START, chunk) else []
        found.setdefault(whole, [whole, *bare])
    for part in parts:
        lower = part.lower()
        if len(parts) > 1 and part.isdigit() and len(part) < _SHORT_NUMBER:
            continue  # a version's or date's digits mean something only together
        found.setdefault(lower, _forms(lower))
        for camel in camel_parts(part):
            found.setdefault(camel, [camel])


def _forms(word: str) -> list[str]:
    """A word, its base form where it is irregular, and what it abbreviates or is abbreviated to."""
    base = [IRREGULAR[word]] if word in IRREGULAR else []
    return [word, *base, *SAME.get(word, SAME.get(word.removesuffix("s"), ()))]


def pair(first: Term, second: Term) -> str:
    """The expression for two neighbouring words of a question near each other; "" where one is no plain word."""
    if not (first.word.isalnum() and second.word.isalnum()):
        return ""
    return f'NEAR("{first.word}" "{second.word}", {PAIR_DISTANCE})'


def match_expression(text: str) -> str | None:
    """The FTS5 MATCH expression for any text; None when it holds no word at all."""
    return " OR ".join(term.expression for term in terms(text)) or None


def rarest(counted: list[tuple[int, Term]], budget: int) -> list[Term]:
    """The terms that can be afforded: rarest first while their matches stay within a budget, at least one.

    counted: (number of matches, term). Terms without a match are left out.
    """
    chosen: list[Term] = []
    for count, term in sorted(counted, key=lambda pair: pair[0]):
        budget -= count
        if count and (budget >= 0 or not chosen):
            chosen.append(term)
    return chosen
