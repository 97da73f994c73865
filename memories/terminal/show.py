"""`llm-memory show ID`: one memory whole."""

from __future__ import annotations

from memories import selectors
from memories.core import records
from memories.core.cleaning import clean
from memories.terminal import command, ids, listing
from memories.terminal.here import make_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

_APART = frozenset({"uuid", "type", "project", "content", "connections", "schema_version"})
"""Fields that are not in the list of fields: shown elsewhere, or nobody's concern."""


class Command(command.Command):
    """Fields, text, links both ways."""

    help = "Read one memory whole: its fields, its text, and what it is linked with, both ways."
    examples = ("show 3f2a91", "show 3f2a91 --json", "show 0f3c9a7d21b84e55a6c07e19d2f4b888")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The memory."""
        parser.add_argument(
            "uuid", metavar="ID", help=f"id of the memory, or its first {ids.MIN_PREFIX} hex digits or more"
        )
        parser.add_argument("--json", action="store_true", help="the record and its links as JSON")

    def handle(self, **options: Any) -> None:
        """Read and print. Raises RecordNotFoundError, InvalidRecordError, MirrorUnavailableError."""
        make_index(self.folder)
        record = selectors.memory_get(self.folder, ids.of_record(self.folder, options["uuid"]))
        if options["json"]:
            self.say_json(record)
            return
        what = f"{record['created_at'][:10]} {record['type']}"
        self.say(listing.head(self.style, record["uuid"], what, record.get("project"), records.whence(record)))
        for name, value in record.items():
            if name not in _APART and value not in (None, "", []):
                self.say(f"  {_line(name)}: {_line(value)}")
        self.say(f"\n{clean(record['content'])}")
        self._links(record["connections"])

    def _links(self, connections: dict[str, list[dict[str, Any]]]) -> None:
        ends = [("", one["to_uuid"], one) for one in connections["outgoing"]]
        ends += [("by ", one["from_uuid"], one) for one in connections["incoming"]]
        if ends:
            self.say()
        for whose, uuid, link in ends:
            how = _HOW[bool(whose)].get(link["relationship"], link["relationship"])
            memory = link["memory"]
            said = listing.opening(memory) if memory else "(not here)"
            self.say(f"{self.style.heading(_line(how))}  {uuid}  {said}")


_HOW = (
    {"supersedes": "supersedes", "related_to": "related to"},
    {"supersedes": "superseded by", "related_to": "related to"},
)
"""How a link is called at the end it starts from, and at the other."""


def _line(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join(clean(text).split())
