"""What storing and deleting a narrative does to those before it: checked against, covered, archived, shown again."""

from __future__ import annotations

import json
import sqlite3

from memories.core import coverage, records, redaction
from memories.core.errors import LLMMemoryError
from memories.memory_rows import uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.scope import Scope


def checked(
    folder: DataFolder, record: dict[str, Any], old: list[str], accept_losses: list[str] | None, warnings: list[str]
) -> None:
    """Check a narrative against the ones it replaces (uuids) and the archive; what was accepted is kept with it.

    Completes shortened session ids in its transcript_ref. Raises NarrativeRefusedError.
    """
    from memories.core import narrative_check  # 30 ms of patterns, for narratives alone

    before = []
    for uuid in old:
        try:
            before.append(redaction.load(folder, uuid))
        except LLMMemoryError:
            continue  # deleted or broken since the last scan
    given = narrative_check.whole_refs(folder, records.session_refs(record["transcript_ref"]))
    record["transcript_ref"] = ref_text(given, None)
    known = {ref for one in before for ref in records.session_refs(one.get("transcript_ref"))}
    texts = [str(one["content"]) for one in before]
    findings = narrative_check.check(folder, texts, record["content"], given, known)
    accepted = narrative_check.accept(findings, accept_losses, [str(one["uuid"]) for one in before])
    if accepted:
        record["accepted_losses"] = accepted
    warnings.extend(findings.warnings)


def unarchived(raw: sqlite3.Connection, where: Scope) -> list[str]:
    """uuids of every narrative that a new one replaces, newest first.

    Also one that a crash left active but superseded: it would be shown again as soon as its successor is archived.
    """
    inside, values = where.sql()
    condition = f"{inside} AND memory.type = 'narrative' AND memory.status = 'active'"
    return uuids(raw, condition, values, order="memory.created_at DESC, memory.uuid DESC")


def archive(previous: dict[str, Any], successor: str) -> bool:
    """Mark a narrative as replaced by another (a uuid); a change for records.update."""
    previous["status"] = "archived"
    previous["archived_in"] = successor
    return True


def revive(narrative: dict[str, Any]) -> bool:
    """Make an archived narrative active again; a change for records.update."""
    narrative["status"] = "active"
    narrative.pop("archived_in", None)
    return True


def covered(
    folder: DataFolder, connection: sqlite3.Connection | None, given: list[str], old: list[str]
) -> dict[str, Any]:
    """Sessions that a new narrative covers, its predecessors' and those given, and how far each was read: its fields
    transcript_ref, processed_bytes and processed_turns. connection: to the mirror; None where it cannot be read."""
    refs: dict[str, None] = {}
    sizes: dict[str, int] = {}
    turns: dict[str, int] = {}
    for uuid in reversed(old):
        try:
            previous = records.load(folder, uuid)
        except LLMMemoryError:
            continue
        refs.update(dict.fromkeys(records.session_refs(previous.get("transcript_ref"))))
        for known, found in (("processed_bytes", sizes), ("processed_turns", turns)):
            value = previous.get(known)
            found.update(value if isinstance(value, dict) else {})
    refs.update(dict.fromkeys(given))
    for session_id in given:
        turns.pop(session_id, None)  # of a size that is no longer the one it was read at
    try:
        new_sizes, new_turns = coverage.processed(folder, connection, given)
    except sqlite3.Error:
        new_sizes, new_turns = coverage.processed(folder, None, given)
    return {
        "transcript_ref": ref_text(list(refs), None),
        "processed_bytes": sizes | new_sizes,
        "processed_turns": turns | new_turns,
    }


def cover(narrative: dict[str, Any], fields: dict[str, Any]) -> bool:
    """Say what a narrative covers (what covered() gives); a change for records.update."""
    changed = any(narrative.get(name) != value for name, value in fields.items())
    narrative.update(fields)
    return changed


def ref_text(refs: list[str], given: str | list[str] | None) -> str | None:
    """transcript_ref as it is written: a JSON array of session ids, or of paths where paths were given."""
    if not refs:
        return None
    paths = [item for item in given if isinstance(item, str) and "/" in item] if isinstance(given, list) else []
    return json.dumps(paths if len(paths) == len(refs) else refs)
