"""Which projects' narratives are behind, over all projects."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from memories.core import mirror, records, session_logs, staleness
from memories.core.paths import DataFolder


def _sessions(
    folder: DataFolder, project: str | None, count: int, project_id: str | None = None, day: int = 1, **fields: Any
) -> list[str]:
    ids = [f"{project}-{project_id and project_id[-4:]}-{number}".replace("/", "-") for number in range(count)]
    for session_id in ids:
        record = records.new_record(type="session_log", content="a log", created_at=f"2026-03-{day:02d}T10:00:00")
        record |= {"uuid": session_logs.log_uuid(session_id), "session_id": session_id, "turns": 2}
        records.save(folder, {**record, "project": project, "project_id": project_id, **fields})
        Path(folder.transcripts, f"{session_id}.jsonl").write_bytes(b"{}\n")
    return ids


def _overdue(folder: DataFolder, aliases: dict[str, str] | None = None) -> list[tuple[str, str, int]]:
    mirror.update(folder)
    with closing(mirror.connect(folder.mirror)) as connection:
        found = staleness.overdue(connection, folder, {"project_aliases": aliases or {}})
    return [(one["project"], one["status"], one["sessions_since"]) for one in found]


def test_a_missing_narrative_tells_from_three_sessions_on_the_oldest_first(folder: DataFolder) -> None:
    _sessions(folder, "two", 2)
    _sessions(folder, "young", 3, "path:/p/young", day=9)
    _sessions(folder, "old", 4, "path:/p/old", day=5)
    _sessions(folder, None, 9)
    assert _overdue(folder) == [("old", "none", 4), ("young", "none", 3)]


def test_a_narrative_that_covers_all_but_two_sessions_is_not_told(folder: DataFolder) -> None:
    ids = _sessions(folder, "shop", 5, "path:/p/shop")
    read = json.dumps(ids[2:])
    record = records.new_record(type="narrative", content="text", project="shop", transcript_ref=read)
    records.save(folder, {**record, "project_id": "path:/p/shop", "processed_bytes": dict.fromkeys(ids, 3)})
    assert _overdue(folder) == []
    (more,) = _sessions(folder, "Shop", 1)
    assert _overdue(folder) == [("shop", "stale", 3)], more


def test_one_shot_runs_do_not_add_up(folder: DataFolder) -> None:
    _sessions(folder, "batch", 20, entrypoint="sdk-cli")
    assert _overdue(folder) == []


def test_projects_of_one_name_are_told_apart(folder: DataFolder) -> None:
    _sessions(folder, "api", 3, "path:/bank")
    _sessions(folder, "api", 4, "path:/shop")
    _sessions(folder, "API", 5)
    assert sorted(_overdue(folder)) == [("API", "none", 5), ("api", "none", 3), ("api", "none", 4)]


def test_projects_that_aliases_tie_together_are_one(folder: DataFolder) -> None:
    _sessions(folder, "shop", 1, "path:/shop")
    _sessions(folder, "orders", 1, "git:github.com/example/orders", day=2)
    _sessions(folder, "old-orders", 1)
    aliases = {"shop": "orders", "old_orders": "git:github.com/example/orders"}
    assert _overdue(folder) == []
    assert _overdue(folder, aliases) == [("orders", "none", 3)]
