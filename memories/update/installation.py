"""An installed lib/ as the update sees it: does it start, what does doctor say, exchanging it with the one before."""

from __future__ import annotations

import json
import os
import subprocess

from memories.core import clock, update_state
from memories.core.errors import UpdateError
from memories.update.exchange import exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.core.paths import DataFolder

DOCTOR_SECONDS = 600
SETUP_SECONDS = 3_600
"""Bounds for what never ends, well above the first sync of years of transcripts."""


def previous(folder: DataFolder) -> str:
    """Where an install keeps the code before it."""
    return folder.lib + ".previous"


def about(lib: str) -> dict[str, str]:
    """The install.json of a lib folder; {} where it is none of ours."""
    try:
        with open(update_state.install_file(lib), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def environment(folder: DataFolder) -> dict[str, str]:
    """What commands of an installation are started with: its data folder, and Claude Code's folder as it was set."""
    environ = {**os.environ, "LLM_MEMORY_HOME": folder.root}
    config_dir = about(folder.lib).get("claude_config_dir")
    if config_dir:
        environ.setdefault("CLAUDE_CONFIG_DIR", config_dir)
    return environ


def failing(folder: DataFolder) -> set[str] | None:
    """The checks of doctor that fail, by name; None where the installed code does not get as far as saying so."""
    try:
        done = _run(folder, ["doctor", "--json"], DOCTOR_SECONDS, subprocess.DEVNULL)
        checks = json.loads(done.stdout)["checks"]
        return {str(one["name"]) for one in checks if one["status"] == "fail"}
    except (OSError, ValueError, TypeError, KeyError, subprocess.TimeoutExpired):
        return None


def set_up(folder: DataFolder, say: Callable[[str], None]) -> int:
    """Let the installed code connect itself to Claude Code (changes nothing where nothing differs); its exit code."""
    try:
        done = _run(folder, ["setup_claude"], SETUP_SECONDS, subprocess.STDOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"setup_claude did not end ({error})")
        return 1
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        say(line)
    return done.returncode


def _run(folder: DataFolder, words: list[str], seconds: float, stderr: int) -> subprocess.CompletedProcess[bytes]:
    command = [os.path.join(folder.lib, "venv", "bin", "python"), "-I", os.path.join(folder.lib, "manage.py"), *words]
    return subprocess.run(
        command,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        timeout=seconds,
        check=False,
    )


def change_places(folder: DataFolder) -> None:
    """lib/ and lib.previous/ change names: the one before is installed, and the one that was is kept.

    Raises UpdateError, before anything is renamed, where there is no whole one to go back to.
    """
    kept = previous(folder)
    if not about(kept):
        raise UpdateError("There is no version before this one to go back to: an install keeps one as lib.previous/.")
    probe = [os.path.join(kept, "venv", "bin", "python"), "-I", "-c", "import django, mcp"]
    try:
        starts = subprocess.run(probe, capture_output=True, timeout=DOCTOR_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        starts = False
    if not starts:
        raise UpdateError("The version before this one does not start any more: nothing was changed.")
    if exchange(folder.lib, kept):
        return
    old = f"{folder.lib}.old-{os.getpid()}"  # install.sh's name for it: whoever finds it without a lib/ puts it back
    os.rename(folder.lib, old)
    os.rename(kept, folder.lib)
    os.rename(old, kept)


def roll_back(folder: DataFolder, say: Callable[[str], None]) -> dict[str, str]:
    """Put the version before in place and connect it; its install.json. The one left is not offered again.

    Raises UpdateError where there is none.
    """
    left = about(folder.lib)
    change_places(folder)
    now = about(folder.lib)
    version = left.get("version", "")
    notes = {name: value for name, value in update_state.read(folder).items() if name != "trial"}
    notes = update_state.declining(notes, now, "" if version == now.get("version") else version)
    notes |= {"declined_commit": left.get("commit", ""), "rolled_back_at": clock.now()}
    update_state.save(folder, notes)
    set_up(folder, say)
    return now


def has_changed(folder: DataFolder, seen: os.stat_result) -> bool:
    """Whether another folder is in lib's place than when it was looked at."""
    try:
        found = os.stat(folder.lib)
    except OSError:
        return True
    return (found.st_dev, found.st_ino) != (seen.st_dev, seen.st_ino)


def is_ours(tree: str) -> bool:
    """Whether a folder holds the source of LLM Memory, as install.sh asks too."""
    return all(
        os.path.isfile(os.path.join(tree, *name.split("/")))
        for name in ("install.sh", "manage.py", "memories/core/paths.py", "requirements.txt", "pyproject.toml")
    )
