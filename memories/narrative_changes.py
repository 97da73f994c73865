"""What became of a narrative's entries from one version to another: for people who look at what a rewrite did."""

from __future__ import annotations

from memories.core import narrative_items, narrative_losses


class Changes:
    """Entries under decisions, gotchas, next steps and outstanding, each on one line. added, reworded and closed (done
    or dropped) as the newer version has them; lost (the whole entry, or an identifier, number or name of it) as the
    older one had them. What was only moved is in none."""

    __slots__ = ("added", "closed", "lost", "reworded")

    def __init__(self, added: list[str], reworded: list[str], closed: list[str], lost: list[str]) -> None:
        self.added, self.reworded, self.closed, self.lost = added, reworded, closed, lost

    def as_data(self) -> dict[str, list[str]]:
        """The changes as JSON has them."""
        return {"added": self.added, "reworded": self.reworded, "closed": self.closed, "lost": self.lost}

    @property
    def summary(self) -> str:
        """How many of each there are, in words."""
        counts = {name: len(texts) for name, texts in self.as_data().items() if texts}
        return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no entry changed"


def changes(old: str, new: str) -> Changes:
    """The changes from an older text to a newer one. An entry is added when the older text has none that it could be a
    rewording of: what narrative_losses says of the way back."""
    before = narrative_items.entries(old)
    known = {_folded(entry) for entry in before}
    known_closed = {_folded(entry) for entry in before if entry.is_closed}
    added = {loss.full for loss in narrative_losses.losses(new, old) if not loss.missing}
    found = Changes([], [], [], [loss.full for loss in narrative_losses.losses(old, new)])
    for entry in narrative_items.items(new):
        if entry.is_closed and _folded(entry) not in known_closed:
            found.closed.append(entry.text)
        elif entry.text in added:
            found.added.append(entry.text)
        elif not entry.is_closed and _folded(entry) not in known:
            found.reworded.append(entry.text)
    return found


def _folded(entry: narrative_items.Entry) -> str:
    return " ".join(entry.text.split()).casefold()
