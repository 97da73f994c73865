"""`llm-memory recent`: the newest memories."""

from __future__ import annotations

from memories import selectors
from memories.core import records, scope
from memories.core.cleaning import clean
from memories.terminal import command, listing
from memories.terminal.here import Here, make_index
from memories.terminal.parser import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any


class Command(command.Command):
    """Two lines for each, the newest first."""

    help = "List the newest memories, newest first. In a project's folder half of the places are kept for that project."
    examples = ("recent", "recent --project orders-api --limit 30", "recent --type narrative --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tool's own arguments."""
        parser.add_argument("--project", metavar="PROJECT", help="only this project")
        parser.add_argument("--type", choices=records.TYPES, help="only this type of memory")
        limit = number(1, selectors.MAX_LIMIT)
        parser.add_argument("--limit", metavar="N", type=limit, default=10, help="how many (1-100, default 10)")
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, **options: Any) -> None:
        """Read and print. Raises MirrorUnavailableError, LockTimeoutError."""
        make_index(self.folder)
        here = Here(self.folder)
        answer = selectors.memory_recent(
            self.folder,
            project=here.scope(options["project"]),
            boosted=scope.of_project(here.own) if here.own else None,
            type=options["type"],
            limit=options["limit"],
        )
        if not answer["results"]:
            answer["hint"] = _nothing(options["project"])  # for a person: the tool's names another tool
        if options["json"]:
            self.say_json(answer)
            return
        for memory in answer["results"]:
            for line in listing.of_memory(self.style, memory):
                self.say(line)
        if answer["hint"]:
            self.say(clean(answer["hint"]))


def _nothing(project: str | None) -> str:
    """What to do where nothing was found."""
    if project:
        return "No such memories in this project; without --project, those of all projects are listed."
    return 'No such memories yet: `llm-memory store "TEXT"` keeps one.'
