"""Runs a management command so that no traceback reaches a user: domain errors become one line with the next step."""

from __future__ import annotations

import os
import sys

from memories.core.errors import LLMMemoryError


def run(argv: list[str]) -> int:
    """Run `manage.py <command>`; exit code 1 for a domain error, 130 for Ctrl-C, else the command's own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llm_memory_site.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.stderr.write("Django is not installed for this Python. Run ./install.sh, then use `llm-memory`.\n")
        return 1
    try:
        execute_from_command_line(argv)
    except LLMMemoryError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0
