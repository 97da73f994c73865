"""Uninstalling: our parts leave the user's files, lib/ and the commands go, the memory itself stays unless purged.

Syncthing keeps carrying the folder after an uninstall, which says so. A purge takes the folder out of it first: files
that vanish while it is shared would vanish on every machine.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial

from hooks import claude_settings, launchers, plugin, rules_block, server_entry
from hooks.machine import Machine, Report
from hooks.shipped_files import skill_texts
from memories.core import other_mirrors
from memories.core.errors import LLMMemoryError, SettingsError, SyncthingError
from memories.core.files import remove_quietly
from memories.core.paths import PROGRAM
from memories.syncthing import unshare
from memories.syncthing.answers import FOLDER_ID
from memories.syncthing.state import MARKER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hooks.user_files import UserFile

_DATA_FOLDERS = ("records", "transcripts", "config", "trash", "state")
_DATA_FILES = (".stignore",)
_STAGED = ("lib.new-", "lib.old-", "lib.gone-", "lib.fetched-")
"""What an interrupted install or update may leave."""


def uninstall(*, purge: bool = False, yes: bool = False, dry_run: bool = False) -> int:
    """Take everything of ours off this machine but the memory; purge=True takes that too, after asking.

    yes=True answers the question. Returns the exit code: 1 when something could not be removed, or was refused. The
    plugin is Claude Code's to remove: where it is alone, only its memories can be.
    """
    report = Report(dry_run=dry_run)
    machine = Machine(report)
    alone = plugin.data() is not None and not _is_installed(machine)
    refusal = _refusal(machine, yes=yes or dry_run) if purge else _plugins_own(machine) if alone else None
    if refusal is not None:
        print(refusal, file=sys.stderr)
        return 1
    steps: list[Callable[[Machine], None]] = [
        _restore_settings,
        _restore_claude_md,
        _remove_skill,
        server_entry.unregister,
        launchers.remove,
        _remove_code,
    ]
    if purge:
        steps = [_stop_sharing, *steps, _remove_data]
    for step in steps:
        try:
            step(machine)
        except (LLMMemoryError, OSError) as error:
            report.leave(str(error), failed=True)
    if plugin.is_there():
        report.leave(_plugin_stays(purge=purge))
    _summary(machine, purge=purge, alone=alone)
    return 1 if report.failed else 0


def _is_installed(machine: Machine) -> bool:
    """Whether install.sh has been here, or an uninstall has not come to its end."""
    here = os.path.exists(os.path.join(machine.folder.lib, "install.json")) or os.path.isdir(machine.install_state)
    return here or plugin.installed_beside() is not None


def _plugins_own(machine: Machine) -> str:
    """Why there is nothing to uninstall where only the plugin is there."""
    return (
        "LLM Memory runs here as Claude Code's plugin, which Claude Code removes: run "
        f"`{plugin.client_command('uninstall')}`. Your memories stay in {machine.show(machine.folder.root)}; to remove "
        "them too, run `llm-memory uninstall --purge` before that. Nothing was removed."
    )


def _plugin_stays(*, purge: bool) -> str:
    goes_on = "begins a new memory with the next session" if purge else "goes on with the same memories"
    return f"Claude Code's plugin stays, and {goes_on}; to remove it: {plugin.client_command('uninstall')}"


def _refusal(machine: Machine, *, yes: bool) -> str | None:
    """Why the data may not be removed, None when it may (asked on the terminal unless yes)."""
    root = machine.folder.root
    folder = machine.folder
    whole = all(map(os.path.isdir, (folder.transcripts, folder.config, folder.trash)))  # as an uninstall leaves it
    if not os.path.isdir(folder.records) or not (_is_installed(machine) or whole):
        return f"{root} does not look like LLM Memory's data folder (records/, transcripts/ ...): nothing was removed."
    try:
        plan = unshare.purge_plan(folder, os.environ)
    except SyncthingError as error:
        return f"{error} Nothing was removed."
    if not (yes or sys.stdin.isatty()):
        return "--purge asks before it removes all memories; without a terminal, say --yes. Nothing was removed."
    if plugin.is_there():
        print(f"{_plugin_stays(purge=True)}.", flush=True)
    if yes:
        return None
    print(f"This removes every memory and every archived transcript in {root}, for good.")
    if plan.steps:
        print("It is taken out of Syncthing first: your other machines keep theirs.")
    print("Any other file sync that carries this folder would remove them elsewhere too: end it before.")
    answer = input("Type 'yes' to go on: ")
    return None if answer.strip().lower() == "yes" else "Nothing was removed."


def _stop_sharing(machine: Machine) -> None:
    for what, action in unshare.purge_plan(machine.folder, os.environ).steps:
        machine.report.act(what, action)


def _restore_settings(machine: Machine) -> None:
    file = machine.settings
    current = file.read()
    if file.written_by_us(current):
        rest = file.original()
    else:
        rest = claude_settings.strip(current, file.original(), file.path)
    _give_back(machine, file, current, rest)


def _restore_claude_md(machine: Machine) -> None:
    file = machine.claude_md
    current = file.read()
    if file.written_by_us(current):
        rest = file.original()
    else:
        rest = rules_block.strip(current)
        if current is not None and rest is None and file.original() is not None:
            rest = b""  # the file was the user's before us: an empty one stays theirs
    _give_back(machine, file, current, rest)


def _remove_skill(machine: Machine) -> None:
    for name, text in skill_texts().items():
        path = machine.skill.path(name)
        if not os.path.lexists(path):
            continue
        if machine.skill.state(name, text) == "edited":
            machine.report.leave(f"{machine.show(path)} was edited and was kept")
        else:
            machine.report.act(f"remove {machine.show(path)}", partial(machine.skill.remove, name))


def _give_back(machine: Machine, file: UserFile, current: bytes | None, rest: bytes | None) -> None:
    if rest == current:
        return
    what = "remove (it came with LLM Memory)" if rest is None else "take our part out of"
    machine.report.act(f"{what} {machine.show(file.path)}", lambda: file.give_back(rest))


def _remove_code(machine: Machine) -> None:
    root = machine.folder.root
    names = [name for name in _list(root) if name in PROGRAM or name.startswith(_STAGED)]
    lib = machine.folder.lib
    if os.path.isdir(lib) and not os.path.exists(os.path.join(lib, "install.json")):
        names.remove("lib")
        machine.report.leave(f"{machine.show(lib)} was not put there by this LLM Memory and was kept")
    for path in (*(os.path.join(root, name) for name in names), machine.install_state):
        # a settings.json that could not be cleaned needs its original for the next try
        if os.path.isdir(path) and not (path == machine.install_state and machine.report.failed):
            machine.report.act(f"remove {machine.show(path)}", partial(shutil.rmtree, path))


def _remove_data(machine: Machine) -> None:
    if machine.report.failed:
        raise SettingsError("The memories were kept because the steps before failed: put them right and purge again.")
    root = machine.folder.root
    for name in _list(root):
        path = os.path.join(root, name)
        if name in _DATA_FOLDERS and os.path.isdir(path) and not os.path.islink(path):
            machine.report.act(f"remove {machine.show(path)}", partial(shutil.rmtree, path))
        elif name in _DATA_FILES or other_mirrors.is_mirror(name) or (name in _DATA_FOLDERS and os.path.islink(path)):
            machine.report.act(f"remove {machine.show(path)}", partial(remove_quietly, path))
    if machine.report.dry_run:
        return
    if _list(root):
        machine.report.leave(f"{machine.show(root)} still holds what is not ours: {', '.join(_list(root))}")
    else:
        os.rmdir(root)


def _say_what_still_syncs(machine: Machine) -> None:
    try:
        shared = {shared.name for _, shared, _ in unshare.sharing(machine.folder, os.environ)}
    except SyncthingError:
        shared = {FOLDER_ID} if os.path.lexists(os.path.join(machine.folder.root, MARKER)) else set()
    if shared:
        print(
            f"Syncthing still carries them ({', '.join(sorted(shared))}). To end that too: its page, the folder, Edit >"
        )
        print("  Remove. Remove it there before you delete any of the files, or they are deleted on every machine.")


def _list(root: str) -> list[str]:
    return sorted(os.listdir(root)) if os.path.isdir(root) else []


def _summary(machine: Machine, *, purge: bool, alone: bool) -> None:
    report = machine.report
    print()
    if report.dry_run:
        print("Dry run: nothing was changed.")
        if not purge:
            print(f"Your memories in {machine.show(machine.folder.root)} stay.")
    elif report.failed:
        print("LLM Memory is not wholly removed; left to do:")
    elif not purge:
        print(f"LLM Memory is uninstalled. Your memories are kept in {machine.show(machine.folder.root)}")
        print("  (records, transcripts, config, trash). ./install.sh brings them back; --purge removes them.")
        _say_what_still_syncs(machine)
    elif alone:
        print("The memories are removed. LLM Memory is not:")
    else:
        print("LLM Memory and its memories are removed.")
    for item in report.left:
        print(f"  - {item}")
