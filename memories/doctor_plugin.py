"""Doctor's checks of the Claude Code plugin: alone in its place, or beside an installation, where it stands aside."""

from __future__ import annotations

from memories.findings import Check


def step(installed: str, as_plugin: str) -> str:
    """What to do next, as Check.todo: that of an installation or a clone, or that of a process of the plugin's."""
    from hooks import plugin

    return installed if plugin.data() is None else as_plugin


def beside() -> list[Check]:
    """What is to be said of the plugin on a machine with an installation; nothing where it is not switched on."""
    from hooks import plugin

    todo = "remove one of the two: run `{}`, or `llm-memory uninstall`"
    return [
        Check(
            "plugin",
            "warn",
            f"installed twice: {name} is switched on in Claude Code too, and stands aside",
            todo.format(f"claude plugin uninstall {name}"),
        )
        for name in plugin.switched_on()
    ]


def alone() -> list[Check]:
    """The plugin's state on a machine without an installation; nothing where it is not switched on."""
    from hooks import plugin

    names, data = plugin.switched_on(), plugin.data()
    if not names and data is None:
        return []
    name = names[0] if names else plugin.NAME
    if data is None:
        return [Check("plugin", "ok", f"{name} is switched on in Claude Code")]
    if plugin.ready(data) is None:
        why = plugin.trouble(data) or "its Python packages are not there yet"
        return [Check("plugin", "fail", f"no memory tools: {why}", "start a session in Claude Code: it tries again")]
    return [Check("plugin", "ok", f"{name} is set up in {data}")]
