"""The Claude Code plugin: whether this process runs as it, whether it must stand aside, whether its venv is ready.

The plugin's hooks and server are started by plugin/run.sh, which names the plugin's own data folder (not the memory's)
in LLM_MEMORY_PLUGIN. It holds `ready` (three lines: the venv's Python, the key of what it was made from, the plugin's
root), `trouble` (why there is none, in a line), `python`, venv-* and pycache.
"""

from __future__ import annotations

import os

from hooks import detached
from memories.core.paths import claude_config_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "llm-memory"
FULL_NAME = "llm-memory@llm-memory"
"""With the marketplace that the repository is."""
VARIABLE = "LLM_MEMORY_PLUGIN"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ASIDE = (
    "LLM Memory is installed twice (install.sh and the plugin): the plugin stands aside. Remove one of them: "
    "`claude plugin uninstall llm-memory@llm-memory`, or `llm-memory uninstall`"
)
_MARK = b"/lib/manage.py"
"""Stands in every hook entry of an installation's: without it settings.json need not be parsed."""


def data() -> str | None:
    """The plugin's own folder where this process runs as the plugin, else None."""
    return os.environ.get(VARIABLE) or None


def installed_beside() -> str | None:
    """The lib folder of the installation (install.sh) whose hooks Claude Code starts as well; None without one."""
    text = _settings_text()
    if _MARK not in text:
        return None
    from hooks import claude_settings

    for entry in _entries(_parsed(text).get("hooks")):
        script: str = entry["args"][-3] if claude_settings.is_our_hook(entry) else ""
        if os.path.isfile(script):
            return os.path.dirname(script)
    return None


def _settings_text() -> bytes:
    try:
        with open(os.path.join(claude_config_dir(), "settings.json"), "rb") as file:
            return file.read()
    except OSError:
        return b""


def _parsed(text: bytes) -> dict[str, Any]:
    """Claude Code's settings; nothing for a file that is no JSON, which Claude Code does not follow either."""
    from hooks import json_text
    from memories.core.errors import SettingsError

    try:
        return json_text.parse(text, "settings.json")
    except SettingsError:
        return {}


def _entries(hooks: Any) -> list[Any]:
    events = hooks.values() if isinstance(hooks, dict) else ()
    groups = [group for event in events if isinstance(event, list) for group in event]
    lists = [group.get("hooks") for group in groups if isinstance(group, dict)]
    return [entry for entries in lists if isinstance(entries, list) for entry in entries]


def enabled_in(settings: dict[str, Any]) -> list[str]:
    """The names (`llm-memory@MARKETPLACE`) under which Claude Code's settings have the plugin switched on."""
    enabled = settings.get("enabledPlugins")
    if not isinstance(enabled, dict):
        return []
    return [name for name, on in enabled.items() if on and name.partition("@")[0] == NAME]


def switched_on() -> list[str]:
    """The names under which this user's Claude Code has the plugin switched on."""
    return enabled_in(_parsed(_settings_text()))


def is_there() -> bool:
    """Whether Claude Code starts the plugin: this process runs as it, or the settings have it."""
    return data() is not None or bool(switched_on())


def client_command(verb: str) -> str:
    """Claude Code's own command for the plugin. verb: uninstall, update."""
    return f"claude plugin {verb} {(switched_on() or [FULL_NAME])[0]}"


def key() -> str:
    """What a venv depends on: the requirements and the Python that runs this."""
    import hashlib
    import sys

    with open(os.path.join(ROOT, "requirements.txt"), "rb") as file:
        requirements = hashlib.sha256(file.read()).hexdigest()
    return f"{requirements} {sys.version.split()[0]} {os.path.realpath(sys.executable)}"


def ready(folder: str) -> str | None:
    """The Python of the venv that was made for this code; None while there is none. folder: the plugin's own."""
    python, made_from, root = _noted(folder)
    return python if root == ROOT and os.access(python, os.X_OK) and made_from == key() else None


def root_before(folder: str) -> str:
    """The plugin's root for which it was set up last; "" where it never was."""
    return _noted(folder)[2]


def _noted(folder: str) -> tuple[str, str, str]:
    """What `ready` holds: the venv's Python, its key, the plugin's root."""
    try:
        with open(os.path.join(folder, "ready"), encoding="utf-8") as file:
            python, made_from, root, *_ = *file.read().splitlines(), "", "", ""
    except (OSError, ValueError):
        return "", "", ""
    return python, made_from, root


def trouble(folder: str) -> str:
    """Why the last try to make the venv failed, in a line; "" where it did not."""
    try:
        with open(os.path.join(folder, "trouble"), encoding="utf-8", errors="replace") as file:
            return " ".join(file.read(500).split())
    except OSError:
        return ""


def prepare(folder: str) -> None:
    """Start making the venv in a detached process, which gives way to one that is at it."""
    os.environ["CLAUDE_PLUGIN_DATA"] = folder
    detached.start(["/bin/sh", os.path.join(ROOT, "plugin", "run.sh"), "prepare"])


def readiness(folder: str) -> str:
    """What session_start adds to its line for the user: "" when the tools are there, else why not. Starts making the
    venv where there is none."""
    if ready(folder) is not None:
        return ""
    failed = trouble(folder)
    prepare(folder)
    if failed:
        return f" · the memory tools are missing: {failed} (trying again now)"
    return " · setting itself up (first use): the memory tools come within a minute or two"
