"""`manage.py setup_claude`: connect this installation to Claude Code (install.sh calls it)."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from hooks import setup


class Command(BaseCommand):
    """Hook entries, permissions, MCP server, rules, commands; then sync and doctor."""

    help = "Connect this installation to Claude Code: hooks, permissions, server, rules. Again = update."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own interface

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--dry-run", action="store_true", help="list every action, change nothing")
        parser.add_argument("--stage", metavar="SOURCE", help="only write install.json beside manage.py (install.sh)")
        parser.add_argument("--clone", metavar="FOLDER", default="", help="with --stage: where the source lies")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run; exits 1 when a part of the install could not be put in place."""
        if options["stage"] is not None:
            setup.write_install_info(os.fspath(settings.BASE_DIR), options["stage"], options["clone"])
        elif setup.install(dry_run=options["dry_run"]):
            sys.exit(1)
