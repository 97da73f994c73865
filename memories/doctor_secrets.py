"""Doctor's check for secrets: in memories that somebody wrote by hand or that are older than the rules, and in what was
archived before transcripts were masked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from memories.core import files, mirror, records, redact, redact_existing
from memories.core.errors import LLMMemoryError, MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from memories.core.settings import read_settings
from memories.findings import Check

_TODO = "run `llm-memory redact`, which lists them"


def secrets(folder: DataFolder, *, read_only: bool) -> Iterator[Check]:
    """Records that hold what looks like a secret; whether the archive is masked where it is to be.

    read_only: quick, for a page. Only those records are read of which the index says that they hold one (its rows are
    redacted when made); what is in fields that are not indexed is then not seen.
    """
    settings, _ = read_settings(folder)
    redactor = redact.redactor(settings)
    uuids = _suspects(folder) if read_only else _all(folder)
    found = [rules for rules in (_rules_in(folder, uuid, redactor) for uuid in uuids) if rules]
    if found:
        rules = ", ".join(sorted({rule for one in found for rule in one}))
        what = "memory holds" if len(found) == 1 else "memories hold"
        yield Check("secrets", "warn", f"{len(found)} {what} what looks like a secret ({rules})", _TODO)
    else:
        yield Check("secrets", "ok", "no memory holds what looks like one")
    unmasked = unmasked_archive(folder, settings)
    if unmasked is not None:
        yield unmasked


def unmasked_archive(folder: DataFolder, settings: dict[str, Any]) -> Check | None:
    """What to do where not all that was archived before the setting, or by older rules, was looked at since; None where
    it was, or where the setting is off."""
    if not settings["redact_transcripts"] or not any(files.entries(folder.transcripts)):
        return None
    if redact_existing.is_archive_redacted(folder, redact.redactor(settings)):
        return None
    text = "archived transcripts may hold secrets from before redact_transcripts was on, or by older rules"
    return Check("secrets", "warn", text, "run `llm-memory redact --apply`, which masks them")


def _all(folder: DataFolder) -> Iterable[str]:
    return (entry.name.removesuffix(".json") for entry in files.entries(folder.records))


def _suspects(folder: DataFolder) -> list[str]:
    """The uuids of records whose rows hold a placeholder."""
    try:
        connection = mirror.connect(folder.mirror, read_only=True)
    except MirrorUnavailableError:
        return []  # said by the check of the index
    try:
        rows = connection.execute(
            "SELECT uuid FROM memory WHERE instr(content, '[redacted: ') OR instr(content, '[private]') "
            "OR instr(tags, '[redacted: ') OR instr(tags, '[private]')"
        )
        return [uuid for (uuid,) in rows]
    except sqlite3.Error:
        return []
    finally:
        connection.close()


def _rules_in(folder: DataFolder, uuid: str, redactor: Redactor) -> list[str]:
    """The rules that find something in a record; none where it cannot be read, which the check of the index says."""
    try:
        record = records.parse(records.read_file(records.record_path(folder, uuid))[0], uuid)
    except (LLMMemoryError, OSError):
        return []
    return redactor.record(record)
