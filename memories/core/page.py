"""A page of at most so many UTF-16 units, made from more than fits: who gets how much room, and what stands where."""

from __future__ import annotations

import sys

from memories.core import budget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE = sys.maxsize
"""The room in which nothing has to be cut."""


class Offer:
    """Something that may go on a page, as much of it as there is room for.

    place: where on the page. make: gives its text in at most so many units, "" where that is too little. first: units
    it gets before any other gets more than its own first. least: units it gets before any other gets more than its own
    least. heading: goes in front of the place's first block, so that none ever stands alone.
    """

    __slots__ = ("first", "heading", "least", "make", "place")

    def __init__(
        self, place: int, make: Callable[[int], str], least: int, *, first: int = 0, heading: str = ""
    ) -> None:
        self.place, self.make, self.least, self.first, self.heading = place, make, least, first, heading


def text_offer(place: int, text: str, heading: str = "") -> Offer:
    """An offer that is there whole or not at all."""
    return Offer(
        place, lambda room: text if budget.units(text) <= room else "", budget.units(text) + 1, heading=heading
    )


def list_offer(place: int, blocks: list[str], least: int, heading: str = "") -> Offer:
    """An offer of blocks, each there whole or not at all; where one is too long, a shorter one after it may fit."""

    def make(room: int) -> str:
        kept = []
        for block in blocks:
            cost = budget.units(block) + 1
            if cost <= room + 1:
                kept.append(block)
                room -= cost
        return "\n".join(kept)

    return Offer(place, make, least, heading=heading)


def shares(wants: list[tuple[int, int, int]], room: int) -> list[int]:
    """Divide room among wants in order of worth, each (need, first, least): first everyone's `first`, then everyone's
    `least`, what remains in proportion to `least`; never more than the need."""
    given = [0] * len(wants)
    for level in (1, 2):
        for index, want in enumerate(wants):
            more = max(0, min(want[0], want[level], given[index] + room) - given[index])
            given[index] += more
            room -= more
    while room > 0:
        waiting = [index for index, want in enumerate(wants) if given[index] < want[0]]
        total = sum(max(wants[index][2], 1) for index in waiting)
        before = room
        for index in waiting:
            more = min(wants[index][0] - given[index], before * max(wants[index][2], 1) // total)
            given[index] += more
            room -= more
        if room == before:
            break
    return given


class Page:
    """A text made of blocks that are offered in order of worth and shown in order of place, within a budget."""

    def __init__(self, limit: int) -> None:
        self._room = limit
        self._blocks: list[tuple[int, int, str]] = []

    @property
    def room(self) -> int:
        """Units that are left."""
        return self._room

    def reserve(self, units: int) -> None:
        """Take units away from the room, or, when they are negative, give them back."""
        self._room -= units

    def has(self, *places: int) -> bool:
        """Whether one of the places holds a block."""
        return any(place in places for place, _, _ in self._blocks)

    def add(self, place: int, block: str, heading: str = "") -> bool:
        """Add a block if it fits; blocks of the same place keep the order in which they were added.

        heading: goes in front of the place's first block.
        """
        if block and heading and not self.has(place):
            block = f"{heading}\n{block}"
        cost = budget.units(block) + 1
        if not block or cost > self._room:
            return False
        self._room -= cost
        self._blocks.append((place, len(self._blocks), block))
        return True

    def fill(self, offers: list[Offer]) -> list[Offer]:
        """Divide the room among offers, best first, and add what they make of it; returns those that found none.

        Room that one leaves over, because it is cut between items, goes to those after it.
        """
        headed: set[int] = set()
        wants = []
        wholes = [offer.make(WHOLE) for offer in offers]
        for offer, whole in zip(offers, wholes, strict=True):
            need = budget.units(whole)
            around = 1
            if offer.heading and offer.place not in headed and not self.has(offer.place):
                around += budget.units(offer.heading) + 1
                headed.add(offer.place)
            wants.append((need + around, offer.first + around if offer.first else 0, offer.least + around))
        left = []
        spare = 0
        for offer, whole, share in zip(offers, wholes, shares(wants, self._room), strict=True):
            allowed = min(share + spare, self._room)
            head = 0 if not offer.heading or self.has(offer.place) else budget.units(offer.heading) + 1
            before, limit = self._room, allowed - head - 1
            block = whole if budget.units(whole) <= limit else offer.make(limit)
            if not self.add(offer.place, block, offer.heading):
                left.append(offer)
            spare = allowed - (before - self._room)
        return left

    def text(self) -> str:
        """The page."""
        return "\n".join(block for _, _, block in sorted(self._blocks))
