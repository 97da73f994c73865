"""`llm-memory sync-setup`: let the Syncthing of this machine carry the memory to others, or end that."""

from __future__ import annotations

import os
import sys

from memories.core.errors import SyncthingError
from memories.core.paths import SYNCED_FOLDERS
from memories.named import counted
from memories.syncthing import access, choice, next_steps, setup, unshare
from memories.syncthing.access import Access, Situation
from memories.syncthing.answers import FOLDER_ID, Device
from memories.syncthing.home import places
from memories.syncthing.plan import Plan
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any


class Command(command.Command):
    """Says everything it would do and asks. Exit 1 when it was not done."""

    help = "Share the memory with your other machines through Syncthing, or end that (--remove)."
    examples = ("sync-setup", "sync-setup --device desk --dry-run", "sync-setup --remove --yes")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which machines, which Syncthing, and how much to ask."""
        parser.add_argument(
            "--device",
            action="append",
            default=[],
            metavar="DEVICE",
            help="share with this machine (repeatable); an id that Syncthing does not know is added",
        )
        parser.add_argument(
            "--url", default="", metavar="URL", help="Syncthing's address, where its config.xml does not say it"
        )
        parser.add_argument(
            "--api-key", default="", metavar="KEY", help="its API key, where its config.xml cannot be read"
        )
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--remove", action="store_true", help="take the folder out of Syncthing; the files stay")
        parser.add_argument("--json", action="store_true", help="the steps as JSON; needs --yes or --dry-run")

    def handle(self, **options: Any) -> None:
        """Plan, show, ask, do. Raises SyncthingError, StorageError."""
        if options["json"] and not (options["yes"] or options["dry_run"]):
            raise SyncthingError("--json does not ask: say --dry-run to list only, or --yes to do it.")
        if options["remove"]:
            self._remove(options)
        else:
            self._share(options)

    def _share(self, options: dict[str, Any]) -> None:
        reached = access.find(os.environ, url=options["url"], api_key=options["api_key"])
        found = access.situation(reached)
        chosen = self._chosen(reached, found, options)
        plan = setup.make_plan(self.folder, reached, found, chosen, os.environ)
        if not options["json"]:
            self._show(reached, found, chosen)
        done = self._carried_out(plan, options)
        after = setup.aftermath(reached.client) if done else []
        only_shown = options["dry_run"] and bool(plan.steps)
        left = next_steps.waiting(found, chosen) if only_shown else next_steps.lines(reached.client, found, chosen)
        if options["json"]:
            self._say_outcome(plan, done=done, notes=after, left=left)
            return
        for line in after:
            self.say(f"Note: {line}")
        for line in ["", *left] if left else []:
            self.say(line)

    def _say_outcome(self, plan: Plan, *, done: bool, notes: list[str], left: list[str]) -> None:
        steps = [what for what, _ in plan.steps]
        self.say_json({"done": done, "steps": steps, "notes": [*plan.notes, *notes], "next": left})

    def _chosen(self, reached: Access, found: Situation, options: dict[str, Any]) -> list[Device]:
        if options["device"]:
            words = [choice.resolve(reached.client, found, word) for word in options["device"]]
            return list(dict.fromkeys(words))
        if options["yes"] or not sys.stdin.isatty() or not choice.worth_asking(found):
            return choice.offered(found)
        devices = choice.candidates(found)
        self.say("Machines that the memory could be shared with:")
        for number, one in enumerate(devices, 1):
            self.say(f"  {number}  {choice.describe(found, one)}")
        return choice.picked(devices, self.ask("Which? Numbers, or nothing for none now: "))

    def _show(self, reached: Access, found: Situation, chosen: list[Device]) -> None:
        files, size = setup.size(self.folder)
        have = found.ours.devices if found.ours else ()
        shared = [one for one in found.devices if one.id in have]
        names = [one.shown for one in dict.fromkeys([*shared, *chosen])]
        self.say(f"Syncthing: {reached.client.url}")
        self.say(f"Folder:    {self.folder.root}")
        what = ", ".join(f"{name}/" for name in SYNCED_FOLDERS)
        self.say(f"Travels:   {what} ({counted(files, 'file')}, {size / 1e6:,.1f} MB now) and nothing else")
        self.say(f"With:      {', '.join(names) or 'no machine yet'}")
        self.say()

    def _carried_out(self, plan: Plan, options: dict[str, Any]) -> bool:
        """Show the steps and do them, once agreed; False when there was nothing to do or only to show."""
        tell = (lambda _: None) if options["json"] else self.say
        for line in plan.notes:
            tell(f"Note: {line}")
        tell("To do:" if plan.steps else "Nothing to do.")
        for what, _ in plan.steps:
            tell(f"  - {what}")
        if options["dry_run"] and plan.steps:
            tell("Dry run: nothing was changed.")
        if options["dry_run"] or not plan.steps:
            return False
        if not options["yes"]:
            self.agree("Go on?", SyncthingError)
        for _, action in plan.steps:
            action()
        tell("Done.")
        return True

    def _remove(self, options: dict[str, Any]) -> None:
        gone = not (options["url"] or places(os.environ))
        reached = None if gone else access.find(os.environ, url=options["url"], api_key=options["api_key"])
        plan = unshare.removal_plan(self.folder, reached, os.environ)
        done = self._carried_out(plan, options)
        if options["json"]:
            self._say_outcome(plan, done=done, notes=[], left=[])
        elif done:
            self.say(f"Syncthing here no longer carries {self.folder.root}; the other machines keep {FOLDER_ID}.")
