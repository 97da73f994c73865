"""`manage.py search QUERY`: search the memories and the archived conversations from a terminal."""

from __future__ import annotations

import os
import re
import sqlite3
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import DatabaseError

from memories import search, selectors
from memories.core import archived_sessions, conversation_index, mirror, projects, records, scope, transcript_items
from memories.core.errors import LockTimeoutError, MirrorUnavailableError, TranscriptError
from memories.core.settings import read_settings
from memories.management.base import MemoryCommand
from memories.management.progress import ProgressBars

WAIT_SECONDS = 60.0

_MARKED = re.compile(r"\*\*(.+?)\*\*")
"""A matched word as snippets.plain marks it."""

_READ_ON = "Read around a hit: llm-memory transcript SESSION --around LINE"


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return number

    return parse


class Command(MemoryCommand):
    """Print hits, best first; on a terminal matched words are highlighted and places are links."""

    help = (
        "Search in plain words: the memories (the current folder's project first), or with --transcripts every word "
        "of the archived conversations."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tool's own arguments."""
        parser.usage = "%(prog)s QUERY [OPTIONS]"  # what is wrong with an option is lost below a list of all
        parser.add_argument("query", nargs="+", help="a question or key words")
        parser.add_argument("--scope", choices=search.SCOPES, default="memories", help="where to look")
        parser.add_argument(
            "--transcripts",
            action="store_const",
            const="transcripts",
            dest="scope",
            help="short for --scope transcripts",
        )
        parser.add_argument("--project", help="only this project")
        parser.add_argument("--type", choices=records.TYPES, help="only this type of memory")
        parser.add_argument("--tags", help="only memories with all of these tags, comma-separated")
        parser.add_argument("--since", help="from this day on: YYYY, YYYY-MM or YYYY-MM-DD (UTC)")
        parser.add_argument("--until", help="up to this day, included")
        parser.add_argument("--include-archived", action="store_true", help="archived and superseded memories too")
        limit = _number(1, selectors.MAX_LIMIT)
        parser.add_argument("--limit", type=limit, default=10, help="how many hits (1-100, default 10)")
        offset = _number(0, search.MAX_OFFSET)
        parser.add_argument("--offset", type=offset, default=0, help="hits to skip (default 0)")
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Search and print. Raises MirrorUnavailableError for a damaged index too."""
        try:
            answer = self._search(" ".join(options["query"]), options)
        except (DatabaseError, sqlite3.Error) as error:
            raise MirrorUnavailableError(
                f"The index cannot be read ({error}). Run `llm-memory rebuild_index`, then search again."
            ) from error
        if options["json"]:
            self.say_json(answer)
            return
        found = answer["results"]
        for hit in found:
            self.say(self._turn(hit) if hit["type"] == "transcript" else self._memory(hit))
            self.say(f"  {self._highlighted(hit['snippet'])}")
        if answer["hint"]:
            self.say(transcript_items.clean(answer["hint"]))
        if self._is_styled() and any(hit["type"] == "transcript" for hit in found):
            self.say(f"\n{_READ_ON}")

    def _search(self, query: str, options: dict[str, Any]) -> dict[str, Any]:
        folder = self.folder
        settings, _ = read_settings(folder)
        own = projects.identify(os.getcwd(), settings)
        self._bring_up_to_date(conversations=options["scope"] != "memories")
        name = transcript_items.clean(options["project"] or "")
        named = selectors.named_scope(folder, name, own, settings) if name else None
        return search.memory_search(
            folder,
            query,
            project=named,
            boosted=scope.of_project(own) if own else None,
            newest="the dashboard (`llm-memory-dashboard`)",
            **{
                name: options[name]
                for name in ("scope", "type", "tags", "since", "until", "include_archived", "limit", "offset")
            },
        )

    def _bring_up_to_date(self, *, conversations: bool) -> None:
        """Make a missing index; read what is new of the conversations, where they are searched."""
        folder = self.folder
        with ProgressBars() as bars:
            try:
                selectors.mirror_connection(folder)
            except MirrorUnavailableError:
                mirror.update(folder, wait_seconds=WAIT_SECONDS, progress=lambda *counts: bars("records", *counts))
            if conversations:
                try:
                    conversation_index.update(folder, progress=lambda *counts: bars("conversations", *counts))
                except LockTimeoutError:
                    self.stderr.write(
                        "Conversations are being indexed by another process: there may be more hits soon."
                    )

    def _memory(self, hit: dict[str, Any]) -> str:
        said = f"{hit['created_at'][:10]} {hit['type']}"
        head = self._head(said, hit["project"], hit.get("status"), records.whence(hit))
        return f"{head}{hit['uuid']}"

    def _turn(self, hit: dict[str, Any]) -> str:
        when = (hit["timestamp"] or "no time").replace("T", " ")[:16]
        said = f"{when} {hit['role']}{' (subagent)' if hit.get('subagent') else ''}"
        return self._head(said, hit["project"]) + self._place(hit["session_id"], hit["line"])

    def _head(self, *parts: str | None) -> str:
        head = " ".join(transcript_items.clean(" · ".join(filter(None, parts))).split())
        return f"{self.style.MIGRATE_HEADING(head)}  "

    def _place(self, session_id: str, line: int) -> str:
        """Where a turn was said, as `transcript` takes it; on a terminal a link to the file."""
        place = f"{session_id} --around {line}"
        if not self._is_styled():
            return place
        try:
            path = archived_sessions.find(self.folder, session_id).path
        except TranscriptError:
            return place  # gone since it was indexed
        return f"\x1b]8;;{Path(path).as_uri()}#L{line}\x1b\\{place}\x1b]8;;\x1b\\"

    def _highlighted(self, snippet: str) -> str:
        start, end = ("\x1b[1m", "\x1b[0m") if self._is_styled() else ("", "")
        return _MARKED.sub(rf"{start}\1{end}", snippet)

    def _is_styled(self) -> bool:
        return bool(self.stdout.isatty()) and self.style.ERROR("x") != "x"
