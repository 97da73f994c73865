"""Installing and updating: everything after install.sh has put lib/ in place. Standard library only.

Every step looks first and acts only where something differs, so a second run changes nothing. A step that cannot be
done (a settings.json that does not parse) is reported and the others still happen.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from functools import partial

from hooks import (
    claude_settings,
    first_release,
    install_origin,
    json_text,
    launchers,
    plugin,
    rules_block,
    server_entry,
)
from hooks.machine import Machine, Report
from hooks.shipped_files import RULES, shipped_texts, skill_texts
from hooks.user_files import UserFile, read_bytes
from memories.core import private_files
from memories.core.clock import format_time
from memories.core.errors import LLMMemoryError, SettingsError
from memories.core.files import write_atomic
from memories.core.paths import check_private, make_private
from memories.update import addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def write_install_info(lib: str, source: str, clone: str = "") -> None:
    """Write lib/install.json: version, time, where the code came from, and $CLAUDE_CONFIG_DIR where it is set.

    clone: the folder that it was copied from, which may know where newer versions are (install_origin.py).

    Done while lib/ is still being staged: manage.py finds the data folder by it. Raises StorageError.
    """
    project = (read_bytes(os.path.join(lib, "pyproject.toml")) or b"").decode("utf-8")
    version = re.search(r'^version = "([^"]+)"', project, re.M)
    info = {"version": version[1] if version else "", "installed_at": format_time(time.time())}
    info |= {"source": addresses.cleaned(source), **install_origin.origin(clone, os.environ)}
    machine = Machine(Report())
    if machine.config_dir_set:
        info["claude_config_dir"] = machine.claude_dir
    write_atomic(os.path.join(lib, "install.json"), json.dumps(info, indent=2).encode() + b"\n")


def install(*, dry_run: bool = False) -> int:
    """Run every step and print the summary. Returns the exit code: 1 when a part could not be put in place.

    Raises StorageError, before the first step, for a data folder that is not this user's alone.
    """
    report = Report(dry_run=dry_run)
    machine = Machine(report)
    check_private(machine.folder)
    for step in (
        _make_folders,
        first_release.set_aside_files,
        _make_private,
        _write_shipped_files,
        _edit_settings,
        _edit_claude_md,
        server_entry.register,
        launchers.install,
        _look_for_the_plugin,
        _sync,
        _doctor,
    ):
        _attempt(machine, step)
    _summary(machine)
    return 1 if report.failed else 0


def _attempt(machine: Machine, step: Callable[[Machine], None]) -> None:
    try:
        step(machine)
    except LLMMemoryError as error:
        machine.report.leave(str(error), failed=True)
    except OSError as error:
        text = f"{error.filename or step.__name__}: {error.strerror}. Check permissions and space, then run this again."
        machine.report.leave(text, failed=True)


def _make_folders(machine: Machine) -> None:
    folder = machine.folder
    wanted = (folder.records, folder.transcripts, folder.config, folder.trash, machine.install_state)
    if all(os.path.isdir(path) for path in wanted):
        return
    machine.report.act(f"create the folders in {machine.show(folder.root)}", folder.create)
    if not machine.report.dry_run:
        make_private(machine.install_state)


def _make_private(machine: Machine) -> None:
    """What another version or a copy left open to others; lib/ is install.sh's."""
    open_to_others = private_files.faults(machine.folder, program=False).modes
    if open_to_others:
        what = f"{len(open_to_others)} files and folders" if len(open_to_others) > 1 else "one file or folder"
        machine.report.act(
            f"make {what} in {machine.show(machine.folder.root)} this user's alone (0600, 0700)",
            partial(private_files.mend, machine.folder),
        )


def _write_shipped_files(machine: Machine) -> None:
    for place, texts in ((machine.shipped, shipped_texts()), (machine.skill, skill_texts())):
        for name, text in texts.items():
            state, path = place.state(name, text), machine.show(place.path(name))
            if state == "write":
                machine.report.act(f"write {path}", partial(place.write, name, text))
            elif state == "edited":
                machine.report.note(
                    f"{path} was edited and is left as it is (for the new one, delete it and install again)"
                )


def _edit_settings(machine: Machine) -> None:
    file, lib = machine.settings, machine.folder.lib
    current = file.read()
    base = file.original() if file.written_by_us(current) else _settings_before_us(file, current)
    new = claude_settings.add(base, lib, file.path)
    _edit(machine, file, current, base, new, "hook entries and permissions for our own tools")


def _settings_before_us(file: UserFile, current: bytes | None) -> bytes | None:
    """The user's own settings: without our part and without the first release's."""
    stripped = claude_settings.strip(current, file.original(), file.path)
    return first_release.strip_settings(stripped, file.path)


def _edit_claude_md(machine: Machine) -> None:
    file = machine.claude_md
    current = file.read()
    base = file.original() if file.written_by_us(current) else rules_block.strip(current)
    new = rules_block.add(current, machine.folder.rules)
    _edit(machine, file, current, base, new, "the marked block that imports our rules")


def _edit(machine: Machine, file: UserFile, current: bytes | None, base: bytes | None, new: bytes, what: str) -> None:
    if current == new and file.written_by_us(current):
        return
    verb = "create" if current is None else "edit"

    def write() -> None:
        file.remember(base, new)
        if current != new:
            file.write(new)

    machine.report.act(f"{verb} {machine.show(file.path)}: {what}", write)


def _look_for_the_plugin(machine: Machine) -> None:
    """Both would keep and tell everything twice: the plugin stands aside, and the user is asked to choose."""
    file = machine.settings
    try:
        enabled = plugin.enabled_in(json_text.parse(file.read(), file.path))
    except SettingsError:
        return  # the step that edits it said so
    for name in enabled:
        machine.report.leave(
            f"the plugin {name} is switched on in Claude Code; it stands aside while this installation is here. "
            f"Remove it:\n      claude plugin uninstall {name}"
        )


def _manage(machine: Machine, command: str) -> int:
    lib = machine.folder.lib
    arguments = [claude_settings.python_path(lib), "-I", os.path.join(lib, "manage.py"), command]
    return subprocess.run(arguments, env={**os.environ, "LLM_MEMORY_HOME": machine.folder.root}, check=False).returncode


def _sync(machine: Machine) -> None:
    report = machine.report
    if os.environ.get("LLM_MEMORY_DISABLE", "0") not in {"", "0"}:
        report.note("LLM_MEMORY_DISABLE is set: existing transcripts are not archived")
        return

    def run() -> None:
        if _manage(machine, "sync") != 0:
            report.leave("the first sync did not finish (see above): run `llm-memory sync`")

    report.act("run llm-memory sync: archive and log the transcripts that exist", run)


def _doctor(machine: Machine) -> None:
    def run() -> None:
        if _manage(machine, "doctor") != 0:
            machine.report.leave("llm-memory doctor found something to put right (see above)")

    machine.report.act("run llm-memory doctor", run)


def _summary(machine: Machine) -> None:
    report = machine.report
    print()
    if report.dry_run:
        print("Dry run: nothing was changed.")
    elif report.failed:
        print("LLM Memory is installed, but not whole; see what is left.")
    else:
        print("LLM Memory is installed.")
        print(f"  memory: {machine.show(machine.folder.root)}   rules: {machine.show(machine.shipped.path(RULES))}")
    if report.left:
        print("Left to do:")
        for item in report.left:
            print(f"  - {item}")
    if not report.dry_run:
        print("Next: start `claude` in a project. Its first line says what LLM Memory has loaded for that project.")
        print("Look around with `llm-memory help` and `llm-memory-dashboard` (http://127.0.0.1:8765).")
