"""How far a project's narrative has come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memories.core import coverage, forgotten, mirror, records, scope, session_logs, transcript_page
from memories.core.paths import DataFolder
from tests.core.conversations import put, talk
from tests.core.conversations import update as index

PROJECT = scope.Scope("shop", frozenset({"path:/srv/shop"}), frozenset({"shop"}))


def _session(
    folder: DataFolder, session_id: str, size: int = 10, ended: str = "2026-03-10T10:00:00", **fields: Any
) -> None:
    record = records.new_record(type="session_log", content="a log", created_at=ended, project="shop")
    records.save(folder, {**record, "uuid": session_logs.log_uuid(session_id), "session_id": session_id, **fields})
    Path(folder.transcripts, f"{session_id}.jsonl").write_bytes(b"x" * size)


def _narrative(folder: DataFolder, refs: list[str], created_at: str = "2026-03-11T10:00:00", **fields: Any) -> str:
    refs_text = json.dumps(refs)
    record = records.new_record(
        type="narrative", content="text", created_at=created_at, project="shop", transcript_ref=refs_text
    )
    records.save(folder, {**record, **fields})
    return str(record["uuid"])


def _coverage(folder: DataFolder, own_session: str | None = None) -> dict[str, Any]:
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    try:
        return coverage.coverage(connection, folder, PROJECT, own_session=own_session)
    finally:
        connection.close()


def _since(found: dict[str, Any]) -> tuple[str, int, int, str | None]:
    return found["status"], found["sessions_since"], found["turns_since"], found["since"]


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
    _narrative(folder, ["before", "after"], processed_bytes="no dict", processed_turns=["nor", "this"])
    assert _ids(_coverage(folder)["grown"]) == ["after"]


def test_sessions_that_are_not_in_the_archive_are_named(folder: DataFolder) -> None:
    _session(folder, "s1")
    _narrative(folder, ["s1", "elsewhere"])
    found = _coverage(folder)
    assert (found["status"], found["stale_refs"]) == ("current", ["elsewhere"])
    assert "1 session that it names" in found["summary"]


def test_sessions_that_were_forgotten_or_let_go_are_said_and_not_missed(folder: DataFolder) -> None:
    gone, more, let_go = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")
    _session(folder, "s1")
    _narrative(folder, ["s1", "gone", gone, more, let_go])
    for one, kind in ((gone, forgotten.FORGOTTEN), (more, forgotten.FORGOTTEN), (let_go, forgotten.EXPIRED)):
        forgotten.mark(folder, one, kind)
    found = _coverage(folder)
    assert (found["status"], found["stale_refs"]) == ("current", ["gone"])
    assert "1 session that it names are not in the archive here." in found["summary"]
    assert "2 sessions that it names were forgotten." in found["summary"]
    assert found["summary"].endswith("Of 1 session that it names the transcript was let go; the log stays.")


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


def test_it_says_how_many_sessions_and_turns_there_were_since_and_since_when(folder: DataFolder) -> None:
    _session(folder, "read", turns=9)
    _session(folder, "later", ended="2026-03-13T10:00:00", turns=4)
    _session(folder, "next", ended="2026-03-12T10:00:00", turns=7)
    _narrative(folder, ["read"], processed_bytes={"read": 10})
    found = _coverage(folder)
    assert _since(found) == ("stale", 2, 11, "2026-03-12T10:00:00")
    assert [one["turns"] for one in found["unprocessed"]] == [7, 4]
    assert found["summary"] == "The narrative of 2026-03-11 10:00 UTC lacks 2 of 3 sessions: 11 turns since 2026-03-12."


def test_a_dormant_project_is_not_stale_however_old_its_narrative(folder: DataFolder) -> None:
    _session(folder, "s1", ended="2021-03-10T10:00:00", turns=3)
    _narrative(folder, ["s1"], created_at="2021-03-11T10:00:00", processed_bytes={"s1": 10})
    assert _since(_coverage(folder)) == ("current", 0, 0, None)


def test_one_shot_runs_are_listed_and_never_make_a_narrative_stale(folder: DataFolder) -> None:
    _session(folder, "talk", turns=3, entrypoint="cli")
    _session(folder, "run", turns=2, entrypoint="sdk-cli")
    _session(folder, "both", turns=2, entrypoint="mixed")
    _narrative(folder, ["talk", "both"], processed_bytes={"talk": 10, "both": 10})
    found = _coverage(folder)
    assert (_since(found), found["processed"]) == (("current", 0, 0, None), 2)
    assert [(one["session_id"], one["one_shot"]) for one in found["unprocessed"]] == [("run", True)]
    assert "1 one-shot run (claude -p)" in found["summary"]


def test_many_one_shot_runs_do_not_push_a_session_off_the_list(folder: DataFolder) -> None:
    for number in range(coverage.LISTED + 1):
        _session(folder, f"run{number}", ended="2026-03-10T10:00:00", entrypoint="sdk-cli")
    _session(folder, "talk", ended="2026-03-12T10:00:00")
    found = _coverage(folder)
    assert (found["sessions_since"], len(found["unprocessed"])) == (1, coverage.LISTED)
    assert found["unprocessed"][-1]["session_id"] == "talk"


@pytest.mark.parametrize("refs", [[], ["own"]])
def test_the_session_that_asks_is_marked_as_running_and_does_not_count(folder: DataFolder, refs: list[str]) -> None:
    _session(folder, "own", size=30)
    _narrative(folder, refs, processed_bytes={"own": 10})
    assert _since(_coverage(folder))[0] == "stale"
    found = _coverage(folder, own_session="own")
    assert _since(found) == ("current", 0, 0, None)
    assert [one["running"] for one in found["unprocessed"] + found["grown"]] == [True]
    assert "runs now is not counted" in found["summary"]


def test_of_a_grown_session_only_the_new_turns_count(folder: DataFolder) -> None:
    _session(folder, "counted", size=40, turns=12)
    _session(folder, "shared", size=40, turns=12)
    sizes = {"counted": 20, "shared": 10}
    _narrative(folder, list(sizes), processed_bytes=sizes, processed_turns={"counted": 10})
    found = _coverage(folder)
    assert {one["session_id"]: one["turns"] for one in found["grown"]} == {"counted": 2, "shared": 9}
    assert found["turns_since"] == 11


def test_a_session_that_was_opened_and_left_again_has_not_grown(folder: DataFolder) -> None:
    _session(folder, "s1", size=400, turns=12)
    _narrative(folder, ["s1"], processed_bytes={"s1": 20}, processed_turns={"s1": 12})
    assert _since(_coverage(folder)) == ("current", 0, 0, None)


def test_logs_that_do_not_say_their_turns_take_those_of_the_index_or_count_as_one(folder: DataFolder) -> None:
    script = talk("Why?", "Because.", "I see.")
    _session(folder, script.session_id)
    _session(folder, "not-indexed", turns="many")
    put(folder, script.dump(), f"{script.session_id}.jsonl")
    mirror.update(folder)
    index(folder)
    found = _coverage(folder)
    assert {one["session_id"]: one["turns"] for one in found["unprocessed"]} == {script.session_id: 3, "not-indexed": 1}


def test_a_grown_session_has_the_cursor_and_the_cost_of_its_new_part(folder: DataFolder) -> None:
    script = talk("An old question", "An old answer", "A new question " * 50, "A new answer " * 50)
    whole = script.dump()
    read = len(b"".join(whole.splitlines(keepends=True)[:2]))
    _session(folder, script.session_id, turns=4)
    put(folder, whole, f"{script.session_id}.jsonl")
    mirror.update(folder)
    index(folder)
    _narrative(folder, [script.session_id], processed_bytes={script.session_id: read})
    (entry,) = _coverage(folder)["grown"]
    page = transcript_page.read_page(folder, script.session_id, cursor=entry["cursor"])
    assert [item.role for item in page.items] == ["user", "assistant"]
    assert "An old" not in page.text
    assert entry["tokens"] == pytest.approx(len(page.text) / transcript_page.BYTES_PER_TOKEN, rel=0.2)


def test_processed_is_what_the_next_coverage_compares_with(folder: DataFolder) -> None:
    _session(folder, "s1", size=40, turns=12)
    _session(folder, "silent", size=7)
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    found = coverage.processed(folder, connection, ["s1", "silent", "not archived", "../s1", "a\0b", ""])
    connection.close()
    assert found == ({"s1": 40, "silent": 7}, {"s1": 12})
    assert coverage.processed(folder, None, ["s1"]) == ({"s1": 40}, {})
    _narrative(folder, ["s1", "silent"], processed_bytes=found[0], processed_turns=found[1])
    assert _coverage(folder)["status"] == "current"


def test_a_thousand_sessions_are_counted_by_the_index_alone(folder: DataFolder) -> None:
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    coverage.coverage_of(coverage.narrative(connection, folder, PROJECT), connection, folder, PROJECT)
    connection.set_trace_callback(None)
    plans = {sql: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in statements}
    connection.close()
    assert not [plan for steps in plans.values() for plan in steps if plan.startswith("SCAN")]
    logs = [steps for sql, steps in plans.items() if "memory_logs" in sql]
    assert len(logs) == 2
    assert all("COVERING INDEX" in steps[0] for steps in logs)
