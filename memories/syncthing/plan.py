"""What sync-setup is about to do, in words and in order, before any of it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Plan:
    """steps: (what is done, an imperative sentence; doing it), in order; notes: what the user should know beside."""

    steps: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, action: Callable[[], object]) -> None:
        """One more step."""
        self.steps.append((what, action))
