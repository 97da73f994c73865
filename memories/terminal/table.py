"""Every command: its name, where it is, what it does in a line, in the order in which the overview shows them."""

from __future__ import annotations

PLAIN = "memories.terminal."
"""Before the module's name of a command that needs no Django to start."""

COMMANDS: dict[str, tuple[str, str]] = {
    "transcript": (PLAIN + "transcript", "read an archived session page by page; without one, list the newest"),
}
"""Command as people write it -> (module of its class Command, summary). What is not here is Django's: management/."""
