"""The product under measure, in a throwaway home: archive, index, search in-process or through the MCP pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.stdio import McpClient
from memories.core import sync
from memories.core.paths import DataFolder
from memories.core.scope import Scope
from memories.core.settings import DEFAULTS

ROOT = Path(__file__).resolve().parent.parent
SYNC_WAIT_SECONDS = 60.0


class Home:
    """A home folder with Claude Code's projects folder and a data folder in it, below a throwaway place."""

    def __init__(self, place: Path) -> None:
        """place is made when it is missing. Raises OSError."""
        self.place = place
        self.claude = place / ".claude"
        self.projects_dir = self.claude / "projects"
        self.projects_dir.mkdir(parents=True, exist_ok=True)
        self.folder = DataFolder(str(place / "memory"))
        self.folder.create()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process that works in this home and sees nothing of the real one."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "CLAUDE_CONFIG_DIR": str(self.claude),
            "CLAUDE_PROJECT_DIR": str(self.place),
            "LLM_MEMORY_HOME": self.folder.root,
        }

    def sync(self) -> None:
        """Archive what is in the projects folder and bring the index up to date. Raises LLMMemoryError."""
        sync.run(self.folder, str(self.projects_dir), dict(DEFAULTS), wait_seconds=SYNC_WAIT_SECONDS)

    def launch_folder(self, name: str) -> Path:
        """A folder of that name to have been working in, made when it is missing."""
        found = self.place / "work" / name
        found.mkdir(parents=True, exist_ok=True)
        return found

    def server(self) -> McpClient:
        """Our MCP server on this home. Raises ServerError."""
        return McpClient([sys.executable, "-I", str(ROOT / "manage.py"), "mcp"], self.environ, self.place)

    def search(self, question: str, scope: str, limit: int, boosted: Scope | None = None) -> list[dict[str, Any]]:
        """Hits of memory_search, in-process; start_django() comes first. Raises LLMMemoryError."""
        from memories import search  # needs Django to be set up

        answer = search.memory_search(self.folder, question, scope=scope, limit=limit, boosted=boosted)
        found: list[dict[str, Any]] = answer["results"]
        return found


def start_django(home: Home) -> None:
    """Set Django up in this process, as in that home; search() may be used on any home afterwards."""
    import django

    os.environ.update(home.environ, DJANGO_SETTINGS_MODULE="llm_memory_site.settings")
    django.setup()


def run(command: Sequence[str], environ: dict[str, str]) -> str:
    """Run a command in the checkout and give its stdout; its stderr is ours. Raises CalledProcessError."""
    done = subprocess.run(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout
