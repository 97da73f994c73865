"""The commands in ~/.local/bin: llm-memory and llm-memory-dashboard. A file of that name that is not ours is kept."""

from __future__ import annotations

import os
import shlex
from functools import partial

from hooks.claude_settings import python_path
from hooks.user_files import read_bytes
from memories.core.files import remove_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hooks.machine import Machine

MARK = b"# LLM Memory: written by its install, removed by its uninstall\n"

_MODE = 0o755
"""Commands as others in that folder are; what they start is in the data folder, which only its user can enter."""

_START = """#!/bin/sh
{mark}{config_dir}{arguments}
exec {python} -I -S {script} "$@"
"""
"""-S: the site module costs 6 ms, and only what needs installed packages adds them (memories/terminal/packages.py)."""

_ARGUMENTS = {
    "llm-memory": "[ $# -gt 0 ] || set -- help",
    "llm-memory-dashboard": 'set -- dashboard "$@"',
}


def text(machine: Machine, name: str) -> bytes:
    """The launcher's script. It calls the installed interpreter by absolute path."""
    config_dir = ""
    if machine.config_dir_set:
        folder = shlex.quote(machine.claude_dir)
        config_dir = f'[ -n "${{CLAUDE_CONFIG_DIR:-}}" ] || export CLAUDE_CONFIG_DIR={folder}\n'
    lib = machine.folder.lib
    return _START.format(
        mark=MARK.decode(),
        config_dir=config_dir,
        python=shlex.quote(python_path(lib)),
        script=shlex.quote(os.path.join(lib, "manage.py")),
        arguments=_ARGUMENTS[name],
    ).encode()


def install(machine: Machine) -> None:
    """Write both commands; say when a foreign file is in the way or when the folder is not on PATH."""
    report = machine.report
    for name in _ARGUMENTS:
        path = os.path.join(machine.bin, name)
        current, new = read_bytes(path), text(machine, name)
        if current is not None and MARK not in current:
            report.leave(f"{machine.show(path)} is another program's and was kept: move it, then run install.sh again")
        elif current != new or not os.access(path, os.X_OK):
            report.act(f"write {machine.show(path)}", partial(_write, path, new))
    if machine.bin not in os.environ.get("PATH", "").split(os.pathsep):
        report.leave(
            "~/.local/bin is not on PATH: run this here now, and add it to ~/.profile (zsh: ~/.zprofile),\n"
            "    which counts from your next login:\n"
            '      export PATH="$HOME/.local/bin:$PATH"'
        )


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, data, mode=_MODE)
    os.chmod(path, _MODE)  # ours is a strict umask


def remove(machine: Machine) -> None:
    """Remove both commands where they are ours."""
    for name in _ARGUMENTS:
        path = os.path.join(machine.bin, name)
        if MARK in (read_bytes(path) or b""):
            machine.report.act(f"remove {machine.show(path)}", partial(remove_quietly, path))
