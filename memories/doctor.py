"""Doctor: is everything in place and working? Each check gives one line, with what to do when it is not well."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from memories.core import (
    budget,
    clock,
    conversation_index,
    coverage,
    mirror,
    query,
    records,
    staleness,
    state,
    transcripts,
    turn_search,
)
from memories.core.errors import LLMMemoryError, MirrorUnavailableError
from memories.core.paths import DataFolder, claude_config_dir, claude_projects_dir
from memories.core.settings import disabled_by_environment, read_settings

LOW_DISK_BYTES = 200_000_000
NAMED = 5
"""Files that one line names; the rest is counted."""

WAITING_SECONDS = 86_400
"""Age from which a transcript that is not indexed is a fault: each search and each start of the server indexes."""

SILENT_SECONDS = 86_400
"""A session that is this much newer than the last SessionStart hook means that the hooks do not run."""


class Check(NamedTuple):
    """One finding. status: `ok`, `warn` (works, worth a look) or `fail`. todo: the next step, "" when there is none."""

    name: str
    status: str
    text: str
    todo: str = ""


def run(folder: DataFolder) -> list[Check]:
    """Every check, in the order in which a user would mend things. Raises nothing."""
    return [check for group in _GROUPS for check in _checks_of(group, folder)]


def _checks_of(group: Callable[[DataFolder], Iterator[Check]], folder: DataFolder) -> Iterator[Check]:
    """A group's checks; what stops one is a finding too."""
    try:
        yield from group(folder)
    except (LLMMemoryError, OSError, sqlite3.Error) as error:
        yield Check(group.__name__.strip("_").replace("_", " "), "fail", str(error), "see the message")


def _data_folder(folder: DataFolder) -> Iterator[Check]:
    if os.path.lexists(folder.root) and not os.path.isdir(folder.root):
        yield Check("data folder", "fail", f"{folder.root} is no folder", "move it away, or set LLM_MEMORY_HOME")
        return
    if not os.path.isdir(folder.records):
        yield Check("data folder", "fail", f"{folder.root} is not set up", "run ./install.sh, or `llm-memory sync`")
        return
    refused = [path for path in (folder.records, folder.trash, folder.state) if not os.access(path, os.W_OK | os.X_OK)]
    if refused:
        yield Check("data folder", "fail", f"cannot write {', '.join(refused)}", "correct the owner or permissions")
        return
    open_to_others = os.stat(folder.root).st_mode & 0o077
    if open_to_others:
        yield Check("data folder", "warn", f"{folder.root} can be read by others", f"run chmod 700 {folder.root}")
    else:
        yield Check("data folder", "ok", folder.root)
    free = shutil.disk_usage(folder.root).free
    if free < LOW_DISK_BYTES:
        yield Check("disk", "warn", f"{free // 1_000_000} MB are free", "make room: a full disk stores nothing")


def _settings(folder: DataFolder) -> Iterator[Check]:
    _, problems = read_settings(folder)
    for problem in problems:
        yield Check("settings", "fail", problem, f"correct {folder.settings}")
    if not problems:
        yield Check("settings", "ok", "all values are known and in range")
    if disabled_by_environment():
        yield Check("settings", "warn", "LLM_MEMORY_DISABLE is set here", "unset it to remember what happens")


def _index(folder: DataFolder) -> Iterator[Check]:
    try:
        connection = mirror.connect(folder.mirror)
    except MirrorUnavailableError:
        text = "is damaged or of another version" if os.path.exists(folder.mirror) else "is missing"
        yield Check("index", "fail", f"{folder.mirror} {text}", "run `llm-memory sync`")
        return
    try:
        connection.execute("INSERT INTO memory_fts (memory_fts, rank) VALUES ('integrity-check', 1)")
        count = connection.execute("SELECT count(*) FROM memory").fetchone()[0]
        skipped = mirror.problems(connection)
    except sqlite3.Error as error:
        if mirror.is_damage(error):
            yield Check("index", "fail", f"damaged: {error}", "run `llm-memory rebuild_index`")
        else:
            yield Check("index", "fail", f"cannot be checked: {error}", "look at its permissions, then try again")
        return
    finally:
        connection.close()
    yield Check("index", "ok", f"{count} records, text index consistent")
    broken = [item for item in skipped if records.is_uuid(item[0].removesuffix(".json")) and "tombstone" not in item[1]]
    other = [item for item in skipped if item not in broken and "tombstone" not in item[1]]
    if broken:
        yield Check("records", "fail", f"{len(broken)} cannot be read: {_some(broken)}", "repair or move these files")
    if other:
        yield Check("records", "warn", f"{len(other)} files are no records: {_some(other)}", "move them elsewhere")
    if not broken and not other:
        yield Check("records", "ok", "every file is readable")


