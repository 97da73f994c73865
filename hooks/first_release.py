"""Recognising what the first LLM Memory left on a machine, and setting it aside.

It lived in the same data folder. Its hook entries are shell commands on `.../memory/lib/hooks/...`, its lib/ has no
install.json, its memory.db has no user_version, and it had replaced the user's whole CLAUDE.md with its rules. Records
and transcripts are ours as they are. What it wrote elsewhere is moved to state/first-release/, never deleted.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from functools import partial
from urllib.parse import quote

from hooks import claude_settings, json_text
from hooks.user_files import read_bytes
from memories.core import paths
from memories.core.errors import SettingsError
from memories.core.files import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hooks.machine import Machine

_HOOKS_MARK = "/memory/lib/hooks/"
_LIB_MARK = "/memory/lib/"
_TITLE = re.compile(rb"\A\s*#[^\n]*\bLLM[ -]Memory\b", re.I)


def is_hook(entry: object) -> bool:
    """True for a hook entry of the first release, in any of the forms it was written in."""
    if not isinstance(entry, dict) or claude_settings.is_our_hook(entry):
        return False
    arguments = entry.get("args")
    words = [entry.get("command"), *(arguments if isinstance(arguments, list) else [])]
    return any(isinstance(word, str) and _HOOKS_MARK in word for word in words)


def strip_settings(current: bytes | None, path: str) -> bytes | None:
    """settings.json without the first release's hooks and grants; the same bytes where there are none."""
    if current is None:
        return None
    settings = json_text.parse(current, path)
    stripped = claude_settings.without_hooks(settings, is_hook, {})
    stripped = claude_settings.without_permissions(stripped, _is_grant, {})
    return current if stripped == settings else json_text.render(stripped, current, path)


def _is_grant(entry: object) -> bool:
    return isinstance(entry, str) and _LIB_MARK in entry


def found(machine: Machine) -> bool:
    """True when the machine carries the first release: its lib/ (here or set aside by install.sh) or its hooks."""
    lib = machine.folder.lib
    own_lib = os.path.isdir(lib) and not os.path.exists(os.path.join(lib, "install.json"))
    return own_lib or os.path.isdir(os.path.join(machine.aside, "lib")) or _hooks_are_set(machine)


def _hooks_are_set(machine: Machine) -> bool:
    try:
        current = machine.settings.read()
        return strip_settings(current, machine.settings.path) != current
    except SettingsError:
        return False  # its own step says so


def is_mirror(path: str) -> bool:
    """True when memory.db is the first release's: a database with tables and no user_version (ours always sets one)."""
    if not os.path.isfile(path):
        return False
    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return False  # damaged: the sync rebuilds it
    return bool(version == 0 and tables > 0)


def is_rules_copy(text: bytes | None, rules: bytes | None) -> bool:
    """True when the user's CLAUDE.md is the first release's rules file: equal to it, or carrying its title."""
    return text is not None and (text == rules or _TITLE.match(text) is not None)


def set_aside(machine: Machine, path: str, name: str) -> None:
    """Move a file (or folder) to state/first-release/<name>; a name in use gets a number."""
    os.makedirs(machine.aside, mode=0o700, exist_ok=True)
    target = os.path.join(machine.aside, name)
    number = 1
    while os.path.lexists(target):
        number += 1
        target = os.path.join(machine.aside, f"{name}.{number}")
    shutil.move(path, target)


def _copy_settings(machine: Machine, copy: str) -> None:
    os.makedirs(machine.aside, mode=0o700, exist_ok=True)
    write_atomic(copy, machine.settings.read() or b"")


def set_aside_files(machine: Machine) -> None:
    """Set aside the first release's memory.db, rules file and whole-file CLAUDE.md, each only where it is that.

    Does nothing on a machine without the first release. The settings are stripped where they are edited.
    """
    if not found(machine):
        return
    machine.report.note("the first LLM Memory is installed here: it is replaced, its records and transcripts stay")
    folder = machine.folder
    if _hooks_are_set(machine):
        copy = os.path.join(machine.aside, "settings.json")
        machine.report.act(f"copy settings.json to {machine.show(copy)}", partial(_copy_settings, machine, copy))
    rules = read_bytes(folder.rules)
    moves = []
    if not machine.claude_md.known() and is_rules_copy(machine.claude_md.read(), rules):
        moves.append((machine.claude_md.path, "CLAUDE.md"))
    if rules is not None and not machine.shipped.wrote("config/CLAUDE.md"):
        moves.append((folder.rules, "config-CLAUDE.md"))
    mirror = os.path.join(folder.root, paths.MIRROR)
    if is_mirror(mirror):
        moves += [(mirror + end, "memory.db" + end) for end in ("", "-wal", "-shm")]
    for path, name in moves:
        if os.path.lexists(path):
            machine.report.act(
                f"move {machine.show(path)} to {machine.show(machine.aside)}/{name}",
                partial(set_aside, machine, path, name),
            )
