"""Retrieval figures: hit@k, recall@10, MRR, from ranked answers and the right ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

RECALL_AT = 10


@dataclass
class Tally:
    """What is known of the questions of one category: ranks (1-based, None: not found) and recall of each."""

    ranks: list[int | None] = field(default_factory=list)
    recalls: list[float] = field(default_factory=list)
    empty: int = 0

    def add(self, found: Sequence[Hashable], right: set[Hashable]) -> None:
        """Count one question. found: distinct answers, best first. right: at least one right answer."""
        self.ranks.append(first_right(found, right))
        self.recalls.append(len(right.intersection(found[:RECALL_AT])) / len(right))
        self.empty += not found

    def merged(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.ranks + other.ranks, self.recalls + other.recalls, self.empty + other.empty)

    def hit(self, k: int) -> float:
        """Share of the questions with a right answer among the first k, 0 to 1."""
        return _mean([float(rank is not None and rank <= k) for rank in self.ranks])

    @property
    def recall(self) -> float:
        """Mean share of a question's right answers that are among the first 10."""
        return _mean(self.recalls)

    @property
    def mrr(self) -> float:
        """Mean of 1 / rank of the first right answer; 0 for a question without one."""
        return _mean([1 / rank if rank else 0.0 for rank in self.ranks])

    def figures(self) -> dict[str, float]:
        """Every figure by name, and the number of questions and of empty answers."""
        return {
            "questions": len(self.ranks), "hit@1": self.hit(1), "hit@5": self.hit(5), "hit@10": self.hit(10),
            "recall@10": self.recall, "mrr": self.mrr, "empty": self.empty,
        }  # fmt: skip


def first_right(found: Sequence[Hashable], right: set[Hashable]) -> int | None:
    """The 1-based rank of the first right answer, None where there is none."""
    return next((rank for rank, one in enumerate(found, 1) if one in right), None)


def distinct(answers: Sequence[Hashable]) -> list[Hashable]:
    """Answers in order, each at its first place only: sessions by the first of their turns that was found."""
    return list(dict.fromkeys(answers))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share (0 to 1) of the values does not exceed (nearest rank). Raises ValueError for no values."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def verdict(bar_met: bool, goal_met: bool) -> str:
    """How a figure stands beside its bar and its goal."""
    return "goal met" if bar_met and goal_met else "bar met" if bar_met else "BELOW THE BAR"


TITLES = ("questions", "hit@1", "hit@5", "hit@10", "recall@10", "mrr", "empty")


def heading(first: str) -> str:
    """The first line of a table of row()s."""
    return f"{first:<34}" + "".join(f"{title:>10}" for title in TITLES)


def row(name: str, tally: Tally) -> str:
    """One line of a table: shares in per cent, MRR with three digits."""
    cells = [
        f"{value:.3f}"
        if title == "mrr"
        else f"{value:.0f}"
        if title in {"questions", "empty"}
        else f"{value * 100:.1f}"
        for title, value in tally.figures().items()
    ]
    return f"{name:<34}" + "".join(f"{cell:>10}" for cell in cells)
