"""`llm-memory connect FROM TO`: link two memories."""

from __future__ import annotations

from memories import services
from memories.core import records
from memories.core.cleaning import clean
from memories.terminal import command, ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any


class Command(command.Command):
    """Linking again changes nothing."""

    help = "Link two memories: the first is related to the second, or replaces it (supersedes), which hides that one."
    examples = (
        "connect 3f2a91 0f3c9a",
        "connect 3f2a91 0f3c9a --relationship supersedes",
        "connect 3f2a91 0f3c9a --json",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Both ends, and what the link says."""
        digits = f"id of a memory, or its first {ids.MIN_PREFIX} hex digits or more"
        parser.add_argument("from_uuid", metavar="ID", help=digits)
        parser.add_argument("to_uuid", metavar="OTHER_ID", help="the memory that it is linked to")
        parser.add_argument(
            "--relationship",
            choices=records.RELATIONSHIPS,
            default="related_to",
            help="what the first is to the second (default related_to)",
        )
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, **options: Any) -> None:
        """Link and report. Raises what services.memory_connect does."""
        from_uuid, to_uuid = (ids.of_record(self.folder, options[name]) for name in ("from_uuid", "to_uuid"))
        answer = services.memory_connect(self.folder, from_uuid, to_uuid, options["relationship"])
        if options["json"]:
            self.say_json(answer)
            return
        how = "supersedes" if answer["relationship"] == "supersedes" else "is related to"
        self.say(f"{answer['from_uuid']} {how} {answer['to_uuid']}")
        for warning in answer["warnings"]:
            self.say(f"  {clean(warning)}")
