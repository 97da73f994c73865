"""A version that is in place and not yet checked: noted before it is put there, so that an update that is killed in
between is ended by the next one, or by what a session start leaves behind."""

from __future__ import annotations

import os
import re
import shutil

from memories.core import update_state
from memories.core.errors import UpdateError
from memories.update import installation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.core.paths import DataFolder

_STAGED = re.compile(r"lib\.(?:new|gone|fetched)-(\d+)")
"""What installs and updates work in, with the process's number. lib.old-<pid>, which may be all there is, is
install.sh's to put back."""


def begin(folder: DataFolder, failed: set[str] | None) -> os.stat_result:
    """Note that another version is about to take lib's place; lib as it is now. failed: the checks
    of doctor that fail before it; None where what is installed does not start."""
    seen = os.stat(folder.lib)
    before = {"inode": seen.st_ino, "failing": None if failed is None else sorted(failed)}
    update_state.save(folder, {**update_state.read(folder), "trial": before})
    return seen


def forget(folder: DataFolder) -> None:
    """Nothing was put in place, or it was checked."""
    notes = update_state.read(folder)
    if notes.pop("trial", None) is None:
        return
    if notes:
        update_state.save(folder, notes)
    else:
        update_state.clear(folder)


def end(folder: DataFolder, failed: set[str] | None, say: Callable[[str], None]) -> str:
    """Check what is in place now, and go back where it is worse; what is wrong with it, "" for nothing.

    Raises UpdateError where there is nothing whole to go back to.
    """
    trouble = _trouble(folder, failed)
    if trouble:
        say(f"{trouble}: going back")
        try:
            installation.roll_back(folder, say)
        except UpdateError:
            forget(folder)  # no later run could do more
            raise
        shutil.rmtree(installation.previous(folder), ignore_errors=True)  # what failed is nothing to go back to
    forget(folder)
    return trouble


def resume(folder: DataFolder, say: Callable[[str], None]) -> str:
    """End what a killed update left: its folders go, and what it put in place is checked as it would have done; what
    was wrong, "" for nothing. The caller holds state/update.lock. Raises UpdateError as `end` does."""
    sweep(folder)
    before = update_state.read(folder).get("trial")
    if not isinstance(before, dict):
        return ""
    try:
        kept = os.stat(installation.previous(folder)).st_ino
    except OSError:
        kept = -1
    if kept != before.get("inode"):  # it came to nothing, or something else was installed since
        forget(folder)
        return ""
    failed = before.get("failing")
    say("an update was interrupted before it was checked: check it now")
    return end(folder, {str(one) for one in failed} if isinstance(failed, list) else None, say)


def sweep(folder: DataFolder) -> None:
    """Remove what processes that are gone have staged."""
    for name in os.listdir(folder.root):
        found = _STAGED.fullmatch(name)
        if found and not _lives(int(found[1])):
            shutil.rmtree(os.path.join(folder.root, name), ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _trouble(folder: DataFolder, failed: set[str] | None) -> str:
    """What is wrong now that was not before, "" for nothing. failed: doctor's failed checks before the update."""
    after = installation.failing(folder)
    if after is None:
        return "the new version does not start"
    new = sorted(after - failed) if failed is not None else []
    return f"doctor fails with the new version where it did not before ({', '.join(new)})" if new else ""
