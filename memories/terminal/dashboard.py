"""`llm-memory dashboard [PORT]`: the dashboard, opened in the browser. Django serves it (management/commands)."""

from __future__ import annotations

from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

PORT = "8765"


class Command(command.Command):
    """Serves until Ctrl-C."""

    help = "Open the dashboard in the browser: read-only, this machine and this user only, until Ctrl-C."
    examples = ("dashboard", "dashboard 9000 --no-open", "dashboard --token")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where it listens, who may read it, whether a browser is opened."""
        parser.add_argument(
            "address", nargs="?", default=PORT, metavar="PORT", help=f"port, or loopback address:port (default {PORT})"
        )
        parser.add_argument(
            "--token",
            action="store_true",
            help="answer only below a random path, so that other users of this machine cannot read it",
        )
        parser.add_argument("--no-open", action="store_true", help="only say the address")

    def handle(self, **options: Any) -> int:
        """Serve; the exit code. Raises what Django's command raises, SystemExit too."""
        from llm_memory_site.django_commands import run_django

        switches = [name for name, on in (("--open", not options["no_open"]), ("--token", options["token"])) if on]
        return run_django("llm-memory", "runserver", [options["address"], *switches])
