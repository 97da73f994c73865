"""What a rewritten narrative lost: items that are gone, and identifiers, numbers and names that vanished from items.

Old and new entries are matched one to one by the words that they share, rare ones counting more, so that in total as
much as possible is shared. See docs/narratives.md.
"""

from __future__ import annotations

import math
from heapq import nlargest

from memories.core.matching import best_pairs
from memories.core.narrative_items import ITEM_KINDS, Entry, entries
from memories.core.narrative_terms import Terms, stem

KEY_WEIGHT = 2.0
"""Identifiers, numbers and dates count so much more than words: a rewording keeps them."""

PART_WEIGHT = 0.3
"""The words within an identifier count so much, or the identifier would count several times."""

RARITY = 0.5
"""How much more rare words count; at 0 all count the same."""

LEAST_COVERED = 0.25
"""Share of an item, by weight, that its rewording has at least. Below it, chance gives as much."""

LEAST_WORDS = 0.25
"""The same of an item's words alone: a number or a name in common is no rewording."""

LEAST_WORDS_WITH_KEYS = 0.1
LEAST_KEYS = 2
"""The same where the new entry has all of the old one's identifiers, numbers, dates and names, so many at least."""

WHOLLY = 0.75
"""Above this share of a new entry it consists of the old one's words, and need not have many of them."""

LEAST_COVERED_LONG = 0.5
LONG = 2.5
"""The same in an entry that is so many times as long, or under no section with items: it shares more by chance."""

LEAST_OTHERS = 0.5
"""The same of entries that are no open items: they are matched only so that their words are not taken for new."""

LEAST_EXPLAINED = 0.7
"""An entry goes to an old one only if it shares so much of what it shares with the old one that it shares most with."""

STEEPNESS = 3
"""A pair counts by the power of its likeness: one good pair is worth more than two poor ones."""

LEAST_OF_A_PART = 0.5
"""Share of a new entry that an old one has, where the new one may be a part of what the old one said."""

ELSEWHERE = 0.8
"""How much a pair counts whose new entry stands under none of the sections with items: it may merely mention it."""

ALIKE = 0.6
"""Share of their words that two old entries have in common that are worded alike."""

INCOMPLETE = 0.7
"""How much a pair counts whose new entry lacks an identifier, number or date of the old one: one that has them all, in
other words, is rather its rewording than one that is worded alike and is about something else."""

RIVALS = 8
MOST_PAIRS = 1_000_000
"""A word that so many pairs of entries share (a thousand items each) tells none from another, and is passed over."""

EPSILON = 1e-9
MERGED_COVERED = 0.6
MERGED_DISTINCT = 0.75
"""Shares of an item, and of what tells it from the item matched there, that an entry has which took it in."""

MOST_CAPITALS = 0.25
"""Above this share of words with a capital within sentences (German, titles) a capital does not mean a name."""

TEXT_CHARS = 160


class Loss:
    """An item that is gone, or that lost what missing lists.

    handle: 6 hex digits by which accept_losses names it. section: its heading. text: one line, shortened. missing:
    identifiers, numbers, dates and names as they were written; empty when the whole item is gone. full: the text whole.
    """

    __slots__ = ("full", "handle", "missing", "section", "text")

    def __init__(self, entry: Entry, flat: str, missing: list[str]) -> None:
        import hashlib  # where nothing is lost it is not needed

        self.handle = hashlib.sha256("\n".join([flat, *missing]).encode("utf-8", "replace")).hexdigest()[:6]
        self.section = entry.section
        self.full = entry.text
        self.text = entry.text if len(entry.text) <= TEXT_CHARS else entry.text[: TEXT_CHARS - 1].rstrip() + "…"
        self.missing = missing


class _Side:
    """One of the two texts: its entries, their terms, and the tokens they are compared by.

    known: text -> its terms, as far as they were made out before.
    """

    def __init__(self, content: str, known: dict[str, Terms]) -> None:
        self.entries = entries(content)
        for entry in self.entries:
            if entry.text not in known:
                known[entry.text] = Terms(entry.text)
        self.terms = [known[entry.text] for entry in self.entries]
        self.tokens = [_tokens(terms) for terms in self.terms]


