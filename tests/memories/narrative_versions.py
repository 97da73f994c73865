"""Narratives written straight into records/, as another machine or the first LLM Memory leaves them."""

from __future__ import annotations

from typing import Any

from memories.core import records
from memories.core.paths import DataFolder


def write_version(
    folder: DataFolder, content: str, day: int = 1, project: str = "shop", after: tuple[str, ...] = (), **fields: Any
) -> dict[str, Any]:
    """A narrative of that day of March 2026, which supersedes those with the given uuids; the mirror is not told."""
    created = f"2026-03-{day:02d}T10:00:00"
    record = records.new_record(type="narrative", content=content, project=project, created_at=created)
    record["connections"] = [{"to_uuid": uuid, "relationship": "supersedes"} for uuid in after]
    record.update(fields)
    records.save(folder, record)
    return record
