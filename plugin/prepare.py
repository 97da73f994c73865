"""Makes the plugin's venv on first use, and again where the requirements or the Python are others.

Runs detached, started by SessionStart and by the server; one at a time. The venv is made under another name and renamed
when its code has been seen to start; `ready` is written last. What goes wrong is a line in `trouble`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from hooks import detached, plugin
from memories.core.errors import LLMMemoryError, LockTimeoutError, StorageError
from memories.core.files import remove_quietly, write_atomic
from memories.core.locks import FileLock
from memories.core.paths import make_private

PIP_SECONDS = 900
PROOF = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.environ["DJANGO_SETTINGS_MODULE"] = "llm_memory_site.settings"
import django
django.setup()
import mcp_bridge.server
import hooks.pre_compact, hooks.session_end, memories.core.session_logs, memories.core.sync
"""
"""Everything that the server needs starts; its bytecode, and that of the hooks, is then there for the first session."""

LAUNCHER = """#!/bin/sh
# LLM Memory's commands for those who have the plugin: link this file into a folder of your PATH.
CLAUDE_PLUGIN_DATA={data}
export CLAUDE_PLUGIN_DATA
[ $# -gt 0 ] || set -- help
exec /bin/sh {run} "$@"
"""


def main() -> int:
    """Make what is missing in the plugin's own folder; the exit code."""
    folder = plugin.data()
    if folder is None:
        return 2
    try:
        make_private(folder)
        with FileLock(os.path.join(folder, "prepare.lock")):
            return _locked(folder)
    except LockTimeoutError:
        return 0  # another is at it


def _locked(folder: str) -> int:
    if plugin.ready(folder) is not None:
        return 0
    note, before = os.path.join(folder, "trouble"), plugin.root_before(folder)
    try:
        python = _venv(folder)
        launcher = LAUNCHER.format(
            data=shlex.quote(folder), run=shlex.quote(os.path.join(plugin.ROOT, "plugin", "run.sh"))
        )
        write_atomic(os.path.join(folder, "llm-memory"), launcher.encode(), mode=0o700)
        write_atomic(os.path.join(folder, "ready"), f"{python}\n{plugin.key()}\n{plugin.ROOT}\n".encode())
    except (LLMMemoryError, OSError, subprocess.TimeoutExpired) as error:
        write_atomic(note, " ".join(str(error).split()).encode())
        return 1
    remove_quietly(note)
    _drop_old(folder, os.path.dirname(os.path.dirname(python)), before)
    return 0


def _venv(folder: str) -> str:
    """The Python of the venv for this code: the one that is there, else a new one. Raises StorageError."""
    import hashlib

    name = "venv-" + hashlib.sha256(plugin.key().encode()).hexdigest()[:16]
    venv = os.path.join(folder, name)
    python = os.path.join(venv, "bin", "python")
    if os.access(python, os.X_OK):
        _prove(python)
        return python
    for left in os.listdir(folder):
        if left.startswith("new-"):  # of one that was killed: this process holds the lock
            shutil.rmtree(os.path.join(folder, left), ignore_errors=True)
    new = os.path.join(folder, f"new-{os.getpid()}")
    try:
        _fill(new)
        os.rename(new, venv)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return python


def _fill(new: str) -> None:
    python = os.path.join(new, "bin", "python")
    _run("make a venv (Debian, Ubuntu: sudo apt install python3-venv)", [sys.executable, "-I", "-m", "venv", new])
    install = [python, "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    requirements = os.path.join(plugin.ROOT, "requirements.txt")
    _run("fetch its Python packages with pip", [*install, "--no-compile", "--require-hashes", "-r", requirements])
    _prove(python)


def _prove(python: str) -> None:
    _run("start with its Python packages", [python, *detached.python()[1:], "-c", PROOF, plugin.ROOT])


def _run(what: str, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PIP_SECONDS,
            env={**os.environ, "PIP_USER": "0"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StorageError(f"it could not {what}: no end after {PIP_SECONDS} s") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise StorageError(f"it could not {what}: {said[-1] if said else f'exit code {done.returncode}'}")


def _drop_old(folder: str, venv: str, root_before: str) -> None:
    """Remove the venvs of other requirements, and their bytecode and that of the plugin's root before this one."""
    venvs = [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("venv-")]
    gone = [path for path in venvs if path != venv]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    for path in [*gone, root_before]:
        if os.path.isabs(path) and path != plugin.ROOT:
            shutil.rmtree(os.path.join(folder, "pycache") + path, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
