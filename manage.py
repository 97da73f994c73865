#!/usr/bin/env python
"""Entry point: hooks are answered before Django is imported, everything else is a Django command.

Runs under `python -I` too, which hooks and the installed wrappers use so that the user's PYTHONPATH cannot break them.
What any of it makes is this user's alone, whatever the umask: SQLite, libraries and child processes included.
"""

import os
import sys


def main() -> int:
    """Run the command in sys.argv; returns the process's exit code."""
    os.umask(0o077)
    here = os.path.dirname(os.path.abspath(__file__))
    if here not in sys.path:
        sys.path.insert(0, here)
    if "LLM_MEMORY_HOME" not in os.environ and os.path.exists(os.path.join(here, "install.json")):
        os.environ["LLM_MEMORY_HOME"] = os.path.dirname(here)
    if len(sys.argv) > 1 and sys.argv[1] == "hook" and not {"-h", "--help"} & set(sys.argv):
        from hooks.dispatch import main as run_hook

        return run_hook(sys.argv[2:])
    from llm_memory_site.command_line import run

    return run(sys.argv)


def leave(code: int) -> None:
    """End the process at once: what is to be written is out, and taking the interpreter apart costs a command like
    `search` a tenth of its time. Does nothing where that is not so, or where Django has been started."""
    if "django" in sys.modules:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return  # Python says it, and with which exit code
    mirror = sys.modules.get("memories.plain_connection")
    if mirror is not None:
        mirror.close_all()
    os._exit(code)


if __name__ == "__main__":
    exit_code = main()
    leave(exit_code)
    sys.exit(exit_code)