def _tokens(terms: Terms) -> dict[str, float]:
    """What an entry is compared by, with weights before rarity."""
    found = dict.fromkeys(terms.parts, PART_WEIGHT)
    found.update(dict.fromkeys(terms.stems, 1.0))
    found.update((f"`{key}", KEY_WEIGHT) for key in terms.identifiers)
    found.update((f"#{number.value}", KEY_WEIGHT / 2) for number in terms.numbers)
    found.update((f"#{number.value} {number.unit}", KEY_WEIGHT / 2) for number in terms.numbers if number.unit)
    found.update((f"@{month}-{day}", KEY_WEIGHT) for date in terms.dates for _, month, day in date.days)
    return found or dict.fromkeys(terms.plain, 1.0)


class _Comparison:
    """Two texts, what their entries share, and which of them belong together.

    partner: old entry -> new entry. free: new entries that belong to no old one.
    """

    def __init__(self, old: _Side, new: _Side) -> None:
        self.old, self.new = old, new
        self.partner = _equals(old, new)
        taken = set(self.partner.values())
        self.open_new = [at for at in range(len(new.entries)) if at not in taken]
        self.names = _proper_names(old, new)
        for side in (old, new):
            _weigh_names(side, self.names)
        self.weights = _weights(old, new)
        self.old_size = [self._size(tokens) for tokens in old.tokens]
        self.new_size = [self._size(tokens) for tokens in new.tokens]
        stems = {stem(name) for name in self.names}
        self.plain = [terms.stems - stems for terms in old.terms]
        self.shared, self.plain_shared = self._share()
        self.rivals = self._rivals()
        self._assign()
        taken = set(self.partner.values())
        self.free = [at for at in self.open_new if at not in taken]

    def _size(self, tokens: dict[str, float]) -> float:
        return sum(weight * self.weights[token] for token, weight in tokens.items())

    def _share(self) -> tuple[list[dict[int, float]], list[dict[int, float]]]:
        """For each old entry {open new entry: weight of the tokens they share}, and the same of plain words alone."""
        as_word, otherwise = self._having()
        shared, plain_shared = [], []
        for at, tokens in enumerate(self.old.tokens):
            words: dict[int, float] = {}
            rest: dict[int, float] = {}
            for token, base in tokens.items():
                weight = base * self.weights[token]
                row = words if token in self.plain[at] else rest
                for column in as_word.get(token, ()):
                    row[column] = row.get(column, 0.0) + weight
                for column in otherwise.get(token, ()):
                    rest[column] = rest.get(column, 0.0) + weight
            plain_shared.append(words)
            shared.append({column: words.get(column, 0.0) + rest.get(column, 0.0) for column in words | rest})
        return shared, plain_shared

    def _having(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """Token -> the open new entries that have it as a word; and those that have it otherwise."""
        as_word: dict[str, list[int]] = {}
        otherwise: dict[str, list[int]] = {}
        for at in self.open_new:
            stems = self.new.terms[at].stems
            for token in self.new.tokens[at]:
                (as_word if token in stems else otherwise).setdefault(token, []).append(at)
        counts: dict[str, int] = {}
        for tokens in self.old.tokens:
            for token in tokens:
                counts[token] = counts.get(token, 0) + 1
        for having in (as_word, otherwise):
            for token in [one for one, places in having.items() if len(places) * counts.get(one, 0) > MOST_PAIRS]:
                del having[token]
        return as_word, otherwise

    def _rivals(self) -> dict[int, list[int]]:
        """For each open new entry the old ones that share most with it, words above all."""
        found: dict[int, list[tuple[float, float, int]]] = {column: [] for column in self.open_new}
        for at, row in enumerate(self.shared):
            words = self.plain_shared[at]
            for column, weight in row.items():
                found[column].append((words.get(column, 0.0), weight, at))
        return {column: [at for *_, at in nlargest(RIVALS, rows)] for column, rows in found.items()}

    def _assign(self) -> None:
        rows = [at for at in range(len(self.old.entries)) if at not in self.partner]
        best = dict.fromkeys(self.open_new, 0.0)
        for row in self.shared:
            for column, weight in row.items():
                best[column] = max(best[column], weight)
        benefits = []
        for at in rows:
            likely = {
                column: self._likeness(at, column, shared) ** STEEPNESS
                for column, shared in self.shared[at].items()
                if shared >= LEAST_EXPLAINED * best[column]
                and self._may_belong(at, column, shared)
                and not self._is_a_siblings(at, column)
            }
            benefits.append(likely)
        for at, found in zip(rows, best_pairs(benefits), strict=True):
            if found is not None:
                self.partner[at] = found

    def _is_a_siblings(self, at: int, column: int) -> bool:
        """Whether a new entry has nothing of what tells an old one from another that is worded like it, or less of it
        than of what tells that other one."""
        own = self.plain_shared[at].get(column, 0.0)
        for other in self.rivals[column]:
            theirs = self.plain_shared[other].get(column, 0.0)
            if other == at or theirs < own - EPSILON or not self._are_alike(at, other):
                continue
            if theirs > own + EPSILON:
                return True
            no_less = self.shared[other].get(column, 0.0) >= self.shared[at].get(column, 0.0) - EPSILON
            if no_less and self.plain[at] - self.plain[other] and not self._tells(at, other, column):
                return True
        return False

    def _are_alike(self, one: int, other: int) -> bool:
        mine, theirs = self.plain[one], self.plain[other]
        return 2 * len(mine & theirs) >= ALIKE * (len(mine) + len(theirs))

    def _tells(self, at: int, other: int, column: int) -> bool:
        return not (self.plain[at] - self.plain[other]).isdisjoint(self.new.terms[column].stems)

    def _likeness(self, at: int, column: int, shared: float) -> float:
        alike = 0.6 * shared / self.old_size[at] + 0.4 * shared / self.new_size[column]
        if not self._has_keys(at, column):
            alike *= INCOMPLETE
        return alike * ELSEWHERE if self._is_elsewhere(column) and must_stay(self.old.entries[at]) else alike

    def _has_keys(self, at: int, column: int) -> bool:
        mine, theirs = self.old.terms[at], self.new.terms[column]
        return (
            all(map(theirs.has_identifier, mine.identifiers))
            and all(theirs.has_number(one, mine) for one in mine.numbers)
            and all(any(date.fits(one) for one in theirs.dates) for date in mine.dates)
            and all(map(theirs.has_name, mine.named & self.names))
        )

    def _is_elsewhere(self, column: int) -> bool:
        return self.new.entries[column].kind not in ITEM_KINDS

    def _may_belong(self, at: int, column: int, shared: float) -> bool:
        covered = shared / self.old_size[at]
        plain = sum(self.weights[token] for token in self.plain[at])
        is_part = shared >= WHOLLY * self.new_size[column]
        in_words = self.plain_shared[at].get(column, 0.0)
        if not is_part and in_words < LEAST_WORDS * plain:
            mine = self.old.terms[at]
            keys = len(mine.identifiers) + len(mine.numbers) + len(mine.dates) + len(mine.named & self.names)
            if in_words < LEAST_WORDS_WITH_KEYS * plain or keys < LEAST_KEYS or not self._has_keys(at, column):
                return False
        if not must_stay(self.old.entries[at]):
            return covered >= LEAST_OTHERS and shared / self.new_size[column] >= LEAST_OTHERS
        is_long = self.new_size[column] > LONG * self.old_size[at]
        return covered >= (LEAST_COVERED_LONG if is_long or self._is_elsewhere(column) else LEAST_COVERED)

    def took_in(self, at: int) -> bool:
        """Whether an item without a partner was taken into an entry that belongs to another item."""
        mine = self.old.tokens[at]
        for other, column in self.partner.items():
            shared = self.shared[at].get(column, 0.0)
            if other == at or shared < MERGED_COVERED * self.old_size[at]:
                continue
            distinct = {token: weight for token, weight in mine.items() if token not in self.old.tokens[other]}
            there = {token: weight for token, weight in distinct.items() if token in self.new.tokens[column]}
            if distinct and self._size(there) >= MERGED_DISTINCT * self._size(distinct):
                return not self.missing(at, column) and not self.missing(other, column)
        return False

    def missing(self, at: int, column: int) -> list[str]:
        """The identifiers, numbers, dates and names of an old entry that vanished from its partner.

        What is found in free text about the same was moved there, unless the partner has another in its place; a name
        may also stand anywhere else.
        """
        mine, theirs = self.old.terms[at], self.new.terms[column]
        parts = [self.new.terms[one] for one in self.free if self._is_part(at, one)]
        named = [*theirs.identifiers, *(theirs.named & self.names)]
        renamed = any(not mine.has_identifier(one) and not mine.has_name(one) for one in named)
        where = [theirs] if renamed else [theirs, *parts]
        found = [
            written for key, written in mine.identifiers.items() if not any(one.has_identifier(key) for one in where)
        ]
        names = self._missing_names(mine, where if renamed else [*where, *self.new.terms])
        gained = any(not mine.has_number(number, theirs) for number in theirs.numbers)
        where = [theirs] if gained else [theirs, *parts]
        found += [number.shown for number in mine.numbers if not any(one.has_number(number, mine) for one in where)]
        gained = any(not date.fits(one) for date in theirs.dates for one in mine.dates)
        where = [theirs] if gained else [theirs, *parts]
        found += [
            date.shown for date in mine.dates if not any(date.fits(other) for one in where for other in one.dates)
        ]
        return list(dict.fromkeys([*found, *names]))

    def _is_part(self, at: int, column: int) -> bool:
        """Whether a free new entry consists of what an old one says: it was split. One that has numbers or identifiers
        of its own is about something else."""
        mine, theirs = self.old.terms[at], self.new.terms[column]
        if not (
            all(map(mine.has_identifier, theirs.identifiers))
            and all(mine.has_number(one, theirs) for one in theirs.numbers)
        ):
            return False
        return self.shared[at].get(column, 0.0) >= LEAST_OF_A_PART * self.new_size[column]

    def _missing_names(self, mine: Terms, where: list[Terms]) -> list[str]:
        return [
            mine.names.get(name, name.capitalize())
            for name in sorted(mine.named & self.names)
            if not any(one.has_name(name) for one in where)
        ]


def _equals(old: _Side, new: _Side) -> dict[int, int]:
    """Old entries whose text is there unchanged -> where, each new one once."""
    where: dict[str, list[int]] = {}
    for at in reversed(range(len(new.entries))):
        where.setdefault(new.terms[at].flat, []).append(at)
    found = {}
    for at in sorted(range(len(old.entries)), key=lambda at: not must_stay(old.entries[at])):
        same = where.get(old.terms[at].flat)
        if same:
            found[at] = same.pop()
    return found


def _weights(old: _Side, new: _Side) -> dict[str, float]:
    """Token -> weight by rarity over both texts."""
    counts: dict[str, int] = {}
    for tokens in (*old.tokens, *new.tokens):
        for token in tokens:
            counts[token] = counts.get(token, 0) + 1
    total = len(old.tokens) + len(new.tokens)
    return {token: 1.0 + RARITY * math.log(total / count) for token, count in counts.items()}


def _weigh_names(side: _Side, names: set[str]) -> None:
    for terms, tokens in zip(side.terms, side.tokens, strict=True):
        tokens.update((stem(name), KEY_WEIGHT) for name in terms.plain & names)


def _proper_names(old: _Side, new: _Side) -> set[str]:
    """Words that both texts write with a capital wherever they stand within a sentence."""
    capital: set[str] = set()
    lower: set[str] = set()
    counts = [0, 0]
    for terms in (*old.terms, *new.terms):
        capital |= terms.names.keys()
        lower |= terms.lowered
        counts[0] += len(terms.names)
        counts[1] += len(terms.names) + len(terms.lowered)
    return capital - lower if counts[0] <= MOST_CAPITALS * counts[1] else set()


def must_stay(entry: Entry) -> bool:
    """Whether a rewrite must keep an entry: an item that is not marked as done or dropped."""
    return entry.is_item and not entry.is_closed


def losses(old: str, new: str) -> list[Loss]:
    """What the narrative `new` no longer has of the items of `old`, in their order.

    Rewording, moving, reordering and splitting lose nothing; nor does marking an item done or dropped. Any two texts
    can be compared; nothing is raised.
    """
    if old == new:
        return []
    known: dict[str, Terms] = {}
    found = _Comparison(_Side(old, known), _Side(new, known))
    lost = []
    for at, entry in enumerate(found.old.entries):
        if not must_stay(entry):
            continue
        column = found.partner.get(at)
        if column is None:
            is_copy = any(found.old.terms[one].flat == found.old.terms[at].flat for one in found.partner)
            if not is_copy and not found.took_in(at):
                lost.append(Loss(entry, found.old.terms[at].flat, []))
        elif not found.new.entries[column].is_closed and (missing := found.missing(at, column)):
            lost.append(Loss(entry, found.old.terms[at].flat, missing))
    return lost
