"""The first of many things with what is said of each, and how many more there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from memories.core.transcript_items import clean

NAMED = 20
"""Things that a list names; the rest is counted."""


@dataclass(frozen=True)
class Named:
    """items: (name, what is said of it, "" for nothing), safe for a terminal; more: how many there are besides."""

    items: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.items)

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.items) + self.more


def named(items: list[tuple[str, str]]) -> Named:
    """The first NAMED of them, and how many more there are."""
    return Named([(clean(name), clean(said)) for name, said in items[:NAMED]], max(0, len(items) - NAMED))


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 record, 1,200 records."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
