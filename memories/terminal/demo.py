"""`llm-memory demo`: a worked example in a throwaway data folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile

from memories.demo import sample, walkthrough
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

_CODE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder of manage.py."""


class Command(command.Command):
    """Show store, search, briefing and, on request, the dashboard without touching the user's own memory."""

    help = "Show how it works with a bundled sample session, in a throwaway folder; your own memory is not touched."
    examples = ("demo", "demo --dashboard")
    needs_private_folder = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--dashboard, to look at the result in a browser."""
        parser.add_argument(
            "--dashboard",
            nargs="?",
            const="8765",
            metavar="PORT",
            help="then show it in the dashboard until Ctrl-C (default port 8765)",
        )

    def handle(self, **options: Any) -> None:
        """Run the steps, and the dashboard if asked for; the folder is removed at the end."""
        root = tempfile.mkdtemp(prefix="llm-memory-demo-")
        try:
            for number, (title, text) in enumerate(walkthrough.steps(root), 1):
                self.say(self.style.heading(f"{number}. {title}"))
                self.say("".join(f"   {line}\n" for line in text.splitlines()))
            if options["dashboard"]:
                self.say("The dashboard shows a made-up year of work in three projects.")
                self._dashboard(sample.write(os.path.join(root, "sample")).root, options["dashboard"])
            else:
                self.say("`llm-memory demo --dashboard` shows a made-up year of work in a browser.")
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _dashboard(self, home: str, port: str) -> None:
        manage = os.path.join(_CODE, "manage.py")
        environ = {**os.environ, "LLM_MEMORY_HOME": home}
        self.stdout.flush()
        try:
            subprocess.run([sys.executable, "-I", manage, "runserver", port], env=environ, check=False)
        except KeyboardInterrupt:
            pass  # the dashboard got the same Ctrl-C and has ended
