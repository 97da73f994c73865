"""Memories of other tools, as their own programs made them, and small ones made by hand."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from memories.core import records
from memories.core.paths import DataFolder
from memories.importers import formats, take
from memories.importers.take import Result

FIXTURES = Path(__file__).parent / "fixtures"
GRAPH = FIXTURES / "server-memory.jsonl"
NOTES = FIXTURES / "basic-memory"
SESSION = "22c27cac-b859-4875-a798-6d086e9ce27f"


def claude_mem(place: Path, *more: str) -> Path:
    """A database as claude-mem makes it, with a few rows, and what more SQL there is."""
    path = place / "claude-mem.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FIXTURES / "claude-mem.sql").read_text(encoding="utf-8"))
        for statement in more:
            connection.execute(statement)
        connection.commit()
    return path


def graph(place: Path, *lines: object) -> Path:
    """A server-memory file. lines: JSON values, or texts that stand there as they are."""
    path = place / "memory.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def entity(name: str, *observations: str, kind: str = "service") -> dict[str, Any]:
    """A line of one."""
    return {"type": "entity", "name": name, "entityType": kind, "observations": list(observations)}


def relation(source: str, target: str, kind: str = "uses") -> dict[str, Any]:
    """A line between two."""
    return {"type": "relation", "from": source, "to": target, "relationType": kind}


def tree(root: Path, files: Mapping[str, object]) -> Path:
    """A folder of files: values as JSON, texts and bytes as they are."""
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return root


def imported(folder: DataFolder, format: str, path: Path | str, **options: Any) -> Result:
    """Import a source as the command does. options: project, dry_run."""
    reading = formats.read(format, str(path), folder, options.pop("project", None))
    return take.run(folder, reading, formats.SOURCES[format], **options)


def stored(folder: DataFolder) -> dict[str, dict[str, Any]]:
    """First line of its content -> each record that is here."""
    found = [records.load(folder, name.removesuffix(".json")) for name in sorted(os.listdir(folder.records))]
    return {one["content"].split("\n")[0]: one for one in found}


def outcomes(result: Result, kind: str) -> dict[str, int]:
    """What became of a kind, without zeros."""
    return {outcome: many for outcome, many in result.counts.get(kind, {}).items() if many}
