"""`manage.py doctor`: is everything in place and working?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from memories import doctor
from memories.management.base import MemoryCommand


class Command(MemoryCommand):
    """One line per check, with what to do; exit 1 when one fails."""

    help = "Check that everything is in place and working; exit 1 when something is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json for programs."""
        parser.add_argument("--json", action="store_true", help="the checks as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks and print them."""
        checks = doctor.run(self.folder)
        failed = any(check.status == "fail" for check in checks)
        if options["json"]:
            self.say_json({"ok": not failed, "checks": [check._asdict() for check in checks]})
        else:
            styles = {"ok": self.style.SUCCESS, "warn": self.style.WARNING, "fail": self.style.ERROR}
            for check in checks:
                mark = styles[check.status](f"{check.status:<4}")
                self.say(f"{mark}  {check.name}: {check.text}" + (f" -> {check.todo}" if check.todo else ""))
        if failed:
            sys.exit(1)
