"""`manage.py mcp`: the MCP server on stdio; Claude Code starts it."""

from __future__ import annotations

import gc
from typing import Any

from django.core.management.base import BaseCommand

from memories.core.paths import data_folder


class Command(BaseCommand):
    """Serve the memory tools on stdin and stdout."""

    help = "Serve the memory tools over MCP on stdin and stdout (Claude Code starts this itself)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until the client ends."""
        # The SDK's import makes 100,000 objects that stay: looking through them for garbage is 5-10 % of the start.
        gc.disable()
        from mcp_bridge.server import serve

        gc.freeze()
        gc.enable()
        serve(data_folder())
