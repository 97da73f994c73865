"""`manage.py hook EVENT`: the same handlers as the fast path in manage.py, so that `help hook` works."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from hooks import dispatch
from memories.management.base import MemoryCommand


class Command(MemoryCommand):
    """Run a lifecycle hook with Claude Code's JSON on stdin."""

    help = "Run a lifecycle hook with Claude Code's JSON on stdin (Claude Code starts this itself)."
    needs_private_folder = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The event."""
        parser.add_argument("event", help=f"one of {', '.join(dispatch.EVENTS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the handler; never fails."""
        dispatch.main([options["event"]])
