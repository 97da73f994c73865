"""`llm-memory brief`: what a session is told at its start."""

from __future__ import annotations

from memories import brief
from memories.core import archived_sessions
from memories.core.errors import ProjectError
from memories.services import Session
from memories.terminal import command
from memories.terminal.here import Here, update_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any


_NOTHING_YET = "yet; memory_store keeps what later sessions need."
"""How the briefing of a project ends of which there is nothing: it names a tool, which only sessions have."""


class Command(command.Command):
    """Print a briefing exactly as a session would get it, then its size."""

    help = "Print what a session of this project is told at its start, exactly, and how long it is."
    examples = ("brief", "brief --source compact", "brief --project orders-api --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which project, and how the session starts."""
        parser.add_argument("--project", metavar="PROJECT", help="this project; default: that of the folder you are in")
        parser.add_argument(
            "--source", choices=brief.SOURCES, default="startup", help="how the session starts (default startup)"
        )
        parser.add_argument(
            "--session",
            metavar="SESSION",
            help="the session that is compacted or resumed, or its first characters; default: the project's last one",
        )
        parser.add_argument("--json", action="store_true", help="text and size as JSON")

    def handle(self, **options: Any) -> None:
        """Print the briefing. Raises ProjectError, TranscriptError, LockTimeoutError, MirrorUnavailableError."""
        folder = self.folder
        here = Here(folder)
        if here.own is None and not options["project"]:
            raise ProjectError("There is no project here: pass --project, or go to the project's folder.")
        update_index(folder, self.warn)
        named = options["session"]
        session_id = archived_sessions.find(folder, named).session_id if named else None
        found = brief.brief(folder, Session(here.own, session_id), options["project"], options["source"])
        if options["json"]:
            self.say_json(found)
            return
        self.say(found["text"])
        self.say(self.style.warning(f"\n({brief.headline(found)})"))
        if found["text"].endswith(_NOTHING_YET):
            self.say('Here in the terminal, `llm-memory store "TEXT"` keeps a memory.')
