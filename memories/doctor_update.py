"""Doctor's check of updates: the version, whether newer ones are looked for, and whether there is one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from memories.core import clock, update_state
from memories.core.paths import DataFolder
from memories.core.settings import read_settings
from memories.findings import Check

SILENT_SECONDS = 14 * 86_400
"""Since a check last had an answer: a machine may be without its network for a while."""


def updates(folder: DataFolder) -> Iterator[Check]:
    """Nothing where nothing is installed. Asks nobody: what the daily check noted is told."""
    about = update_state.installed(folder)
    if not about:
        return
    settings, _ = read_settings(folder)
    notes = update_state.read(folder)
    newer = update_state.offered(about, notes)
    version = update_state.shown(about) or "of no known version"
    if newer:
        yield Check("update", "warn", f"{newer} is there, this is {version}", "run `llm-memory update`")
        return
    error = str(notes.get("error") or "")
    seen = clock.parse_time(notes.get("seen_at"))
    wanted = update_state.is_wanted(folder, settings, about)
    if wanted and error and (seen is None or time.time() - seen > SILENT_SECONDS):
        yield Check(
            "update", "warn", f"{version}; no answer about newer versions: {error}", "run `llm-memory update --check`"
        )
        return
    newest = str(notes.get("newest") or "")
    is_left = newest != about.get("version") and update_state.is_declined(notes, newest)
    back = f"; gone back from {newest}, `llm-memory update --to {newest}` tries it again" if is_left else ""
    yield Check("update", "ok", f"{version}; {_looking(folder, settings['update_check'], about, seen)}{back}")


def _looking(folder: DataFolder, setting: bool, about: dict[str, str], seen: int | None) -> str:
    """How newer versions are looked for. seen: when a check last had an answer, in Unix seconds."""
    if about.get("kind") not in update_state.ASKED_KINDS:
        return "installed from a folder: newer versions are not looked for"
    if not setting or os.path.lexists(update_state.off_file(folder)):
        return "looking for newer versions is off"
    return f"the newest when last asked ({clock.format_time(seen)} UTC)" if seen else "not yet asked for newer versions"
