"""`llm-memory status`: what is here, from which machines, what was merged, what waits, what it takes on the disk."""

from __future__ import annotations

import os

from memories.status import status
from memories.status_json import status_json
from memories.status_text import Paint, status_lines
from memories.syncthing import NOTE_NAME
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.syncthing.state import SyncState

_DIFF = "both sides of a merged conflict: the id of either, or the name of a version in state/merged/"


class Command(command.Command):
    """One screen; exit 0 whatever it says."""

    help = "Show machines, merged conflicts, what waits to be merged and disk use, on one screen."
    examples = ("status", "status --json", "status --diff 0f3c9a7d21b84e55a6c07e19d2f4b888")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json for programs, --diff for one conflict."""
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="the same facts as JSON")
        how.add_argument("--diff", metavar="ID", help=_DIFF)

    def handle(self, **options: Any) -> None:
        """Read and print. Raises MirrorUnavailableError."""
        if options["diff"] is not None:
            self._show_diff(options["diff"])
        else:
            self._show(as_json=options["json"])

    def _show(self, *, as_json: bool) -> None:
        found, sync = status(self.folder), self._sync()
        if as_json:
            self.say_json(status_json(found, sync))
            return
        paint = Paint(self.style.warning, self.style.good, self.style.heading)
        for line in status_lines(found, sync, paint):
            self.say(line)

    def _sync(self) -> SyncState | None:
        """How Syncthing gets on; None where it is not set up, found out without what asks it: a quarter of a status."""
        if not os.path.lexists(os.path.join(self.folder.state, NOTE_NAME)):
            return None
        from memories.syncthing.state import sync_state

        return sync_state(self.folder)

    def _show_diff(self, given: str) -> None:
        from memories import conflict_text  # imports what compares versions, a third of what a status takes

        styles = {"-": self.style.bad, "+": self.style.good, "#": self.style.heading}
        for mark, line in conflict_text.diff_lines(self.folder, given):
            self.say(styles.get(mark, str)(line))
