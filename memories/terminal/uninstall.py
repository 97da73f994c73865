"""`llm-memory uninstall`: take LLM Memory off this machine; the memories stay unless --purge."""

from __future__ import annotations

import contextlib
import io

from hooks import removal
from memories.core.cleaning import clean  # the command removes the code that it could be loaded from later
from memories.core.errors import SettingsError
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any


class Command(command.Command):
    """What install.sh --uninstall does, without the clone; exit code 1 when something could not be removed."""

    help = (
        "Uninstall: hooks, permissions, server, rules, commands and the program go; the memories stay unless --purge."
    )
    examples = ("uninstall --dry-run", "uninstall", "uninstall --purge")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What goes, and whether it is asked."""
        parser.add_argument("--purge", action="store_true", help="remove the memories too, after asking")
        parser.add_argument("--yes", action="store_true", help="answer the question of --purge")
        parser.add_argument("--dry-run", action="store_true", help="list every action, change nothing")
        parser.add_argument("--json", action="store_true", help="what was done as JSON; --purge then needs --yes")

    def handle(self, **options: Any) -> int:
        """Remove it."""
        wanted = {name: options[name] for name in ("purge", "yes", "dry_run")}
        if not options["json"]:
            return removal.uninstall(**wanted)
        if options["purge"] and not (options["yes"] or options["dry_run"]):
            raise SettingsError(
                "--purge asks before it removes all memories; with --json, say --yes. Nothing was removed."
            )
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = removal.uninstall(**wanted)
        lines = [clean(line) for line in said.getvalue().splitlines() if line.strip()]
        self.say_json({"ok": code == 0, "dry_run": options["dry_run"], "said": lines})
        return code