def _conversations(folder: DataFolder) -> Iterator[Check]:
    """Whether every archived transcript is in the index as far as it goes, and the index of them sound."""
    try:
        connection = mirror.connect(folder.mirror)
    except MirrorUnavailableError:
        return  # said by _index
    try:
        connection.execute("INSERT INTO turn_fts (turn_fts) VALUES ('integrity-check')")
        known: dict[str, int] = dict(connection.execute("SELECT path, size FROM session").fetchall())
        noted, turns = connection.execute("SELECT total(turns), (SELECT count(*) FROM turn) FROM session").fetchone()
        unreadable = conversation_index.problems(connection)
    except sqlite3.Error as error:
        if mirror.is_damage(error):
            yield Check("conversations", "fail", f"damaged: {error}", "run `llm-memory rebuild_index`")
        else:
            yield Check("conversations", "fail", f"cannot be checked: {error}", "try again when no sync runs")
        return
    finally:
        connection.close()
    archived = {path: (size, mtime_ns) for path, mtime_ns, size in conversation_index.transcript_files(folder)}
    waiting = [path for path in archived if known.get(path) != archived[path][0] and path not in dict(unreadable)]
    before = time.time_ns() - WAITING_SECONDS * 1_000_000_000
    behind = [
        (path, "grew or changed" if path in known else "not read yet")
        for path in sorted(waiting)
        if archived[path][1] < before
    ]
    behind += [(path, "no longer in the archive") for path in sorted(known.keys() - archived.keys())]
    if noted != turns:
        text = f"damaged: {turns} turns are there, {noted:.0f} were indexed"
        yield Check("conversations", "fail", text, "run `llm-memory rebuild_index`")
    elif behind:
        yield Check("conversations", "warn", f"{len(behind)} not up to date: {_some(behind)}", "run `llm-memory sync`")
    else:
        new = f"; {len(waiting)} new, read at the next search" if waiting else ""
        yield Check("conversations", "ok", f"{turns} turns of {len(archived)} transcripts, text index consistent{new}")
    if unreadable:
        text = f"{len(unreadable)} cannot be read: {_some(unreadable)}"
        yield Check("conversations", "warn", text, "repair or move these files")


def _narratives(folder: DataFolder) -> Iterator[Check]:
    """Which projects' narratives lag behind: for the user to know, no fault."""
    try:
        connection = mirror.connect(folder.mirror)
    except MirrorUnavailableError:
        return  # said by _index
    try:
        overdue = staleness.overdue(connection, folder, read_settings(folder)[0])
    finally:
        connection.close()
    if not overdue:
        yield Check("narratives", "ok", "none is behind")
        return
    text = f"to be brought up to date: {_some([_behind(found) for found in overdue])}"
    yield Check("narratives", "ok", text, 'in the project, ask Claude to "update the project memory"')


def _behind(found: dict[str, Any]) -> tuple[str, str]:
    """(project, how far its narrative is behind) of a coverage answer."""
    sessions = coverage.counted(found["sessions_since"], "session")
    turns = coverage.counted(found["turns_since"], "turn")
    what = f"{sessions}, {turns}, the oldest {_ago(clock.parse_time(found['since']) or 0)}"
    return budget.label(found["project"]), f"no narrative yet; {what}" if found["status"] == "none" else what


def _some(items: list[tuple[str, str]]) -> str:
    named = "; ".join(f"{name} ({reason})" for name, reason in items[:NAMED])
    return named + (f"; and {len(items) - NAMED} more" if len(items) > NAMED else "")


def _round_trip(_folder: DataFolder) -> Iterator[Check]:
    """Store and find a memory and a conversation in a folder of their own: the whole path works on this machine."""
    try:
        with tempfile.TemporaryDirectory(prefix="llm-memory-doctor-") as place:
            lost = _not_found(DataFolder(place), "A heron stood in the reeds.", "standing heron")
    except (LLMMemoryError, OSError, sqlite3.Error) as error:
        yield Check("round trip", "fail", f"store and search failed: {error}", "check Python's SQLite and free space")
        return
    if lost:
        todo = "this Python's SQLite lacks FTS5 with porter"
        yield Check("round trip", "fail", f"a stored {' and a stored '.join(lost)} was not found", todo)
    else:
        text = f"stored and found a memory and a conversation (SQLite {sqlite3.sqlite_version})"
        yield Check("round trip", "ok", text)


