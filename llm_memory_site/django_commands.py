"""The commands that Django runs: the server of the dashboard, the MCP server, what install and Claude Code call."""

from __future__ import annotations

import os
import sys

from memories.core.cleaning import clean
from memories.terminal.packages import make_importable


def run_django(program: str, name: str, words: list[str], *, shown: str = "") -> int:
    """Run a management command of ours; the exit code. shown: what usage texts call it, default: by its own name.

    Raises what the command raises, SystemExit also for bad options and a CommandError.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llm_memory_site.settings")
    make_importable()
    try:
        from django.core.management import BaseCommand, ManagementUtility
    except ImportError:
        sys.stderr.write(f"{_without_django()}\n")
        return 1

    class Utility(ManagementUtility):
        def fetch_command(self, subcommand: str) -> BaseCommand:  # noqa: ARG002 - what is shown, not the module
            return super().fetch_command(name)

    Utility([program, shown or name, *words]).execute()
    return 0


def _without_django() -> str:
    """What is missing, and who brings it."""
    from hooks import plugin

    folder = plugin.data()
    if folder is None:
        return "Django is not installed for this Python. Run ./install.sh, then use `llm-memory`."
    why = clean(plugin.trouble(folder)) or "its Python packages are not there yet"
    return f"The plugin's setup is not finished: {why}. Start a session in Claude Code: it tries again."
