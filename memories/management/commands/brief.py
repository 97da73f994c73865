"""`manage.py brief`: what a session is told at its start."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from memories import brief
from memories.core import archived_sessions, mirror, projects
from memories.core.errors import ProjectError
from memories.core.settings import read_settings
from memories.management.base import MemoryCommand
from memories.services import Session

WAIT_SECONDS = 60.0


class Command(MemoryCommand):
    """Print a briefing exactly as a session would get it, then its size."""

    help = "Print what a session of this project is told at its start, exactly, and how long it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which project, and how the session starts."""
        parser.add_argument("--project", help="this project; default: that of the folder you are in")
        parser.add_argument(
            "--source", choices=brief.SOURCES, default="startup", help="how the session starts (default startup)"
        )
        parser.add_argument(
            "--session",
            metavar="ID",
            help="the session that is compacted or resumed, or its first characters; default: the project's last one",
        )
        parser.add_argument("--json", action="store_true", help="text and size as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the briefing. Raises ProjectError, TranscriptError, LockTimeoutError, MirrorUnavailableError."""
        folder = self.folder
        settings, _ = read_settings(folder)
        project = projects.identify(os.getcwd(), settings)
        if project is None and not options["project"]:
            raise ProjectError("There is no project here: pass --project, or go to the project's folder.")
        mirror.update(folder, wait_seconds=WAIT_SECONDS)
        named = options["session"]
        session_id = archived_sessions.find(folder, named).session_id if named else None
        found = brief.brief(folder, Session(project, session_id), options["project"], options["source"])
        if options["json"]:
            self.say_json(found)
            return
        self.say(found["text"])
        self.say(self.style.WARNING(f"\n({brief.headline(found)})"))
