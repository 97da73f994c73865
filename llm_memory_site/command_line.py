"""Runs a management command so that no traceback reaches a user: domain errors become one line with the next step."""

from __future__ import annotations

import importlib
import os
import sys

from memories.core.errors import LLMMemoryError
from memories.terminal import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.terminal.command import Command

FOR_CLAUDE_CODE = ("hook", "mcp", "setup_claude", "remove_claude")
"""Our commands that programs run: named last in the overview."""

SHOWN_NAMES = {"import_bundle": "import", "sync_setup": "sync-setup"}
"""Command's module -> the name that people use, where no module can be called so (or none of ours is)."""

OVERVIEW_CALLS: tuple[list[str], ...] = ([], ["help"], ["--help"], ["-h"])


def overview() -> str:
    """What `llm-memory` can do: our own commands with a line each, without those that Django brings along."""
    from django.core.management import get_commands, load_command_class

    ours = {
        SHOWN_NAMES.get(name, name): load_command_class(app, name).help
        for name, app in get_commands().items()
        if app in {"memories", "mcp_bridge", "hooks"}
    }
    people = [name for name in sorted(ours) if name not in FOR_CLAUDE_CODE]
    lines = ["LLM Memory: persistent local memory for Claude Code.", "", "Usage: llm-memory COMMAND [OPTIONS]", ""]
    lines += [f"  {name:<14} {ours[name]}" for name in people]
    lines += ["", "Run by Claude Code and by the install:"]
    lines += [f"  {name:<14} {ours[name]}" for name in FOR_CLAUDE_CODE]
    lines += ["", "`llm-memory help COMMAND` tells a command's options."]
    return "\n".join(lines)


def module_name(command: str) -> str:
    """The module of a command as people write it: `sync-setup` -> `sync_setup`, `import` -> `import_bundle`."""
    modules = {shown: name for name, shown in SHOWN_NAMES.items()}
    return modules.get(command, command.replace("-", "_"))


def _program(script: str) -> str:
    """The name that usage texts show: `llm-memory` where it is installed as that."""
    return "llm-memory" if os.path.exists(os.path.join(os.path.dirname(script), "install.json")) else script


def run(argv: list[str]) -> int:
    """Run `manage.py <command>`; exit code 1 for a domain error, 130 for Ctrl-C, else the command's own."""
    plain = table.COMMANDS.get(argv[1]) if len(argv) > 1 else None
    if plain is not None:
        return _guarded(lambda: _run_plain(plain[0], argv))
    return _guarded(lambda: _run_django(argv))


def _run_plain(module: str, argv: list[str]) -> int:
    command: Command = importlib.import_module(module).Command()
    return command.run(f"{os.path.basename(_program(argv[0]))} {argv[1]}", argv[2:])


def _run_django(argv: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llm_memory_site.settings")
    try:
        from django.core.management import BaseCommand, ManagementUtility
    except ImportError:
        sys.stderr.write("Django is not installed for this Python. Run ./install.sh, then use `llm-memory`.\n")
        return 1

    class Utility(ManagementUtility):
        def fetch_command(self, subcommand: str) -> BaseCommand:
            return super().fetch_command(module_name(subcommand))

    if argv[1:] in OVERVIEW_CALLS:
        import django

        django.setup()
        sys.stdout.write(overview() + "\n")
        return 0
    Utility([_program(argv[0]), *argv[1:]]).execute()
    return 0


def _guarded(run: Callable[[], int]) -> int:
    try:
        return run()
    except LLMMemoryError as error:
        from memories.core.transcript_items import clean

        sys.stderr.write(f"Error: {clean(str(error))}\n")  # it may name what is stored
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
