"""Doctor on hooks and transcripts: judged by what sessions did, with transcripts as Claude Code writes them."""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from memories import doctor_capture
from memories.core import clock, forgotten, session_logs, state, sweep, transcripts
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.doctor_hooks import ENDED_SESSIONS
from memories.findings import Check
from tests.core.transcript_lines import SESSION, Script, short_session

DAY = 86_400.0


@pytest.fixture
def projects(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code's transcripts, none yet, on a machine where we were installed a hundred days ago."""
    claude = tmp_path / "claude"
    claude.mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    Path(folder.lib).mkdir()
    about = Path(folder.lib, "install.json")
    about.write_text("{}", encoding="utf-8")
    _age(about, 100 * DAY)
    for event in ("session_start", "session_end", "post_tool_use", "pre_compact"):
        _ran(folder, event, 0)
    return claude / "projects"


def _age(path: Path | str, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def _ran(folder: DataFolder, event: str, seconds: float) -> None:
    """An event's hook ran so many seconds ago, and not since."""
    state.beat(folder, event)
    _age(Path(folder.state, "heartbeat", event), seconds)


def _session(projects: Path, seconds: float, number: int = 0, script: Script | None = None) -> str:
    """A session that was last active so many seconds ago; its transcript's path."""
    script = script or short_session("/srv/shop", str(uuid.UUID(int=number + 1)))
    at = clock.format_time(time.time() - seconds)
    for line in script.lines:
        if "timestamp" in line:
            line["timestamp"] = f"{at}.000Z"
    path = script.write(projects)
    _age(path, seconds)
    return path


def _checks(folder: DataFolder, name: str) -> list[Check]:
    return [one for one in doctor_capture.capture(folder) if one.name == name]


def _archive(folder: DataFolder, *paths: str) -> None:
    for path in paths:
        assert sweep.archive_session(folder, path, dict(DEFAULTS))


def test_hooks_that_run_are_not_named(folder: DataFolder, projects: Path) -> None:
    for number in range(2 * ENDED_SESSIONS):
        _session(projects, DAY * (number + 1), number)
    assert _checks(folder, "hook runs") == []


@pytest.mark.parametrize(("since", "named"), [(ENDED_SESSIONS - 1, 0), (ENDED_SESSIONS, 1)])
def test_a_session_end_that_no_longer_runs(folder: DataFolder, projects: Path, since: int, named: int) -> None:
    _ran(folder, "session_end", 10 * DAY)
    for number in range(since):
        _session(projects, (number + 1) * DAY, number)
    _session(projects, 60, since)  # may still run
    _session(projects, 20 * DAY, since + 1)  # ended before
    found = _checks(folder, "hook runs")
    assert len(found) == named
    for check in found:
        assert check.status == "warn"
        assert check.text.startswith("SessionEnd last ran 10 days ago, and not for the 5 sessions that were")
        assert "/exit" in check.todo


def test_sessions_that_run_now_have_not_ended(folder: DataFolder, projects: Path) -> None:
    _ran(folder, "session_end", 10 * DAY)
    for number in range(ENDED_SESSIONS):
        _session(projects, DAY, number)
    state.note_client(folder, os.getpid(), str(uuid.UUID(int=1)))
    assert _checks(folder, "hook runs") == []


def test_tools_were_used_and_post_tool_use_did_not_run(folder: DataFolder, projects: Path) -> None:
    _ran(folder, "post_tool_use", 9 * DAY)
    _session(projects, 2 * DAY)
    [check] = _checks(folder, "hook runs")
    assert check.text == (
        f"PostToolUse last ran 9 days ago, but session {uuid.UUID(int=1)} used a tool 2 days ago: "
        "nobody is reminded to store what was decided"
    )


def test_talk_and_tools_that_failed_are_no_evidence(folder: DataFolder, projects: Path) -> None:
    _ran(folder, "post_tool_use", 9 * DAY)
    script = Script("/srv/shop")
    script.user('what does "tool_result" and "compact_boundary" mean')
    script.call("Bash", {"command": "false"}, failed=True)
    _session(projects, 2 * DAY, script=script)
    _ran(folder, "pre_compact", 9 * DAY)
    assert _checks(folder, "hook runs") == []


def test_a_compaction_without_pre_compact(folder: DataFolder, projects: Path) -> None:
    os.unlink(os.path.join(folder.state, "heartbeat", "pre_compact"))
    script = Script("/srv/shop")
    script.user("go on")
    script.compaction("what was said")
    _session(projects, 2 * DAY, script=script)
    [check] = _checks(folder, "hook runs")
    assert check.text.startswith(f"PreCompact has never run, but session {SESSION} was compacted 2 days ago: ")


def test_without_an_installation_no_hook_is_missed(folder: DataFolder, projects: Path) -> None:
    os.unlink(os.path.join(folder.lib, "install.json"))
    _ran(folder, "post_tool_use", 9 * DAY)
    _session(projects, 2 * DAY)
    assert _checks(folder, "hook runs") == []


def test_transcripts_that_are_about_to_be_deleted_and_not_archived(folder: DataFolder, projects: Path) -> None:
    leaving = [_session(projects, (25 + number) * DAY, number) for number in range(2)]
    _session(projects, 3 * DAY, 2)
    fail, warn = _checks(folder, "transcripts")
    assert (fail.status, fail.todo) == ("fail", "run `llm-memory sync`")
    oldest_first = f"{uuid.UUID(int=2)}, {uuid.UUID(int=1)}"
    text = "2 not archived and deleted by Claude Code within 7 days (cleanupPeriodDays: 30)"
    assert fail.text == f"{text}: {oldest_first}"
    assert (warn.status, warn.text) == ("warn", "0 archived, 3 kept by Claude Code, 1 not archived yet")
    _archive(folder, *leaving)
    assert [one.status for one in _checks(folder, "transcripts")] == ["warn"]


def test_a_shorter_period_in_claudes_settings_counts(folder: DataFolder, projects: Path, tmp_path: Path) -> None:
    _session(projects, 5 * DAY)
    _session(projects, 60, 1)  # a session that runs is not about to be deleted
    assert [one.status for one in _checks(folder, "transcripts")] == ["warn"]
    (tmp_path / "claude" / "settings.json").write_text('{"cleanupPeriodDays": 6}', encoding="utf-8")
    assert [one.status for one in _checks(folder, "transcripts")] == ["fail", "warn"]


def test_sessions_that_must_not_be_kept_do_not_wait(folder: DataFolder, projects: Path) -> None:
    path = _session(projects, 26 * DAY)
    source = transcripts.source_at(path)
    assert source is not None
    forgotten.mark(folder, source.session_id, forgotten.FORGOTTEN)
    _session(projects, 26 * DAY, 1)
    state.ignore_session(folder, str(uuid.UUID(int=2)))
    sweep.sweep(folder, str(projects), dict(DEFAULTS))
    assert [one.status for one in _checks(folder, "transcripts")] == ["ok"]


def test_a_session_log_that_is_missing(folder: DataFolder, projects: Path) -> None:
    _archive(folder, _session(projects, DAY))
    assert _checks(folder, "session logs") == []
    os.unlink(os.path.join(folder.records, session_logs.log_uuid(str(uuid.UUID(int=1))) + ".json"))
    [check] = _checks(folder, "session logs")
    assert (check.status, check.todo) == ("warn", "run `llm-memory sync`")
    assert str(uuid.UUID(int=1)) in check.text


@pytest.mark.parametrize(
    ("version", "is_old"),
    [("2.1.196", True), ("2.0.999", True), ("2.1.197", False), ("2.1.330", False)],
)
def test_a_client_that_is_too_old(folder: DataFolder, projects: Path, version: str, is_old: bool) -> None:
    script = short_session("/srv/shop")
    for line in script.lines:
        if "version" in line:
            line["version"] = version
    script.user([{"type": "text", "text": '{"version":"1.0.0"}'}], toolUseResult={"version": "1.0.0"}, version=version)
    _session(projects, DAY, script=script)
    _session(projects, 3 * DAY, 5, _of_version("1.9.9", 5))  # an older session
    found = _checks(folder, "Claude Code")
    assert [(one.status, one.todo) for one in found] == ([("warn", "run `claude update`")] if is_old else [])
    if is_old:
        assert f"version {version} ran last (session {SESSION})" in found[0].text


def _of_version(version: str, number: int) -> Script:
    script = short_session("/srv/shop", str(uuid.UUID(int=number + 1)))
    script.lines = [{**line, "version": version} for line in script.lines]
    return script


def test_broken_transcripts_stop_no_check(folder: DataFolder, projects: Path) -> None:
    for event in ("session_end", "post_tool_use", "pre_compact"):
        _ran(folder, event, 9 * DAY)
    place = projects / "-srv-shop"
    place.mkdir(parents=True)
    odd: tuple[Any, ...] = ([], "x", {"message": 5}, {"message": {"content": [5]}}, {"version": {"a": 1}})
    lines = [json.dumps(one) + ' "tool_result" "compact_boundary" "version"' for one in odd]
    lines += [json.dumps({"type": "tool_result", "subtype": "compact_boundary", "version": 7, "timestamp": 3})]
    for number, text in enumerate(("", "\x00" * 100, "[" * 100_000, *lines, *map(json.dumps, odd))):
        path = place / f"{uuid.UUID(int=number + 1)}.jsonl"
        path.write_text(text, encoding="utf-8")
        _age(path, 60)
    assert [one.status for one in doctor_capture.capture(folder)] == ["ok", "warn"]


def test_what_claude_code_keeps_and_nobody_archives_is_said_with_its_reason(folder: DataFolder, projects: Path) -> None:
    _session(projects, 3 * DAY, 0)
    forgotten.mark(folder, str(uuid.UUID(int=1)), forgotten.FORGOTTEN)
    passed = _session(projects, 3 * DAY, 1)
    state = os.stat(passed)
    marks = {passed: [state.st_size, state.st_mtime_ns]}
    Path(folder.state, "sweep.json").write_text(json.dumps(marks), encoding="utf-8")
    [check] = _checks(folder, "transcripts")
    text = "0 archived, 2 kept by Claude Code (1 forgotten or let go, 1 excluded or without a word)"
    assert (check.status, check.text) == ("ok", text)


def test_a_hook_log_that_is_a_pipe_is_not_waited_for(folder: DataFolder, projects: Path) -> None:
    os.mkfifo(os.path.join(folder.state, "hooks.log"))
    assert doctor_capture.hook_failures(folder) == []