def _not_found(trial: DataFolder, text: str, question: str) -> list[str]:
    """What a search does not find of a note and a conversation with a text, both stored for the purpose."""
    records.save(trial, records.new_record(type="note", content=text))
    mirror.update(trial)
    line = {"type": "user", "message": {"role": "user", "content": text}}
    with open(transcripts.archive_path(trial, str(uuid.uuid4())), "w", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    conversation_index.update(trial)
    connection = mirror.connect(trial.mirror)
    try:
        sql = "SELECT count(*) FROM memory_fts WHERE memory_fts MATCH ?"
        (memories,) = connection.execute(sql, (query.match_expression(question),)).fetchone()
        turns = turn_search.search(connection, turn_search.Corpus(connection), question)
    finally:
        connection.close()
    return [name for name, found in (("memory", memories), ("conversation", turns)) if not found]


def _read_json(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _claude_code(folder: DataFolder) -> Iterator[Check]:
    from hooks import claude_settings, rules_block, server_entry
    from hooks.machine import Machine, Report

    if not os.path.exists(os.path.join(folder.lib, "install.json")):
        yield Check("install", "warn", "not installed: running from a clone", "run ./install.sh")
        return
    if not os.access(claude_settings.python_path(folder.lib), os.X_OK):
        yield Check("install", "fail", "the installed interpreter is gone", "run ./install.sh again")
    settings = _read_json(os.path.join(claude_config_dir(), "settings.json"))
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


def _capture(folder: DataFolder) -> Iterator[Check]:
    sources = list(transcripts.iter_sources(claude_projects_dir()))
    states = transcripts.archived_states(folder)
    marks = _read_json(os.path.join(folder.state, "sweep.json")) or {}
    waiting = [
        one
        for one in sources
        if not transcripts.is_archived(folder, one, states) and marks.get(one.path) != [one.size, one.mtime_ns]
    ]
    beats = state.heartbeats(folder)
    newest = max((one.mtime_ns / 1e9 for one in sources), default=0.0)
    started = beats.get("session_start", 0.0)
    if newest - started > SILENT_SECONDS and os.path.exists(os.path.join(folder.lib, "install.json")) and started:
        text = f"SessionStart last ran {_ago(started)}, but sessions have run since"
        yield Check("capture", "fail", text, "run ./install.sh, restart Claude Code")
    elif started:
        yield Check("capture", "ok", f"SessionStart last ran {_ago(started)}")
    else:
        yield Check("capture", "warn", "no hook has run yet", "start Claude Code in a project")
    kept = f"{len(states)} archived, {len(sources)} kept by Claude Code"
    if waiting:
        yield Check("transcripts", "warn", f"{kept}, {len(waiting)} not archived yet", "run `llm-memory sync`")
    else:
        yield Check("transcripts", "ok", kept)
    failures = _hook_failures(folder)
    if failures:
        count = f"{len(failures)} recent failure{'s' * (len(failures) != 1)}"
        yield Check("hook log", "warn", f"{count}; last: {failures[-1]}", _log_path(folder))


def _ago(seconds: float) -> str:
    age = clock.age(time.time() - seconds)
    return age if age == "just now" else f"{age} ago"


def _log_path(folder: DataFolder) -> str:
    return f"see {os.path.join(folder.state, 'hooks.log')}"


def _hook_failures(folder: DataFolder) -> list[str]:
    """Failures among the last hundred hook runs."""
    try:
        with open(os.path.join(folder.state, "hooks.log"), encoding="utf-8", errors="replace") as file:
            lines = file.readlines()[-100:]
    except OSError:
        return []
    return [line.strip() for line in lines if re.search(r" (failed|not archived|bad input): ", line)]


def _programs(_folder: DataFolder) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", "ok", f"{version} at {sys.executable}")
    claude = shutil.which("claude")
    if claude is None:
        yield Check("Claude Code", "warn", "no `claude` on PATH", "install Claude Code, then run ./install.sh again")
    else:
        yield Check("Claude Code", "ok", claude)


_GROUPS: tuple[Callable[[DataFolder], Iterator[Check]], ...] = (
    _data_folder,
    _settings,
    _index,
    _conversations,
    _narratives,
    _round_trip,
    _claude_code,
    _capture,
    _programs,
)
