"""Doctor's checks of what interrupted work left behind: temp files, and processes of ours that nobody needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from memories import doctor_plugin
from memories.core import files
from memories.core.coverage import counted
from memories.core.paths import PROGRAM, DataFolder
from memories.findings import NAMED, Check, some

LONG_SECONDS = 3_600
"""How long the longest work under a lock takes with room to spare: the first sync of years of transcripts."""

_STAGED = re.compile(r"(?:import|lib\.(?:new|old|gone|fetched))-(\d+)")
"""Folders named after the process that works in them: state/import-<pid>, lib.new-<pid>, lib.old-<pid>, lib.gone-<pid>,
lib.fetched-<pid>."""

_INIT = "1"
_CLIENTS = {"claude", "node", "bun"}
"""In a container the client itself may be process 1."""


def left_behind(folder: DataFolder) -> Iterator[Check]:
    """Nothing where nothing was left."""
    temps = temp_files(folder)
    if temps:
        names = "; ".join(os.path.relpath(path, folder.root) for path in temps[:NAMED])
        more = f"; and {len(temps) - NAMED} more" if len(temps) > NAMED else ""
        text = f"{counted(len(temps), 'temp file')} of processes that are gone: {names}{more}"
        yield Check("left behind", "warn", text, "run `llm-memory doctor --fix`")
    for place, what, todo in (
        (folder.state, "import", "run `llm-memory doctor --fix`"),
        (
            folder.root,
            "install",
            doctor_plugin.step("run ./install.sh, which clears them away", "delete them: the plugin needs none"),
        ),
    ):
        staged = staging_folders(place)
        if staged:
            names = "; ".join(os.path.relpath(path, folder.root) for path in staged[:NAMED])
            yield Check(
                "left behind", "warn", f"{counted(len(staged), 'folder')} of an interrupted {what}: {names}", todo
            )
    held = [(name, pid, age) for name, pid, age in _held_locks(folder) if age > LONG_SECONDS]
    if held:
        named = [(name, f"process {pid}, which runs for {int(age // LONG_SECONDS)} h") for name, pid, age in held]
        todo = f"look at it (ps -p {held[0][1]}); end it if it does nothing: kill {held[0][1]}"
        yield Check("left behind", "warn", f"locks held for long: {some(named)}", todo)
    orphans = orphaned_servers(folder)
    if orphans:
        pids = " ".join(map(str, orphans))
        text = f"{counted(len(orphans), 'MCP server')} left behind by a Claude Code that is gone: process {pids}"
        yield Check("left behind", "warn", text, f"run kill {pids}")


def temp_files(folder: DataFolder) -> list[str]:
    """Temp files (files.temp_path) below the data folder, the programs aside, whose process is gone; sorted."""
    found = []
    programs = [os.path.join(folder.root, name) for name in PROGRAM]
    pending = [folder.root]
    while pending:
        for entry in files.entries(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                if entry.path not in programs:
                    pending.append(entry.path)
            elif files.is_dead_temp_file(entry.name):
                found.append(entry.path)
    return sorted(found)


def staging_folders(place: str) -> list[str]:
    """Folders in state/ (imports) or in the data folder itself (installs) whose process is gone; sorted."""
    found = []
    for entry in files.entries(place):
        match = _STAGED.fullmatch(entry.name)
        if match and not files.process_alive(int(match[1])):
            found.append(entry.path)
    return sorted(found)


def _held_locks(folder: DataFolder) -> list[tuple[str, int, float]]:
    """(lock, process id, seconds since that process started) of state/*.lock that are held now; Linux only."""
    locks = {}
    for entry in files.entries(folder.state):
        if entry.name.endswith(".lock"):
            locks[entry.inode()] = entry.name
    found = []
    for line in _lines("/proc/locks"):
        fields = line.split()  # 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF
        if len(fields) > 5 and fields[1] == "FLOCK":  # noqa: PLR2004
            name = locks.get(int(fields[5].rpartition(":")[2]))
            age = _age(int(fields[4])) if name else None
            if name and age is not None:
                found.append((name, int(fields[4]), age))
    return sorted(found)


def orphaned_servers(folder: DataFolder) -> list[int]:
    """Process ids of this user's MCP servers for this data folder whose parent is gone; Linux only."""
    pids = [int(entry.name) for entry in files.entries("/proc") if entry.name.isdigit()]
    return sorted(pid for pid in pids if _is_our_server(pid, folder) and _is_orphan(pid))


def _is_our_server(pid: int, folder: DataFolder) -> bool:
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return False
        words = _bytes(f"/proc/{pid}/cmdline").split(b"\0")[:-1]
        if words[-1:] != [b"mcp"] or not words[-2:-1] or not words[-2].endswith(b"manage.py"):
            return False
        if os.path.dirname(os.fsdecode(words[-2])) == folder.lib:
            return True
        return os.fsencode(f"LLM_MEMORY_HOME={folder.root}") in _bytes(f"/proc/{pid}/environ").split(b"\0")
    except OSError:
        return False


def _is_orphan(pid: int) -> bool:
    """Whether a process was handed to init, or to the user's service manager, as happens when its parent ends."""
    parent = _status(str(pid)).get("PPid", "")
    name = _status(parent).get("Name", "") if parent.isdigit() else ""
    return name == "systemd" or (parent == _INIT and name not in _CLIENTS)


def _status(pid: str) -> dict[str, str]:
    """The fields of /proc/<pid>/status."""
    pairs = [line.partition(":") for line in _lines(f"/proc/{pid}/status")]
    return {name: value.strip() for name, _, value in pairs}


def _age(pid: int) -> float | None:
    """Seconds since a process started, None where it is gone (proc(5): field 22 of stat, in ticks since the start)."""
    try:
        started = int(_lines(f"/proc/{pid}/stat")[0].rpartition(")")[2].split()[19])
        return float(_lines("/proc/uptime")[0].split()[0]) - started / os.sysconf("SC_CLK_TCK")
    except (IndexError, ValueError):
        return None


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readlines()
    except OSError:
        return []


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
