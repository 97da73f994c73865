"""Doctor's checks of the Claude Code plugin: alone in its place, or beside an installation, where it stands aside."""

from __future__ import annotations

import os

from memories.core.paths import claude_config_dir
from memories.doctor_transcripts import read_json
from memories.findings import Check


def _enabled() -> list[str]:
    from hooks import plugin

    return plugin.enabled_in(read_json(os.path.join(claude_config_dir(), "settings.json")) or {})


def beside() -> list[Check]:
    """What is to be said of the plugin on a machine with an installation; nothing where it is not switched on."""
    todo = "remove one of the two: run `{}`, or `llm-memory uninstall`"
    return [
        Check(
            "plugin",
            "warn",
            f"installed twice: {name} is switched on in Claude Code too, and stands aside",
            todo.format(f"claude plugin uninstall {name}"),
        )
        for name in _enabled()
    ]


def alone() -> list[Check]:
    """The plugin's state on a machine without an installation; nothing where it is not switched on."""
    from hooks import plugin

    names, data = _enabled(), plugin.data()
    if not names and data is None:
        return []
    name = names[0] if names else plugin.NAME
    if data is None:
        return [Check("plugin", "ok", f"{name} is switched on in Claude Code")]
    if plugin.ready(data) is None:
        why = plugin.trouble(data) or "its Python packages are not there yet"
        return [Check("plugin", "fail", f"no memory tools: {why}", "start a session in Claude Code: it tries again")]
    return [Check("plugin", "ok", f"{name} is set up in {data}")]
