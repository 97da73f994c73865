"""Processes that outlive their hook: in a session of their own, with no open descriptor of the client's."""

from __future__ import annotations

import os
import sys

_NICE = 10


def fork() -> bool:
    """True in a new process that belongs to nobody, False in the one that called. Raises OSError: none can be made.

    Two forks: the one in the middle ends at once, so nobody has to wait for the new one. Claude Code kills a hook's
    whole tree at its limit, but not what a hook left behind that had ended in time.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return False
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.nice(_NICE)
    except OSError:
        os._exit(1)  # a copy of the hook must never go on as one
    return True


def start(command: list[str]) -> None:
    """Start a command detached and return at once. Where no process can be made, the next start tries again."""
    try:
        if not fork():
            return
    except OSError:
        return
    try:
        os.execv(command[0], command)  # noqa: S606 - our own scripts
    finally:
        os._exit(1)


def python() -> list[str]:
    """How to start this interpreter again: isolated, and with bytecode where this process keeps its own."""
    cache = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    return [sys.executable, "-I", *cache]
