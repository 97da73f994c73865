"""Our part of Claude Code's settings.json: four hook entries and the permissions for our own tools.

Only events that every supported client knows are registered: 2.1.197 opens a blocking dialog for an unknown one.
Entries are in exec form (`args`: no shell between) with absolute paths; timeouts are seconds. A SessionEnd entry with
a timeout also raises the 1.5 s that Claude Code otherwise gives all SessionEnd hooks together.
"""

from __future__ import annotations

import copy
import os

from hooks import json_text
from memories.core.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SERVER_NAME = "llm_memory"

HOOK_EVENTS = {
    "SessionStart": ("session_start", 10),
    "PostToolUse": ("post_tool_use", 5),
    "PreCompact": ("pre_compact", 30),
    "SessionEnd": ("session_end", 20),
}
"""Claude Code's event -> our handler's name and its timeout in seconds."""

ALLOWED_TOOLS = tuple(
    f"mcp__{SERVER_NAME}__{tool}"
    for tool in (
        "memory_store",
        "memory_search",
        "memory_recent",
        "memory_get",
        "memory_connect",
        "memory_explore",
        "narrative_coverage",
        "transcript_read",
        "memory_brief",
    )
)
"""Our own tools that run without asking. memory_delete is not among them: Claude Code asks the user."""


def python_path(lib: str) -> str:
    """The installed interpreter of a lib folder: absolute, so that no shim or PATH stands between (up to 155 ms)."""
    return os.path.join(lib, "venv", "bin", "python")


def hook_entry(event: str, lib: str) -> dict[str, Any]:
    """The hook entry that settings.json gets for one of HOOK_EVENTS."""
    handler, timeout = HOOK_EVENTS[event]
    arguments = ["-I", "-S", os.path.join(lib, "manage.py"), "hook", handler]
    return {"type": "command", "command": python_path(lib), "args": arguments, "timeout": timeout}


def is_our_hook(entry: object) -> bool:
    """True for a hook entry that an installation of ours wrote, whatever its folder."""
    arguments = entry.get("args") if isinstance(entry, dict) else None
    if not isinstance(arguments, list) or len(arguments) < 3:  # noqa: PLR2004 - manage.py, hook, handler
        return False
    script, verb, handler = arguments[-3:]
    known = handler in [name for name, _ in HOOK_EVENTS.values()]
    return known and verb == "hook" and isinstance(script, str) and script.endswith("/lib/manage.py")


def without_hooks(settings: dict[str, Any], is_gone: Any, original: dict[str, Any]) -> dict[str, Any]:
    """A copy without the hook entries for which is_gone(entry) holds.

    Groups, event lists and the hooks object that this empties go too, unless `original` has them.
    """
    settings = copy.deepcopy(settings)
    hooks = settings.get("hooks")
    if not isinstance(hooks, dict):
        return settings
    changed = False
    original_hooks = original.get("hooks")
    kept_events = original_hooks if isinstance(original_hooks, dict) else {}
    for event, groups in list(hooks.items()):
        if not isinstance(groups, list):
            continue
        kept = [kept_group for group in groups for kept_group in _without_entries(group, is_gone)]
        if kept == groups:
            continue
        changed = True
        hooks[event] = kept
        if not kept and event not in kept_events:
            del hooks[event]
    if changed and not hooks and "hooks" not in original:
        del settings["hooks"]
    return settings


def _without_entries(group: object, is_gone: Any) -> list[object]:
    entries = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(group, dict) or not isinstance(entries, list) or not any(is_gone(entry) for entry in entries):
        return [group]
    kept = [entry for entry in entries if not is_gone(entry)]
    return [{**group, "hooks": kept}] if kept else []


def without_permissions(settings: dict[str, Any], is_gone: Any, original: dict[str, Any]) -> dict[str, Any]:
    """A copy without the permissions.allow entries for which is_gone(entry) holds; emptied containers as above."""
    settings = copy.deepcopy(settings)
    permissions = settings.get("permissions")
    allowed = permissions.get("allow") if isinstance(permissions, dict) else None
    if not isinstance(permissions, dict) or not isinstance(allowed, list):
        return settings
    kept = [entry for entry in allowed if not is_gone(entry)]
    if kept == allowed:
        return settings
    permissions["allow"] = kept
    original_permissions = original.get("permissions")
    if not kept and not (isinstance(original_permissions, dict) and "allow" in original_permissions):
        del permissions["allow"]
    if not permissions and "permissions" not in original:
        del settings["permissions"]
    return settings


def add_ours(settings: dict[str, Any], lib: str) -> dict[str, Any]:
    """A copy of the settings with our entries at the end of each list; everything else keeps its place.

    Raises SettingsError where a key that we extend holds something that is not Claude Code's format.
    """
    settings = copy.deepcopy(settings)
    hooks = _container(settings, "hooks", {})
    for event in HOOK_EVENTS:
        _container(hooks, event, []).append({"hooks": [hook_entry(event, lib)]})
    allowed = _container(_container(settings, "permissions", {}), "allow", [])
    allowed.extend(tool for tool in ALLOWED_TOOLS if tool not in allowed)
    return settings


def _container(parent: dict[str, Any], key: str, empty: Any) -> Any:
    value = parent.setdefault(key, empty)
    if not isinstance(value, type(empty)):
        wanted = "an object" if isinstance(empty, dict) else "a list"
        raise SettingsError(
            f"settings.json: {key!r} must be {wanted}. It was left as it is; correct it and run this again."
        )
    return value


def remove_ours(settings: dict[str, Any], original: dict[str, Any]) -> dict[str, Any]:
    """A copy without our entries; what `original` (the settings before the install) held of them stays."""
    permissions = original.get("permissions")
    allowed = permissions.get("allow") if isinstance(permissions, dict) else None
    granted = {entry for entry in allowed if isinstance(entry, str)} if isinstance(allowed, list) else set()
    ours = set(ALLOWED_TOOLS) - granted
    settings = without_hooks(settings, is_our_hook, original)
    return without_permissions(settings, lambda entry: isinstance(entry, str) and entry in ours, original)


def add(base: bytes | None, lib: str, path: str) -> bytes:
    """settings.json with our part: the file's bytes before us (None: no file) -> the bytes to write."""
    return json_text.render(add_ours(json_text.parse(base, path), lib), base, path)


def strip(current: bytes | None, original: bytes | None, path: str) -> bytes | None:
    """settings.json without our part; the same bytes where there is none of it.

    None when nothing is left of a file that did not exist before the install.
    """
    if current is None:
        return None
    settings = json_text.parse(current, path)
    stripped = remove_ours(settings, json_text.parse(original, path))
    if stripped == settings:
        return current
    return json_text.render(stripped, current, path) if stripped or original is not None else None
