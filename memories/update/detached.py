"""What a session start leaves behind once a day: asks for a newer version, installs it where `auto_update` is on."""

from __future__ import annotations

import os

from memories.core import files, redaction, update_state
from memories.core.errors import LLMMemoryError, LockTimeoutError
from memories.core.locks import FileLock
from memories.core.settings import disabled_by_environment, read_settings
from memories.update import check, trial, updating

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder

LOCK = "update.lock"
LOG = "update.log"
MAX_LOG_CHARS = 200_000


def run(folder: DataFolder) -> None:
    """Ask and note, install where that is wanted. Gives way to another update; what fails is noted for doctor."""
    settings, _ = read_settings(folder)
    if disabled_by_environment():
        return
    try:
        with FileLock(os.path.join(folder.state, LOCK)):
            _resume(folder)
            if not update_state.is_wanted(folder, settings):
                return
            where = check.source(folder, {})
            notes = check.check(folder, where)
            if settings["auto_update"] and update_state.offered(update_state.installed(folder), notes):
                _install(folder, where)
    except LockTimeoutError:
        return


def _resume(folder: DataFolder) -> None:
    """End an update that was killed before it was checked."""
    lines: list[str] = []
    said: dict[str, Any] = {}
    left = update_state.shown(update_state.installed(folder))
    try:
        trouble = trial.resume(folder, lines.append)
        if trouble:
            here = update_state.shown(update_state.installed(folder))
            said["done"] = f"went back to {here}: {left} was installed, but {trouble}"
    except (LLMMemoryError, OSError) as error:
        lines.append(str(error))
        said["error"] = redaction.of(folder).text(str(error))
    if said:
        update_state.save(folder, update_state.read(folder) | said)
        _log(folder, lines)


def _install(folder: DataFolder, where: check.Source) -> None:
    redactor = redaction.of(folder)
    lines: list[str] = []
    said: dict[str, Any] = {}
    try:
        target = updating.choose(check.ask(where), update_state.installed(folder), notes=update_state.read(folder))
        if target is not None:
            result = updating.update(folder, where, target, lines.append, down=False)
            said["done"] = _words(result, target)
    except LLMMemoryError as error:
        lines.append(str(error))
        said["error"] = redactor.text(str(error))
    except OSError as error:
        lines.append(str(error))
        said["error"] = redactor.text(f"the update failed: {error}")
    update_state.save(folder, update_state.read(folder) | said)
    _log(folder, lines)


def _log(folder: DataFolder, lines: list[str]) -> None:
    log = redaction.of(folder).text("\n".join(lines))[-MAX_LOG_CHARS:]
    files.write_atomic(os.path.join(folder.state, LOG), log.encode("utf-8", "replace") + b"\n", durable=False)


def _words(result: updating.Result, target: updating.Target) -> str:
    if result.trouble:
        return f"went back to {result.before}: {target.label} was installed, but {result.trouble}"
    return f"was updated from {result.before} to {result.after}"
