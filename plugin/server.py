"""The plugin's MCP server as Claude Code starts it: becomes `manage.py mcp` of the venv, or stands in for it.

While the venv is being made the client gets its handshake at once from a server without tools (standing_in.py), which
hands over to the real one when that can start. Beside an installation of install.sh it stays without tools.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from hooks import detached, plugin
from memories.core.settings import disabled_by_environment


def command(python: str) -> list[str]:
    """The real server's command line. python: the venv's."""
    return [python, *detached.python()[1:], os.path.join(plugin.ROOT, "manage.py"), "mcp"]


def main() -> int:
    """Serve until the client ends; the exit code."""
    folder = plugin.data()
    if folder is None:
        return 2
    aside = plugin.installed_beside() is not None
    python = None if aside else plugin.ready(folder)
    if python is not None:
        os.execv(python, command(python))  # noqa: S606 - our own script
    from plugin import standing_in

    if aside:
        sys.stderr.write(plugin.ASIDE + "\n")
        return standing_in.serve(plugin.ASIDE, lambda: None)
    if not disabled_by_environment():
        plugin.prepare(folder)

    def real() -> list[str] | None:
        found = plugin.ready(folder)
        return None if found is None else command(found)

    return standing_in.serve("LLM Memory is setting itself up; its tools come within a minute or two.", real)


if __name__ == "__main__":
    sys.exit(main())
