"""Doctor's checks of how sessions are captured: the installation, Claude Code's settings, hooks and transcripts."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from memories import doctor_hooks, doctor_plugin, doctor_transcripts
from memories.core import auto_memory, files, state, transcripts
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder, claude_config_dir, claude_projects_dir
from memories.core.patterns import lazy
from memories.core.settings import read_settings
from memories.doctor_transcripts import read_json
from memories.findings import Check, ago, some

SILENT_SECONDS = 86_400
"""A session that is this much newer than the last SessionStart hook means that the hooks do not run."""

_LOG_LINE = lazy(r"(\S+) (\S+) (.*) \d+ms \S+")
"""A line of state/hooks.log: time, event, outcome, milliseconds, session (state.log_hook)."""

_VARIES = lazy(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


def claude_code(folder: DataFolder) -> Iterator[Check]:
    """What the install put into Claude Code's files."""
    from hooks import claude_settings, rules_block, server_entry
    from hooks.machine import Machine, Report

    if not os.path.exists(os.path.join(folder.lib, "install.json")):
        yield from doctor_plugin.alone() or [
            Check("install", "warn", "not installed: running from a clone", "run ./install.sh")
        ]
        return
    yield from doctor_plugin.beside()
    if not os.access(claude_settings.python_path(folder.lib), os.X_OK):
        yield Check("install", "fail", "the installed interpreter is gone", "run ./install.sh again")
    settings = read_json(os.path.join(claude_config_dir(), "settings.json"))
    if settings is None:
        yield Check("hooks", "fail", "settings.json is missing or not JSON", "correct it, then run ./install.sh")
    else:
        missing = [event for event in claude_settings.HOOK_EVENTS if not _has_hook(settings, event, folder.lib)]
        if missing:
            yield Check("hooks", "fail", f"not registered: {', '.join(missing)}", "run ./install.sh")
        else:
            yield Check("hooks", "ok", f"{len(claude_settings.HOOK_EVENTS)} events registered in settings.json")
    machine = Machine(Report(dry_run=True))
    try:
        entry = server_entry.registered(machine)
    except LLMMemoryError:
        entry = None
    wanted = server_entry.wanted(machine)
    if entry is None:
        yield Check("MCP server", "fail", "llm_memory is not registered with Claude Code", _register_command(machine))
    elif any(entry.get(name) != wanted[name] for name in ("command", "args")):
        yield Check("MCP server", "fail", "llm_memory is registered for another installation", "run ./install.sh")
    else:
        yield Check("MCP server", "ok", "llm_memory is registered for this user")
    if not rules_block.has_block(machine.claude_md.read()):
        yield Check("rules", "warn", "CLAUDE.md does not import the rules", "run ./install.sh")


def _register_command(machine: Any) -> str:
    from hooks import server_entry

    return f"run: claude mcp add-json llm_memory '{json.dumps(server_entry.wanted(machine))}' --scope user"


def _has_hook(settings: dict[str, Any], event: str, lib: str) -> bool:
    from hooks import claude_settings

    wanted = claude_settings.hook_entry(event, lib)
    events = settings.get("hooks")
    groups = events.get(event) if isinstance(events, dict) else None
    lists = [group.get("hooks") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    entries = [entry for entries in lists if isinstance(entries, list) for entry in entries]
    return any(isinstance(entry, dict) and entry.get("args") == wanted["args"] for entry in entries)


def capture(folder: DataFolder) -> Iterator[Check]:
    """Whether the hooks run, and whether what Claude Code keeps is archived."""
    sources = list(transcripts.iter_sources(claude_projects_dir()))
    yield _capturing(folder, sources)
    yield from doctor_hooks.silent_hooks(folder, sources)
    yield from doctor_transcripts.transcripts_kept(folder, sources)
    yield from doctor_transcripts.client(sources)
    mirrored = auto_memory.said(folder, read_settings(folder)[0])
    if mirrored:
        yield Check("auto memory", "ok", mirrored)
    failures = hook_failures(folder)
    if failures:
        count = f"{len(failures)} recent failure{'s' * (len(failures) != 1)}"
        yield Check("hook log", "warn", f"{count}: {causes(failures)}", _log_path(folder))


def _capturing(folder: DataFolder, sources: list[transcripts.Source]) -> Check:
    """SessionStart, which every session runs: is memory being made at all."""
    started = state.heartbeats(folder).get("session_start", 0.0)
    newest = max((one.mtime_ns / 1e9 for one in sources), default=0.0)
    installed = doctor_hooks.installed_at(folder)
    todo = "run ./install.sh, restart Claude Code"
    if installed is not None and started and newest - started > SILENT_SECONDS:
        return Check("capture", "fail", f"SessionStart last ran {ago(started)}, but sessions have run since", todo)
    if installed is not None and not started and newest - installed > SILENT_SECONDS:
        return Check("capture", "fail", f"no hook has ever run, but a session has, {ago(newest)}", todo)
    if not started:
        status = "note" if awaits_first_session(folder, sources) else "warn"
        return Check("capture", status, "no hook has run yet", "start Claude Code in a project")
    return Check("capture", "ok", f"SessionStart last ran {ago(started)}")


def awaits_first_session(folder: DataFolder, sources: list[transcripts.Source]) -> bool:
    """Whether no hook has run and nothing should have run one: no session since the installation, none at all where
    nothing is installed. sources: Claude Code's transcripts."""
    if state.heartbeats(folder):
        return False
    since = doctor_hooks.installed_at(folder) or 0.0
    return all(one.mtime_ns / 1e9 <= since for one in sources)


def _log_path(folder: DataFolder) -> str:
    return f"see {os.path.join(folder.state, 'hooks.log')}"


def hook_failures(folder: DataFolder) -> list[str]:
    """Failures among the last hundred hook runs."""
    try:
        with files.open_plain(os.path.join(folder.state, "hooks.log")) as file:
            lines = [line.decode("utf-8", "replace") for line in file.readlines()[-100:]]
    except OSError:
        return []
    return [line.strip() for line in lines if re.search(r" (failed|not archived|bad input): ", line)]


def causes(failures: list[str]) -> str:
    """Lines of the hook log by what went wrong, the most frequent cause first; each with how often and when last.

    What differs from one time to the next (numbers, session ids) does not make another cause.
    """
    lines: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for line in failures:
        match = _LOG_LINE.fullmatch(line)
        when, event, what = (match[1], match[2], match[3]) if match else ("", "", line)
        lines.setdefault((event, _VARIES.sub("#", what)), []).append((when, what))
    often = sorted(lines.items(), key=lambda one: -len(one[1]))
    named = []
    for (event, _), seen in often:
        when, what = seen[-1]
        times = f"{len(seen)} times, last {when}" if len(seen) > 1 else when
        named.append((f"{event} {what}".strip(), times))
    return some(named)
