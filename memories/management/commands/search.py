"""`manage.py search QUERY`: search the memories from a terminal."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from memories import selectors
from memories.core import mirror, projects, records, scope
from memories.core.errors import MirrorUnavailableError
from memories.core.settings import read_settings
from memories.management.base import MemoryCommand

_MARKED = re.compile(r"\*\*(.+?)\*\*")
"""A matched word as selectors.plain_snippet marks it."""


def _limit(text: str) -> int:
    number = int(text)
    if not 1 <= number <= selectors.MAX_LIMIT:
        raise ArgumentTypeError(f"{number} is not from 1 to {selectors.MAX_LIMIT}")
    return number


class Command(MemoryCommand):
    """Print hits, best first; matched words are highlighted on a terminal."""

    help = "Search the memories in plain words; the current folder's project comes first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tool's own arguments."""
        parser.add_argument("query", nargs="+", help="a question or key words")
        parser.add_argument("--project", help="only this project")
        parser.add_argument("--type", choices=records.TYPES, help="only this type")
        parser.add_argument("--limit", type=_limit, default=10, help="how many hits (1-100, default 10)")
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Search and print."""
        answer = self._search(" ".join(options["query"]), options)
        if options["json"]:
            self.say_json(answer)
            return
        for hit in answer["results"]:
            where = f" · {hit['project']}" if hit["project"] else ""
            self.say(self.style.MIGRATE_HEADING(f"{hit['created_at'][:10]} {hit['type']}{where}") + f"  {hit['uuid']}")
            self.say(f"  {self._highlighted(hit['snippet'])}")
        if answer["hint"]:
            self.say(answer["hint"])

    def _search(self, query: str, options: dict[str, Any]) -> dict[str, Any]:
        folder = self.folder
        settings, _ = read_settings(folder)
        own = projects.identify(os.getcwd(), settings)
        try:
            selectors.mirror_connection(folder)
        except MirrorUnavailableError:
            mirror.update(folder, wait_seconds=60.0)
        named = selectors.named_scope(folder, options["project"], own, settings) if options["project"] else None
        boosted = scope.of_project(own) if own else None
        limit = options["limit"]
        return selectors.memory_search(folder, query, project=named, boosted=boosted, type=options["type"], limit=limit)

    def _highlighted(self, snippet: str) -> str:
        start, end = ("\x1b[1m", "\x1b[0m") if self.stdout.isatty() and self.style.ERROR("x") != "x" else ("", "")
        return _MARKED.sub(rf"{start}\1{end}", snippet)
