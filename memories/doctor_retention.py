"""Doctor's checks of what is let go and forgotten: what the settings will do, and whether forgetting was finished."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

from memories.core import forgotten, mirror, session_logs, session_place
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.disk_use import said_size
from memories.findings import NAMED, Check
from memories.named import counted
from memories.status_keeping import CLOCK_TODO, Keeping, keeping, said_ahead


def retention(folder: DataFolder) -> Iterator[Check]:
    """Nothing where no setting is on and nothing was ever forgotten or let go, or without an index, which other checks
    name. Raises sqlite3.Error."""
    try:
        connection = mirror.connect(folder.mirror, read_only=True)
    except MirrorUnavailableError:
        return
    with closing(connection):
        found = keeping(folder, connection)
    if found.limits:
        yield _limits(found)
    if found.over:
        text = f"{said_size(found.over)} above transcripts_keep_mb are of sessions that may not go yet"
        yield Check("retention", "warn", text, "have the narratives brought up to date, or raise the limit")
    yield from _forgotten(folder, found)


def _limits(found: Keeping) -> Check:
    if found.newest:
        text = f"transcripts are kept {found.limits}, but none is let go: {said_ahead(found.newest)}"
        return Check("retention", "warn", text, CLOCK_TODO)
    text = f"transcripts are kept {found.limits}: {found.said}"
    if found.due and found.starts_at:
        todo = "see `llm-memory forget --expired --dry-run`; to keep them, set it back in config/settings.json"
        return Check("retention", "warn", text, todo)
    return Check("retention", "ok", text)


def _forgotten(folder: DataFolder, found: Keeping) -> Iterator[Check]:
    back = _back(folder)
    if back:
        named = ", ".join(back[:NAMED]) + (f" and {len(back) - NAMED} more" if len(back) > NAMED else "")
        yield Check("forgotten", "warn", f"something of forgotten sessions is here: {named}", "run `llm-memory sync`")
    elif not found.is_settled:
        text = "the index may still hold text of a forgotten session"
        yield Check("forgotten", "warn", text, "run `llm-memory sync`")
    elif found.forgotten or found.let_go:
        gone = [f"{counted(found.forgotten, 'session')} forgotten"] if found.forgotten else []
        gone += [f"{counted(found.let_go, 'transcript')} let go"] if found.let_go else []
        yield Check("forgotten", "ok", f"{', '.join(gone)}; nothing of it is left")


def _back(folder: DataFolder) -> list[str]:
    """Forgotten sessions of which an archive or a log is in the data folder, sorted."""
    ids = forgotten.of_kind(folder, forgotten.FORGOTTEN)
    if not ids:
        return []
    archived = session_place.grouped(folder)
    try:
        names = {*os.listdir(folder.records), *os.listdir(folder.trash)}
    except OSError:
        names = set()
    return sorted(one for one in ids if one in archived or f"{session_logs.log_uuid(one)}.json" in names)
