"""How far behind a project's narrative is, counted and said in one way by the list of projects and a project's page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Behind:
    """Sessions that a narrative lacks. new: that it was not written from; grown: that it was, and in which more was
    said since."""

    new: int
    grown: int

    @property
    def total(self) -> int:
        """How many there are of both."""
        return self.new + self.grown

    @property
    def said(self) -> str:
        """In words: 3 sessions behind (2 new, 1 grew)."""
        kinds = ", ".join(f"{count:,} {word}" for count, word in ((self.new, "new"), (self.grown, "grew")) if count)
        return f"{self.total:,} session{'' if self.total == 1 else 's'} behind ({kinds})" if kinds else "up to date"
