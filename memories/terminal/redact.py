"""`llm-memory redact`: look for secrets in what is there already, and redact them."""

from __future__ import annotations

from hooks.shipped_files import shipped_order
from memories import redact_report
from memories.core import merge_copies, redact_existing
from memories.core.errors import SettingsError
from memories.core.settings import CLOSED, read_settings
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

WAIT_SECONDS = 60.0


class Command(command.Command):
    """Names rules, files and lines, never a secret. Exit 1 while a secret is left, whatever keeps it."""

    help = (
        "List what looks like a secret in memories, deleted ones, archived transcripts and logs; --apply redacts it. "
        "Exit 1 while something is left."
    )
    examples = ("redact", "redact --json", "redact --apply")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--apply to change anything."""
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="list only, change nothing: the default")
        how.add_argument("--apply", action="store_true", help="redact what is found; there is no way back")
        parser.add_argument("--json", action="store_true", help="the findings as JSON")

    def handle(self, **options: Any) -> int:
        """Look, redact, bring the index up to date, report. Raises SettingsError where the user's patterns cannot be
        read: a run without them would say that all is well."""
        settings, problems = read_settings(self.folder)
        if problems and all(settings[name] == value for name, value in CLOSED.items()):
            raise SettingsError(f"{problems[0]}. Correct {self.folder.settings}, then run it again.")
        applies = options["apply"]
        with ProgressBars(shown=not options["json"]) as bars:
            if applies:
                merge_copies.run(self.folder, shipped_rules=shipped_order, wait_seconds=WAIT_SECONDS)
            found = redact_existing.run(self.folder, settings, apply=applies, progress=bars)
            scrubbed = not applies or redact_existing.refresh_mirror(
                self.folder, wait_seconds=WAIT_SECONDS, progress=bars
            )
        if options["json"]:
            self.say_json(redact_report.as_json(found, applies=applies, scrubbed=scrubbed))
        else:
            for line in redact_report.lines(found, applies=applies, scrubbed=scrubbed):
                self.say(line)
            for problem in problems:
                self.say(f"  setting ignored: {shown(problem)}")
        return 0 if found.is_empty and scrubbed else 1
