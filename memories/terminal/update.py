"""`llm-memory update`: look for a newer version, install it, or go back to the one before."""

from __future__ import annotations

import argparse
import os

from hooks import plugin
from memories.core import update_state
from memories.core.errors import UpdateError
from memories.core.locks import FileLock
from memories.management.shown import shown
from memories.terminal import command
from memories.update import addresses, check, detached, installation, trial, updating

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Command(command.Command):
    """Update, check, dry run, rollback; exit code 1 where an update was rolled back or left something to do."""

    help = (
        "Install the newest version from where this one came from. The version before is kept; where the new one "
        "does not start, or doctor fails where it did not before, it is put back."
    )
    examples = ("update --check", "update", "update --to 2.1.0", "update --rollback")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do; without any, update to the newest."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--check", action="store_true", help="only say whether there is a newer version")
        what.add_argument("--rollback", action="store_true", help="go back to the version before this one")
        what.add_argument(
            "--to", metavar="VERSION", default="", help="install this version, also an older one or one left"
        )
        what.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)  # a session start's
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON; what is done is said on stderr")

    def handle(self, **options: Any) -> int:
        """Do what was asked for."""
        if options["detached"]:
            detached.run(self.folder)
            return 0
        about = update_state.installed(self.folder)
        if not about:
            raise UpdateError(_not_installed())
        self._tell = self.warn if options["json"] else self.say
        if options["check"]:
            return self._check(about, as_json=options["json"])
        if options["dry_run"]:
            return self._dry_run(about, options)
        with FileLock(os.path.join(self.folder.state, detached.LOCK)):
            left = update_state.shown(about)
            if trouble := trial.resume(self.folder, self._tell_line):
                about = update_state.installed(self.folder)
                self._tell_line(f"{left} was taken back: {trouble}. {update_state.shown(about)} is in place.")
                if options["rollback"]:
                    return self._up_to_date(about, options, "")
            return self._roll_back(about, options) if options["rollback"] else self._update(about, options)

    def _check(self, about: dict[str, str], *, as_json: bool) -> int:
        where = check.source(self.folder, os.environ)
        addresses.check(where.repo, where.kind)
        notes = check.check(self.folder, where)
        if notes["error"]:
            raise UpdateError(notes["error"])
        available = check.Available(_found(notes), notes["commit"])
        target = updating.choose(available, about, notes=notes)
        declined = _declined(available, about, target)
        repo = addresses.cleaned(where.repo)
        if as_json:
            newest = {"version": notes["newest"], "commit": notes["commit"]}
            here = {name: about.get(name, "") for name in ("version", "commit", "kind")}
            self.say_json({"installed": here, "repo": repo, "newest": newest, "newer": target is not None, **declined})
        elif declined:
            self.say(shown(_words(declined["declined"], about)))
        elif target is None:
            self.say(shown(f"{update_state.shown(about)} is the newest that {repo} has."))
        else:
            self.say(shown(f"{target.label} is there, this is {update_state.shown(about)} (from {repo})."))
            self.say("Install it with: llm-memory update")
        return 0

    def _target(self, about: dict[str, str], to: str) -> tuple[check.Source, updating.Target | None, dict[str, str]]:
        """Where from; what to install, None for nothing; {"declined": what is there and was gone back from}."""
        where = check.source(self.folder, os.environ)
        available = check.ask(where)
        target = updating.choose(available, about, to, update_state.read(self.folder))
        return where, target, {} if to else _declined(available, about, target)

    def _dry_run(self, about: dict[str, str], options: dict[str, Any]) -> int:
        here = update_state.shown(about)
        if options["rollback"]:
            before = update_state.shown(installation.about(installation.previous(self.folder)))
            what, to = (f"would go back from {here} to {before}", before) if before else ("nothing to go back to", "")
        else:
            where, target, declined = self._target(about, options["to"])
            to = target.label if target else ""
            source = addresses.cleaned(where.repo)
            what = f"would fetch {to} from {source} and install it over {here}" if to else f"{here} is the newest"
            if declined:
                what = _words(declined["declined"], about).removesuffix(".")
        if options["json"]:
            self.say_json({"status": "dry run", "from": here, "to": to or None})
        else:
            self.say(shown(f"{what}; nothing was changed."))
        return 0

    def _roll_back(self, about: dict[str, str], options: dict[str, Any]) -> int:
        now = installation.roll_back(self.folder, self._tell_line)
        before, after = update_state.shown(about), update_state.shown(now)
        self._say_outcome(
            options, {"status": "rolled back", "from": before, "to": after}, f"Back from {before} to {after}."
        )
        return 0

    def _update(self, about: dict[str, str], options: dict[str, Any]) -> int:
        where, target, declined = self._target(about, options["to"])
        if target is None:
            return self._up_to_date(about, options, declined.get("declined", ""))
        done = updating.update(self.folder, where, target, self._tell_line, down=bool(options["to"]))
        answer = {"from": done.before, "to": done.after, "changes": done.changes}
        if done.trouble:
            answer = {"status": "rolled back", **answer, "trouble": done.trouble}
            self._say_outcome(
                options, answer, f"{target.label} was taken back: {done.trouble}. {done.after} is in place."
            )
            return 1
        if not options["json"]:
            self.say()
            for line in done.changes:
                self.say(line)
        text = f"Updated from {done.before} to {done.after}. Sessions that run keep the old one until they end."
        if not done.whole:
            text += " Something is left to do (see above)."
        self._say_outcome(options, {"status": "updated", **answer, "whole": done.whole}, text)
        return 0 if done.whole else 1

    def _up_to_date(self, about: dict[str, str], options: dict[str, Any], declined: str) -> int:
        here = update_state.shown(about)
        answer = {"status": "up to date", "from": here, "to": here, **({"declined": declined} if declined else {})}
        self._say_outcome(options, answer, _words(declined, about) if declined else f"{here} is installed already.")
        return 0

    def _tell_line(self, line: str) -> None:
        self._tell(shown(line) and f"  {shown(line)}")

    def _say_outcome(self, options: dict[str, Any], answer: dict[str, Any], text: str) -> None:
        if options["json"]:
            self.say_json(answer)
        else:
            self.say(shown(text))


def _not_installed() -> str:
    """Why there is nothing to update, and who updates what runs here."""
    if plugin.data() is None:
        return "LLM Memory is not installed here: run ./install.sh; a clone is updated with git pull."
    return (
        "LLM Memory runs here as Claude Code's plugin, which Claude Code updates: run "
        f"`{plugin.client_command('update')}`, then restart Claude Code."
    )


def _declined(available: check.Available, about: dict[str, str], target: updating.Target | None) -> dict[str, str]:
    """{"declined": what would be newer, had it not been gone back from}; {} where nothing is."""
    left = updating.choose(available, about) if target is None else None
    return {"declined": left.label} if left is not None else {}


def _words(declined: str, about: dict[str, str]) -> str:
    return (
        f"{declined} is there, and was left or taken back before; {update_state.shown(about)} stays. "
        f"Try again with: llm-memory update --to {declined}"
    )


def _found(notes: dict[str, Any]) -> dict[str, str]:
    return {notes["newest"]: ""} if notes["newest"] else {}
