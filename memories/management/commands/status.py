"""`manage.py status`: what is here, from which machines, what was merged, what waits, what it takes on the disk."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from typing import Any

from django.db import DatabaseError

from memories import conflict_text
from memories.core.errors import MirrorUnavailableError
from memories.management.base import MemoryCommand
from memories.status import status
from memories.status_json import status_json
from memories.status_text import Paint, status_lines

_DIFF = "both sides of a merged conflict: the id of either, or the name of a version in state/merged/"


class Command(MemoryCommand):
    """One screen; exit 0 whatever it says."""

    help = "Show machines, merged conflicts, what waits to be merged and disk use, on one screen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json for programs, --diff for one conflict."""
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="the same facts as JSON")
        how.add_argument("--diff", metavar="ID", help=_DIFF)

    def handle(self, *args: Any, **options: Any) -> None:
        """Read and print. Raises MirrorUnavailableError for a damaged index too."""
        try:
            if options["diff"] is not None:
                self._show_diff(options["diff"])
            else:
                self._show(as_json=options["json"])
        except (DatabaseError, sqlite3.Error) as error:
            raise MirrorUnavailableError(f"The index cannot be read ({error}). Run `llm-memory sync`.") from error

    def _show(self, *, as_json: bool) -> None:
        from memories.syncthing.state import sync_state

        found, sync = status(self.folder), sync_state(self.folder)
        if as_json:
            self.say_json(status_json(found, sync))
            return
        paint = Paint(self.style.WARNING, self.style.SUCCESS, self.style.MIGRATE_HEADING)
        for line in status_lines(found, sync, paint):
            self.say(line)

    def _show_diff(self, given: str) -> None:
        styles = {"-": self.style.ERROR, "+": self.style.SUCCESS, "#": self.style.MIGRATE_HEADING}
        for mark, line in conflict_text.diff_lines(self.folder, given):
            self.say(styles.get(mark, str)(line))
