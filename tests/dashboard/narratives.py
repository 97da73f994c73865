"""Narratives for tests: make_record cannot write them, as a new one has to name its project."""

from __future__ import annotations

from typing import Any

from memories.core import records
from memories.core.paths import DataFolder


def write_narrative(folder: DataFolder, content: str, *, project: str = "shop", **fields: Any) -> dict[str, Any]:
    """Write a narrative's file; the mirror does not know it yet."""
    record = records.new_record(type="narrative", content=content, project=project)
    record.update(fields)
    records.save(folder, record)
    return record
