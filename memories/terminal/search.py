"""`llm-memory search QUERY`: search the memories and the archived conversations from a terminal."""

from __future__ import annotations

from memories import search, selectors
from memories.core import records, scope
from memories.core.cleaning import clean
from memories.core.errors import LockTimeoutError, TranscriptError
from memories.core.patterns import lazy
from memories.terminal import command, listing
from memories.terminal.here import Here, make_index
from memories.terminal.parser import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

_MARKED = lazy(r"\*\*(.+?)\*\*")
"""A matched word as snippets.plain marks it."""

_HEADED = lazy(r"#{1,6} ([^#>]{1,40}) > ")
"""A heading of a session log and the mark of the quotation below it, on one line."""

_SHORT_ID = 8
"""Characters of a session's id that name it, where no other begins with them."""

_FILTERS = ("scope", "type", "tags", "since", "until", "include_archived", "limit", "offset")


class Command(command.Command):
    """Print hits, best first; on a terminal matched words are highlighted and places are links."""

    help = (
        "Search in plain words: the memories (the current folder's project first), or with --transcripts every word "
        "of the archived conversations."
    )
    examples = (
        "search why did we leave redis",
        "search --transcripts --since 2026-03 migration script",
        "search --type narrative --project orders-api --json retries",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tool's own arguments."""
        parser.usage = "%(prog)s QUERY [OPTIONS]"
        parser.add_argument("query", nargs="+", metavar="QUERY", help="a question or key words")
        parser.add_argument("--scope", choices=search.SCOPES, default="memories", help="where to look")
        parser.add_argument(
            "--transcripts",
            action="store_const",
            const="transcripts",
            dest="scope",
            help="short for --scope transcripts",
        )
        parser.add_argument("--project", metavar="PROJECT", help="only this project")
        parser.add_argument("--type", choices=records.TYPES, help="only this type of memory")
        parser.add_argument("--tags", metavar="TAGS", help="only memories with all of these tags, comma-separated")
        parser.add_argument("--since", metavar="DAY", help="from this day on: YYYY, YYYY-MM or YYYY-MM-DD (UTC)")
        parser.add_argument("--until", metavar="DAY", help="up to this day, included")
        parser.add_argument("--include-archived", action="store_true", help="archived and superseded memories too")
        limit = number(1, selectors.MAX_LIMIT)
        parser.add_argument("--limit", metavar="N", type=limit, default=10, help="how many hits (1-100, default 10)")
        offset = number(0, search.MAX_OFFSET)
        parser.add_argument("--offset", metavar="N", type=offset, default=0, help="hits to skip (default 0)")
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, **options: Any) -> None:
        """Search and print. Raises MirrorUnavailableError, QueryError, LockTimeoutError."""
        answer = self._search(" ".join(options["query"]), options)
        if options["json"]:
            self.say_json(answer)
            return
        found = answer["results"]
        for hit in found:
            self.say(self._turn(hit) if hit["type"] == "transcript" else self._memory(hit))
            is_log = hit["type"] == "session_log"
            snippet = _HEADED.sub(r"\1: ", hit["snippet"]) if is_log else hit["snippet"]
            self.say(f"  {self._highlighted(snippet)}")
        if answer["hint"]:
            self.say(clean(answer["hint"]))
        turn = next((hit for hit in found if hit["type"] == "transcript"), None)
        if self.style.is_on and turn is not None:
            self.say(f"\nRead on: llm-memory transcript {self._short(turn['session_id'])} --around {turn['line']}")

    def _search(self, query: str, options: dict[str, Any]) -> dict[str, Any]:
        here = Here(self.folder)
        self._bring_up_to_date(conversations=options["scope"] != "memories")
        return search.memory_search(
            self.folder,
            query,
            project=here.scope(options["project"]),
            boosted=scope.of_project(here.own) if here.own else None,
            newest="`llm-memory recent`",
            **{name: options[name] for name in _FILTERS},
        )

    def _bring_up_to_date(self, *, conversations: bool) -> None:
        """Make a missing index; read what is new of the conversations, where they are searched."""
        make_index(self.folder)
        if not conversations:
            return
        from memories.core import conversation_index  # the quick search of memories does without it
        from memories.management.progress import ProgressBars

        with ProgressBars() as bars:
            try:
                conversation_index.update(self.folder, progress=lambda *counts: bars("conversations", *counts))
            except LockTimeoutError:
                self.warn("Conversations are being indexed by another process: there may be more hits soon.")

    def _memory(self, hit: dict[str, Any]) -> str:
        said = f"{hit['created_at'][:10]} {hit['type']}"
        return listing.head(self.style, hit["uuid"], said, hit["project"], hit.get("status"), records.whence(hit))

    def _turn(self, hit: dict[str, Any]) -> str:
        when = (hit["timestamp"] or "no time").replace("T", " ")[:16]
        said = f"{when} {hit['role']}{' (subagent)' if hit.get('subagent') else ''}"
        return listing.head(self.style, self._place(hit["session_id"], hit["line"]), said, hit["project"])

    def _place(self, session_id: str, line: int) -> str:
        """Where a turn was said, as `transcript` takes it; on a terminal a link to the file."""
        place = f"{session_id} --around {line}"
        if not self.style.is_on:
            return place
        from urllib.parse import quote

        from memories.core import archived_sessions

        try:
            path = archived_sessions.find(self.folder, session_id).path
        except TranscriptError:
            return place  # gone since it was indexed
        return f"\x1b]8;;file://{quote(path)}#L{line}\x1b\\{place}\x1b]8;;\x1b\\"

    def _short(self, name: str) -> str:
        """The least that `transcript` takes for a transcript's name."""
        from memories.core import archived_sessions

        session_id, slash, agent = name.partition("/")
        short = f"{session_id[:_SHORT_ID]}{slash}{agent}"
        try:
            archived_sessions.find(self.folder, short)
        except TranscriptError:
            return name
        return short

    def _highlighted(self, snippet: str) -> str:
        start, end = ("\x1b[1m", "\x1b[0m") if self.style.is_on else ("", "")
        return _MARKED.sub(rf"{start}\1{end}", snippet)
