"""`llm-memory delete ID...`: move memories to the trash."""

from __future__ import annotations

from memories import services
from memories.core import redaction
from memories.core.cleaning import clean
from memories.core.errors import InvalidRecordError
from memories.named import counted
from memories.terminal import command, ids, listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any


class Command(command.Command):
    """Says what goes and asks; exit 1 when it was not done."""

    help = "Move memories to the trash, here and on your other machines; `restore` brings them back."
    examples = ("delete 3f2a91", "delete 3f2a91 0f3c9a --yes", "delete 3f2a91 --yes --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which memories, and how much to ask."""
        parser.add_argument(
            "uuids", nargs="+", metavar="ID", help=f"id of a memory, or its first {ids.MIN_PREFIX} hex digits or more"
        )
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON; needs --yes")

    def handle(self, **options: Any) -> None:
        """List, ask, delete. Raises RecordNotFoundError, InvalidRecordError, StorageError, LockTimeoutError."""
        if options["json"] and not options["yes"]:
            raise InvalidRecordError("--json does not ask: say --yes to do it. Nothing was changed.")
        uuids = list(dict.fromkeys(ids.of_record(self.folder, given) for given in options["uuids"]))
        found = [redaction.load(self.folder, uuid) for uuid in uuids]
        if not options["yes"]:
            for record in found:
                self.say(f"{record['uuid']}  {record['type']}  {listing.title(record)}")
            self.agree(f"Move {counted(len(found), 'memory', 'memories')} to the trash?", InvalidRecordError)
        answers = [services.memory_delete(self.folder, uuid) for uuid in uuids]
        if options["json"]:
            self.say_json({"deleted": answers})
            return
        for answer in answers:
            self.say(f"Deleted {answer['uuid']}")
            for warning in answer["warnings"]:
                self.say(f"  {clean(warning)}")
        self.say(f"To bring it back: llm-memory restore {' '.join(uuids)}")
