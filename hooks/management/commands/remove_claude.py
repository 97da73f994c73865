"""`manage.py remove_claude`: uninstall (the same as install.sh --uninstall, without the clone)."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hooks import removal


class Command(BaseCommand):
    """Takes LLM Memory out of Claude Code; the memories stay."""

    help = "Uninstall: hooks, permissions, server, rules, commands and lib/ go, the memories stay unless --purge."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own interface

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--dry-run", action="store_true", help="list every action, change nothing")
        parser.add_argument("--purge", action="store_true", help="remove the memories too, after asking")
        parser.add_argument("--yes", action="store_true", help="answer the question of --purge")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run; exits 1 when something could not be removed."""
        if removal.uninstall(purge=options["purge"], yes=options["yes"], dry_run=options["dry_run"]):
            sys.exit(1)
