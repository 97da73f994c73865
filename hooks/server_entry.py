"""The MCP server's entry in Claude Code's .claude.json, through `claude mcp` where that command exists."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess

from hooks import claude_settings, json_text
from hooks.user_files import UserFile, read_bytes
from memories.core.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hooks.machine import Machine

NAME = claude_settings.SERVER_NAME
_CLAUDE_SECONDS = 60
_REMOVE = ["mcp", "remove", NAME, "--scope", "user"]


def wanted(machine: Machine) -> dict[str, Any]:
    """The entry of this installation. The data folder is named only where it is not the default one.

    alwaysLoad: without it the client waits about 2 s for a server and then sends its first request without our tools
    and instructions; with it, about 5 s (seen in 2.1.197 and 2.1.330).
    """
    lib = machine.folder.lib
    return {
        "type": "stdio",
        "command": claude_settings.python_path(lib),
        "args": ["-I", os.path.join(lib, "manage.py"), "mcp"],
        "env": {} if machine.default_folder else {"LLM_MEMORY_HOME": machine.folder.root},
        "alwaysLoad": True,
    }


def registered(machine: Machine) -> dict[str, Any] | None:
    """Our server's entry at user scope as it is now, None without one. Raises SettingsError on a broken file."""
    servers = json_text.parse(read_bytes(machine.server_file), machine.server_file).get("mcpServers")
    entry = servers.get(NAME) if isinstance(servers, dict) else None
    return entry if isinstance(entry, dict) else None


def register(machine: Machine) -> None:
    """Make the entry what it should be; without a `claude` command, say the one that is left to run."""
    report, entry = machine.report, wanted(machine)
    add = ["mcp", "add-json", NAME, json.dumps(entry), "--scope", "user"]
    current = registered(machine)
    if current is not None and {**current, "env": current.get("env") or {}} == entry:
        return
    claude = shutil.which("claude")
    if claude is not None:
        if current is not None:
            report.act(
                f"run claude {shlex.join(_REMOVE)} (another installation's entry)", lambda: _run(claude, _REMOVE)
            )
        report.act(f"run claude {shlex.join(add)}", lambda: _run(claude, add))
    elif current is not None:
        report.act(f"edit {machine.show(machine.server_file)}: server {NAME}", lambda: _set_entry(machine, entry))
    else:
        report.leave(f"`claude` is not on PATH; once it is, connect the server:\n      claude {shlex.join(add)}")


def unregister(machine: Machine) -> None:
    """Take our server out, by `claude mcp remove` where that works, else out of the file ourselves."""
    if registered(machine) is None:
        return
    claude = shutil.which("claude")
    if claude is not None:
        machine.report.act(f"run claude {shlex.join(_REMOVE)}", lambda: _remove_with(machine, claude))
    else:
        machine.report.act(f"edit {machine.show(machine.server_file)}: no {NAME}", lambda: _set_entry(machine, None))


def _remove_with(machine: Machine, claude: str) -> None:
    try:
        _run(claude, _REMOVE)
    except SettingsError as error:
        machine.report.note(str(error))
    if registered(machine) is not None:
        _set_entry(machine, None)


def _run(claude: str, arguments: list[str]) -> None:
    command = f"claude {shlex.join(arguments)}"
    try:
        done = subprocess.run(
            [claude, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CLAUDE_SECONDS,
            env={**os.environ, "LLM_MEMORY_GUARD": "1"},  # our own hooks stay quiet in a client that we start
            cwd=os.path.expanduser("~"),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"{command}: {error}. Run it yourself.") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise SettingsError(f"{command} failed ({' '.join(said) or done.returncode}). Run it yourself.")


def _set_entry(machine: Machine, entry: dict[str, Any] | None) -> None:
    file = UserFile(machine.server_file, machine.install_state)
    current = file.read()
    config = json_text.parse(current, file.path)
    if entry is None:
        del config["mcpServers"][NAME]
    else:
        config["mcpServers"][NAME] = entry
    file.write(json_text.render(config, current, file.path))
