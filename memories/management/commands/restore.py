"""`manage.py restore UUID`: bring a deleted memory back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from memories import services
from memories.management.base import MemoryCommand


class Command(MemoryCommand):
    """Bring a memory back from trash/."""

    help = "Bring a deleted memory back from the trash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The id of the memory."""
        parser.add_argument("uuid", help="id of the deleted memory (32 hex digits)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore and report."""
        answer = services.memory_restore(self.folder, options["uuid"])
        self.say(f"Restored {answer['uuid']}")
        for warning in answer["warnings"]:
            self.say(f"  {warning}")
