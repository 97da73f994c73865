"""How far a project's narrative has come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from memories.core import coverage, mirror, records, scope, session_logs
from memories.core.paths import DataFolder

PROJECT = scope.Scope("shop", frozenset({"path:/srv/shop"}), frozenset({"shop"}))


def _session(folder: DataFolder, session_id: str, size: int = 10, ended: str = "2026-03-10T10:00:00") -> None:
    record = records.new_record(type="session_log", content="a log", created_at=ended, project="shop")
    records.save(folder, {**record, "uuid": session_logs.log_uuid(session_id), "session_id": session_id})
    Path(folder.transcripts, f"{session_id}.jsonl").write_bytes(b"x" * size)


def _narrative(folder: DataFolder, refs: list[str], created_at: str = "2026-03-11T10:00:00", **fields: Any) -> str:
    record = records.new_record(
        type="narrative",
        content="text",
        created_at=created_at,
        project="shop",
        transcript_ref=json.dumps(refs),
        **fields,
    )
    records.save(folder, record)
    return str(record["uuid"])


def _coverage(folder: DataFolder) -> dict[str, Any]:
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    try:
        return coverage.coverage(connection, folder, PROJECT)
    finally:
        connection.close()


def _ids(found: list[dict[str, Any]]) -> list[str]:
    return [entry["session_id"] for entry in found]


def test_without_a_narrative_every_session_waits(folder: DataFolder) -> None:
    _session(folder, "s2", ended="2026-03-12T10:00:00")
    _session(folder, "s1")
    found = _coverage(folder)
    assert (found["status"], found["narrative_uuid"], found["on_disk"], found["processed"]) == ("none", None, 2, 0)
    assert _ids(found["unprocessed"]) == ["s1", "s2"]
    assert "2 archived sessions to write one from" in found["summary"]


def test_a_narrative_of_every_session_is_current(folder: DataFolder) -> None:
    _session(folder, "s1")
    uuid = _narrative(folder, ["s1"])
    found = _coverage(folder)
    assert (found["status"], found["narrative_uuid"], found["processed"]) == ("current", uuid, 1)


def test_what_is_new_and_what_has_grown_makes_it_stale(folder: DataFolder) -> None:
    for session_id, size in (("read", 10), ("grown", 30), ("new", 10)):
        _session(folder, session_id, size)
    _narrative(folder, ["read", "grown"], processed_bytes={"read": 10, "grown": 20})
    found = _coverage(folder)
    assert (found["status"], _ids(found["unprocessed"]), _ids(found["grown"])) == ("stale", ["new"], ["grown"])
    assert found["processed"] == 1


def test_without_known_sizes_a_session_that_ended_later_has_grown(folder: DataFolder) -> None:
    _session(folder, "before", ended="2026-03-10T10:00:00")
    _session(folder, "after", ended="2026-03-12T10:00:00")
    _narrative(folder, ["before", "after"], processed_bytes="no dict")
    assert _ids(_coverage(folder)["grown"]) == ["after"]


def test_sessions_that_are_not_in_the_archive_are_named(folder: DataFolder) -> None:
    _session(folder, "s1")
    _narrative(folder, ["s1", "elsewhere"])
    found = _coverage(folder)
    assert (found["status"], found["stale_refs"]) == ("current", ["elsewhere"])
    assert "1 session that it names" in found["summary"] or "1 session" in found["summary"]


def test_subagents_and_sessions_without_a_log_never_count(folder: DataFolder) -> None:
    _session(folder, "s1")
    beside = Path(folder.transcripts, "s1", "subagents")
    beside.mkdir(parents=True)
    (beside / "agent-a1.jsonl").write_bytes(b"x")
    Path(folder.transcripts, "unlogged.jsonl").write_bytes(b"x")
    assert _coverage(folder)["on_disk"] == 1


def test_of_two_narratives_the_later_is_shown_and_the_other_named(folder: DataFolder) -> None:
    first = _narrative(folder, [], created_at="2026-03-10T10:00:00")
    second = _narrative(folder, [], created_at="2026-03-11T10:00:00")
    found = _coverage(folder)
    assert (found["narrative_uuid"], found["forks"]) == (second, [first])
    assert first in found["summary"]


def test_a_narrative_that_was_deleted_since_the_last_scan_is_passed_over(folder: DataFolder) -> None:
    first = _narrative(folder, [], created_at="2026-03-10T10:00:00")
    second = _narrative(folder, [], created_at="2026-03-11T10:00:00")
    mirror.update(folder)
    records.delete(folder, second)
    connection = mirror.connect(folder.mirror)
    shown = coverage.narrative(connection, folder, PROJECT)
    connection.close()
    assert shown is not None
    assert shown.uuid == first


def test_many_sessions_are_counted_whole_and_listed_in_part(folder: DataFolder) -> None:
    for number in range(coverage.LISTED + 5):
        _session(folder, f"s{number}")
    found = _coverage(folder)
    assert (found["on_disk"], len(found["unprocessed"])) == (coverage.LISTED + 5, coverage.LISTED)
    assert f"{coverage.LISTED + 5} archived sessions" in found["summary"]
