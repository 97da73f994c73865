"""What is known of newer versions: lib/install.json and state/update.json, and when to ask again. Asks nobody itself.

Hooks read it at each session start, so nothing here knows the network; memories/update/ does.
"""

from __future__ import annotations

import json
import os
import re
import time

from memories.core import clock, files
from memories.core.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder

EVERY_SECONDS = 86_400
"""Between two checks, and between two lines at a session's start that say the same."""

ASKED_KINDS = ("git", "release")
"""Of where an installation came from (memories/update/addresses.py): a folder has nobody to ask."""

OFF = "no-update-check"
"""A file in state/install that switches the check off on this machine: install.sh --no-update-check."""

MAX_BYTES = 100_000
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_SHOWN_COMMIT = 10


def installed(folder: DataFolder) -> dict[str, str]:
    """lib/install.json: version, source, repo, commit, kind (and more); {} where nothing is installed."""
    return {name: value for name, value in _read(install_file(folder.lib)).items() if isinstance(value, str)}


def install_file(lib: str) -> str:
    """The note that an install leaves in a lib folder."""
    return os.path.join(lib, "install.json")


def read(folder: DataFolder) -> dict[str, Any]:
    """state/update.json: checked_at, seen_at (a check that succeeded), said_at, repo, newest, commit, error, declined,
    declined_commit, trial (an update whose check has not ended), done. {} before the first check."""
    return _read(_file(folder))


def save(folder: DataFolder, notes: dict[str, Any]) -> bool:
    """Replace state/update.json; False when it could not be written, which loses no memory."""
    try:
        files.write_atomic(_file(folder), json.dumps(notes, indent=2).encode() + b"\n", durable=False)
    except StorageError:
        return False
    return True


def clear(folder: DataFolder) -> None:
    """Remove state/update.json, as before the first check."""
    try:
        os.unlink(_file(folder))
    except OSError:
        return  # notes alone: whoever cannot remove them cannot write them either


def off_file(folder: DataFolder) -> str:
    """The file that switches the check off on this machine."""
    return os.path.join(folder.state, "install", OFF)


def is_wanted(folder: DataFolder, settings: dict[str, Any], about: dict[str, str] | None = None) -> bool:
    """Whether newer versions are looked for by themselves: installed from an address, and not switched off."""
    if not settings["update_check"]:
        return False
    found = installed(folder) if about is None else about
    return found.get("kind") in ASKED_KINDS and bool(found.get("repo")) and not os.path.lexists(off_file(folder))


def claim(folder: DataFolder, settings: dict[str, Any]) -> bool:
    """Whether it is time to ask; then the time is noted first, so that nobody else asks within EVERY_SECONDS.

    Always where an update was interrupted before it was checked, which is then ended (memories/update/trial.py).
    """
    notes = read(folder)
    if "trial" in notes and installed(folder):
        return True
    if not is_wanted(folder, settings):
        return False
    return not _is_recent(notes.get("checked_at")) and save(folder, {**notes, "checked_at": clock.now()})


def offered(about: dict[str, str], notes: dict[str, Any]) -> str:
    """What a check saw that is newer than what is installed: a version, else the beginning of a commit; "" for nothing.

    Nothing too of what the user went back from, of what another address had, and of the HEAD that was known at the
    install: where that was of another commit, its clone had commits of its own.
    """
    newest, commit = notes.get("newest"), notes.get("commit")
    if not about or notes.get("repo") != about.get("repo"):
        return ""
    if isinstance(newest, str) and _VERSION.fullmatch(newest):
        is_newer = numbers(newest) > numbers(about.get("version", ""))
        return newest if is_newer and not is_declined(notes, newest) else ""
    if isinstance(commit, str) and _COMMIT.fullmatch(commit) and about.get("commit"):
        known = commit in (about["commit"], about.get("head"))
        return "" if known or is_declined(notes, commit) else commit[:_SHOWN_COMMIT]
    return ""


def is_declined(notes: dict[str, Any], found: str) -> bool:
    """Whether a version (or a commit) is one that was gone back from, or a version below such a one."""
    declined = notes.get("declined")
    if _VERSION.fullmatch(found) and isinstance(declined, str):
        return numbers(found) <= numbers(declined)
    return found in (declined, notes.get("declined_commit"))


def declining(notes: dict[str, Any], about: dict[str, str], *left: str) -> dict[str, Any]:
    """Notes in which nothing up to the greatest version of `left` is offered, nor up to what was declined already.

    about: what is installed now; what is not above that is no longer noted as declined.
    """
    declined = notes.get("declined")
    known = [one for one in (*left, declined if isinstance(declined, str) else "") if one]
    kept = max(known, key=numbers, default="")
    here = about.get("version", "")
    is_past = kept == about.get("commit") or (bool(numbers(kept)) and numbers(kept) <= numbers(here))
    return {name: value for name, value in notes.items() if name != "declined"} | (
        {"declined": kept} if kept and not is_past else {}
    )


def numbers(version: str) -> tuple[int, ...]:
    """What a version X.Y.Z is compared by; () for text that is none, which is less than any."""
    found = _VERSION.fullmatch(version)
    return tuple(map(int, found.groups())) if found else ()


def line(folder: DataFolder, settings: dict[str, Any]) -> str:
    """What a session's first line says of a newer version, or of an update that was made; "" mostly.

    Says the same once in EVERY_SECONDS, and notes that it did.
    """
    about = installed(folder)
    notes = read(folder) if about else {}
    done = notes.get("done")
    text = ""
    if isinstance(done, str) and done:
        text = " ".join(done.split())[:200]
    elif is_wanted(folder, settings, about) and (newer := offered(about, notes)):
        text = f"{newer} is there (this is {shown(about)}): llm-memory update"
    if not text or (_is_recent(notes.get("said_at")) and not done):
        return ""
    notes = {name: value for name, value in notes.items() if name != "done"} | {"said_at": clock.now()}
    return f" · LLM Memory {text}" if save(folder, notes) else ""


def shown(about: dict[str, str]) -> str:
    """An installation's version as people read it, with its commit."""
    commit = about.get("commit", "")[:_SHOWN_COMMIT]
    return about.get("version", "") + (f" ({commit})" if commit else "")


def _is_recent(when: object) -> bool:
    """Whether a noted time is less than EVERY_SECONDS ago; one far in the future, of a clock since corrected, is
    not."""
    seconds = clock.parse_time(when)
    return seconds is not None and -EVERY_SECONDS < time.time() - seconds < EVERY_SECONDS


def _file(folder: DataFolder) -> str:
    return os.path.join(folder.state, "update.json")


def _read(path: str) -> dict[str, Any]:
    try:
        with files.open_plain(path) as file:
            value = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
