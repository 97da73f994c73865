"""`llm-memory doctor`: is everything in place and working?"""

from __future__ import annotations

from memories import doctor, doctor_fixes
from memories.core.errors import LLMMemoryError
from memories.management.shown import shown
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.findings import Check


class Command(command.Command):
    """One line per check, with what to do; exit 1 when one fails."""

    help = "Check that everything is in place and working, with --fix mend what is safe; exit 1 when something is not."
    examples = ("doctor", "doctor --fix --dry-run", "doctor --json")
    needs_private_folder = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--fix mends first; --dry-run lists what that would do; --json for programs."""
        parser.add_argument("--fix", action="store_true", help="mend what is safe, then check")
        parser.add_argument("--dry-run", action="store_true", help="with --fix: list what would be done, do nothing")
        parser.add_argument("--json", action="store_true", help="the checks as JSON")

    def handle(self, **options: Any) -> int:
        """Mend if asked to, run the checks and print them."""
        if options["dry_run"] and not options["fix"]:
            raise LLMMemoryError("--dry-run is for --fix: llm-memory doctor --fix --dry-run")
        fixed: list[doctor_fixes.Outcome] | None = None
        if options["dry_run"]:
            fixed = [doctor_fixes.Outcome(fix, "") for fix in doctor_fixes.fixes(self.folder)]
        elif options["fix"]:
            fixed = list(doctor_fixes.carry_out(self.folder))
        if fixed is not None and not options["json"]:
            self._say_fixes(fixed, dry_run=options["dry_run"])
        checks = doctor.run(self.folder)
        failed = any(check.status == "fail" for check in checks)
        if options["json"]:
            answer: dict[str, Any] = {"ok": not failed, "checks": [check._asdict() for check in checks]}
            if fixed is not None:
                answer["dry_run"] = options["dry_run"]
                answer["fixes"] = [{"what": fix.what, "items": fix.items, "error": error} for fix, error in fixed]
            self.say_json(answer)
        else:
            self._say_checks(checks)
        return int(failed)

    def _say_fixes(self, fixed: list[doctor_fixes.Outcome], *, dry_run: bool) -> None:
        if not fixed:
            self.say("nothing to mend")
        for fix, error in fixed:
            mark = "would" if dry_run else "not done:" if error else "done:"
            self.say(f"{mark} {fix.what}" + (f": {shown(error)}" if error else ""))
            for item in fix.items:
                self.say(f"      {shown(item)}")
        self.say()

    def _say_checks(self, checks: list[Check]) -> None:
        styles = {"ok": self.style.good, "warn": self.style.warning, "fail": self.style.bad}
        for check in checks:
            mark = f"{check.status:<4}"
            if check.status in styles:
                mark = styles[check.status](mark)
            said = f"{check.name}: {check.text}" + (f" -> {check.todo}" if check.todo else "")
            self.say(f"{mark}  {shown(said)}")
