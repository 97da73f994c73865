"""`llm-memory restore ID...`: bring deleted memories back."""

from __future__ import annotations

from memories import services
from memories.core import redaction
from memories.core.cleaning import clean
from memories.terminal import command, ids, listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

LISTED = 20


class Command(command.Command):
    """Bring memories back from trash/; without an id, list what is there."""

    help = "Bring deleted memories back from the trash; without ID, list what was deleted last."
    examples = ("restore", "restore 3f2a91", "restore 3f2a91 --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The ids of the memories."""
        parser.add_argument(
            "uuids",
            nargs="*",
            metavar="DELETED",
            help=f"id of a deleted memory, or its first {ids.MIN_PREFIX} hex digits or more",
        )
        parser.add_argument("--json", action="store_true", help="what was restored, or the list, as JSON")

    def handle(self, **options: Any) -> None:
        """Restore and report. Raises RecordNotFoundError, InvalidRecordError, StorageError, LockTimeoutError."""
        if not options["uuids"]:
            self._list(as_json=options["json"])
            return
        uuids = dict.fromkeys(ids.of_deleted(self.folder, given) for given in options["uuids"])
        answers = [services.memory_restore(self.folder, uuid) for uuid in uuids]
        if options["json"]:
            self.say_json({"restored": answers})
            return
        for answer in answers:
            self.say(f"Restored {answer['uuid']}")
            for warning in answer["warnings"]:
                self.say(f"  {clean(warning)}")

    def _list(self, *, as_json: bool) -> None:
        graves = (redaction.tombstone(self.folder, uuid) for uuid in ids.deleted(self.folder)[:LISTED])
        found = [
            {
                "uuid": grave["uuid"],
                "type": grave["type"],
                "project": grave.get("project"),
                "deleted_at": grave["deleted_at"],
                "title": listing.title(grave),
            }
            for grave in graves
            if grave is not None
        ]
        if as_json:
            self.say_json({"deleted": found})
            return
        for one in found:
            self.say(listing.head(self.style, one["uuid"], f"{one['deleted_at'][:10]} {one['type']}", one["project"]))
            self.say(f"  {one['title']}")
        if not found:
            self.say("Nothing is in the trash.")
