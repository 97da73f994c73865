"""`llm-memory store TEXT`: keep a memory."""

from __future__ import annotations

import sys

from memories import services
from memories.core import records
from memories.core.cleaning import clean
from memories.core.errors import InvalidRecordError
from memories.terminal import command, ids
from memories.terminal.here import Here, make_index
from memories.terminal.parser import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

STDIN = "-"


class Command(command.Command):
    """The same checks as the tool's: duplicates, secrets, a narrative that loses something."""

    help = (
        "Keep a memory: a decision and why, a fix, a preference. It belongs to the project of the current folder. "
        "Secrets are replaced before anything is written; the same text is kept once."
    )
    examples = (
        'store "We chose Postgres over MySQL: we need partial indexes."',
        'store --tags deploy,ci --importance 8 "Deploys go out on Tuesdays."',
        "store --type narrative --project orders-api - < narrative.md",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The text and the tool's own arguments."""
        parser.usage = "%(prog)s TEXT [OPTIONS]"
        parser.add_argument("text", nargs="*", metavar="TEXT", help="what to keep; - or none: from standard input")
        parser.add_argument("--type", choices=records.TYPES, default="note", help="what it is (default note)")
        parser.add_argument("--project", metavar="PROJECT", help="default: the project of the current folder")
        parser.add_argument("--tags", metavar="TAGS", help="comma-separated")
        parser.add_argument(
            "--importance",
            metavar="N",
            type=number(1, 10),
            default=records.DEFAULT_IMPORTANCE,
            help=f"1-10 (default {records.DEFAULT_IMPORTANCE})",
        )
        for option, what in (("--supersedes", "this memory replaces"), ("--related", "this one has to do with")):
            parser.add_argument(
                option, action="append", default=[], metavar="ID", help=f"a memory that {what}; repeatable"
            )
        parser.add_argument("--json", action="store_true", help="the answer as JSON")

    def handle(self, **options: Any) -> None:
        """Store and report. Raises what services.memory_store does, RecordNotFoundError for a link."""
        make_index(self.folder)
        here = Here(self.folder)
        links = [
            {"to_uuid": ids.of_record(self.folder, given), "relationship": relationship}
            for relationship, name in (("supersedes", "supersedes"), ("related_to", "related"))
            for given in options[name]
        ]
        answer = services.memory_store(
            self.folder,
            services.Session(here.own),
            content=_content(options["text"]),
            type=options["type"],
            project=options["project"],
            importance=options["importance"],
            tags=options["tags"],
            connections=links,
        )
        told = {"near_duplicates": [], "warnings": [], "message": None} | answer
        if options["json"]:
            self.say_json({name: told[name] for name in ("uuid", "status", "near_duplicates", "warnings", "message")})
            return
        self.say(clean(told["message"]) if told["message"] else f"Stored {told['uuid']}")
        for uuid in told["near_duplicates"]:
            self.say(f"  much like {uuid}: `llm-memory show {uuid[: ids.MIN_PREFIX + 2]}`, then delete one of them")
        for warning in told["warnings"]:
            self.say(f"  {clean(warning)}")


def _content(words: list[str]) -> str:
    """What is to be kept: the words, or standard input. Raises InvalidRecordError."""
    if words and words != [STDIN]:
        return " ".join(words)
    if sys.stdin.isatty() and not words:
        raise InvalidRecordError('Say what to keep: llm-memory store "TEXT", or pipe it in.')
    limit = 4 * services.MAX_CONTENT_CHARS + 1  # bytes of the longest text, and one that shows that it is too long
    try:
        return sys.stdin.buffer.read(limit).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRecordError(
            "What came in is not UTF-8 text, or too long for one memory: nothing was stored."
        ) from None
