"""The sweep: what is archived and logged, what is not, and what a second look costs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from memories.core import records, session_logs, transcripts
from memories.core.paths import DataFolder
from memories.core.sweep import SweepResult, archive_session, sweep
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script, short_session


@pytest.fixture
def claude(tmp_path: Path) -> str:
    """Claude Code's projects folder."""
    path = tmp_path / "claude" / "projects"
    path.mkdir(parents=True)
    return str(path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "orders"
    path.mkdir()
    return path


def _session_id(number: int) -> str:
    return f"7b1e2f04-0000-4000-8000-{number:012}"


def _kept(folder: DataFolder) -> list[str]:
    return sorted(os.listdir(folder.transcripts) + os.listdir(folder.records))


def _opened(result: SweepResult) -> tuple[list[str], int, int]:
    return result.archived, result.logged, result.excluded


def test_a_new_session_is_archived_and_logged_once(claude: str, folder: DataFolder, project: Path) -> None:
    path = short_session(str(project)).write(claude)
    result = sweep(folder, claude, {})
    assert (result.archived, result.logged, result.skipped, result.complete) == ([SESSION], 1, [], True)
    assert Path(transcripts.archive_path(folder, SESSION)).read_bytes() == Path(path).read_bytes()
    assert records.load(folder, session_logs.log_uuid(SESSION))["project"] == "orders"
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 0, 0)


def test_a_resumed_session_is_archived_and_logged_again(claude: str, folder: DataFolder, project: Path) -> None:
    script = short_session(str(project))
    script.write(claude)
    sweep(folder, claude, {})
    script.user("Another thing")
    script.answer("Another answer")
    path = script.write(claude)
    assert _opened(sweep(folder, claude, {})) == ([SESSION], 1, 0)
    assert Path(transcripts.archive_path(folder, SESSION)).read_bytes() == Path(path).read_bytes()
    assert "Another answer" in records.load(folder, session_logs.log_uuid(SESSION))["content"]


def test_a_data_folder_that_does_not_exist_is_made(claude: str, tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "new" / "memory"))
    assert sweep(folder, claude, {}).complete
    assert os.path.isdir(folder.records)


def test_a_crash_between_log_and_archive_leaves_the_session_to_be_done(
    claude: str, folder: DataFolder, project: Path
) -> None:
    path = short_session(str(project)).write(claude)
    session_logs.refresh(folder, path, None)
    assert sweep(folder, claude, {}).archived == [SESSION]


@pytest.mark.parametrize("thorough", [False, True])
def test_nothing_of_a_disabled_or_excluded_project_is_kept(
    claude: str, folder: DataFolder, project: Path, thorough: bool
) -> None:
    (project / ".llm-memory.json").write_text('{"enabled": false}')
    short_session(str(project)).write(claude)
    secret = project.parent / "clients" / "acme"
    short_session(str(secret), OTHER_SESSION).write(claude)
    result = sweep(folder, claude, {"excluded_paths": ["~/clients/*"]}, thorough=thorough)
    assert (_opened(result), result.skipped) == (([], 0, 2), [])
    assert _kept(folder) == []


def test_an_excluded_source_is_not_opened_again_until_it_grows_or_a_thorough_sweep(
    claude: str, folder: DataFolder, project: Path
) -> None:
    marker = project / ".llm-memory.json"
    marker.write_text('{"enabled": false}')
    script = short_session(str(project))
    path = script.write(claude)
    assert sweep(folder, claude, {}).excluded == 1
    assert sweep(folder, claude, {}).excluded == 0
    script.user("more")
    script.write(claude)
    assert sweep(folder, claude, {}).excluded == 1
    marker.unlink()
    assert sweep(folder, claude, {}).archived == []
    assert sweep(folder, claude, {}, thorough=True).archived == [SESSION]
    marks = json.loads(Path(folder.state, "sweep.json").read_text())
    assert path not in marks


def test_marks_of_transcripts_that_are_gone_are_dropped(claude: str, folder: DataFolder, project: Path) -> None:
    script = Script(str(project))
    script.user("<command-name>/exit</command-name>")
    path = script.write(claude)
    sweep(folder, claude, {})
    assert list(json.loads(Path(folder.state, "sweep.json").read_text())) == [path]
    os.unlink(path)
    sweep(folder, claude, {})
    assert json.loads(Path(folder.state, "sweep.json").read_text()) == {}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"x": 1}', b"\xff"])
def test_broken_marks_are_no_obstacle(claude: str, folder: DataFolder, project: Path, content: bytes) -> None:
    Path(folder.state, "sweep.json").write_bytes(content)
    short_session(str(project)).write(claude)
    assert sweep(folder, claude, {}).archived == [SESSION]


def test_a_session_in_which_nobody_spoke_yet_waits(claude: str, folder: DataFolder, project: Path) -> None:
    script = Script(str(project))
    script.attachment({"type": "hook_additional_context", "content": ["x"]})
    script.write(claude)
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)
    assert _kept(folder) == []
    script.user("Hello")
    script.write(claude)
    assert _opened(sweep(folder, claude, {})) == ([SESSION], 1, 0)


def test_a_transcript_without_a_folder_is_not_archived(claude: str, folder: DataFolder) -> None:
    script = short_session("/p")
    for line in script.lines:
        line.pop("cwd", None)
    script.write(claude)
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)
    assert _kept(folder) == []


def test_ignored_sessions_leave_nothing_also_when_thorough(claude: str, folder: DataFolder, project: Path) -> None:
    path = short_session(str(project)).write(claude)
    os.mkdir(os.path.join(folder.state, "ignored"))
    Path(folder.state, "ignored", SESSION).touch()
    sweep(folder, claude, {})
    sweep(folder, claude, {}, thorough=True)
    assert not archive_session(folder, path, {})
    assert _kept(folder) == []


def test_a_thorough_sweep_makes_missing_logs_and_copies_missing_files(
    claude: str, folder: DataFolder, project: Path
) -> None:
    path = Path(short_session(str(project)).write(claude))
    sweep(folder, claude, {})
    os.unlink(records.record_path(folder, session_logs.log_uuid(SESSION)))
    agent = path.with_suffix("") / "subagents" / "agent-1.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_bytes(b"late")
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([SESSION], 1, 0)
    assert Path(folder.transcripts, SESSION, "subagents", "agent-1.jsonl").read_bytes() == b"late"


def test_a_deleted_log_is_not_made_again_by_a_thorough_sweep(claude: str, folder: DataFolder, project: Path) -> None:
    short_session(str(project)).write(claude)
    sweep(folder, claude, {})
    records.delete(folder, session_logs.log_uuid(SESSION))
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 0, 0)


def _make_old(folder: DataFolder) -> dict[str, Any]:
    """Take from the session's log what the form before had not."""
    log = records.load(folder, session_logs.log_uuid(SESSION))
    del log["turns"]
    records.save(folder, {**log, "content": "as it was"})
    return log


def test_a_thorough_sweep_brings_logs_of_an_older_form_up_to_date_once(
    claude: str, folder: DataFolder, project: Path
) -> None:
    short_session(str(project)).write(claude)
    sweep(folder, claude, {})
    log = _make_old(folder)
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 1, 0)
    assert records.load(folder, session_logs.log_uuid(SESSION))["content"] == log["content"]
    _make_old(folder)
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 0, 0)
    Path(folder.state, "session-logs-form").write_bytes(b"1")
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 1, 0)


def test_logs_of_an_older_form_wait_for_a_sweep_that_comes_to_its_end(
    claude: str, folder: DataFolder, project: Path
) -> None:
    short_session(str(project)).write(claude)
    sweep(folder, claude, {})
    _make_old(folder)
    assert not sweep(folder, claude, {}, thorough=True, deadline=0.0).complete
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 1, 0)


def test_older_logs_without_claudes_original_and_broken_ones_are_left_alone(
    claude: str, folder: DataFolder, project: Path
) -> None:
    path = short_session(str(project)).write(claude)
    broken = short_session(str(project), OTHER_SESSION)
    broken.write(claude)
    sweep(folder, claude, {})
    _make_old(folder)
    os.unlink(path)
    Path(records.record_path(folder, session_logs.log_uuid(OTHER_SESSION))).write_bytes(b"{")
    result = sweep(folder, claude, {}, thorough=True)
    assert (_opened(result), result.skipped) == (([], 0, 0), [])
    assert records.load(folder, session_logs.log_uuid(SESSION))["content"] == "as it was"


def test_this_projects_sessions_come_first_then_the_newest(claude: str, folder: DataFolder, project: Path) -> None:
    folders = [project.parent / "old", project.parent / "new", project]
    for number, cwd in enumerate(folders):
        path = short_session(str(cwd), _session_id(number)).write(claude)
        os.utime(path, (1_700_000_000 + number % 2, 1_700_000_000 + number % 2))
    result = sweep(folder, claude, {}, first=str(project))
    assert result.archived == [_session_id(2), _session_id(1), _session_id(0)]


def test_after_the_deadline_nothing_is_begun(claude: str, folder: DataFolder, project: Path) -> None:
    short_session(str(project)).write(claude)
    result = sweep(folder, claude, {}, deadline=0.0)
    assert (result.archived, result.complete) == ([], False)
    assert sweep(folder, claude, {}).archived == [SESSION]
    assert sweep(folder, claude, {}, deadline=0.0).complete


def test_a_transcript_too_large_for_a_hook_is_left_for_another_sweep(
    claude: str, folder: DataFolder, project: Path
) -> None:
    script = short_session(str(project), OTHER_SESSION)
    script.user("x" * 20_000)
    script.write(claude)
    short_session(str(project)).write(claude)
    result = sweep(folder, claude, {}, largest=20_000)
    assert (result.archived, result.complete) == ([SESSION], False)
    assert sweep(folder, claude, {}).archived == [OTHER_SESSION]


def test_progress_is_told(claude: str, folder: DataFolder, project: Path) -> None:
    for number in range(3):
        short_session(str(project), _session_id(number)).write(claude)
    told: list[tuple[int, int]] = []
    sweep(folder, claude, {}, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_one_transcript_that_fails_does_not_stop_the_others(claude: str, folder: DataFolder, project: Path) -> None:
    bad = short_session(str(project), OTHER_SESSION).write(claude)
    os.mkdir(transcripts.archive_path(folder, OTHER_SESSION))  # cannot be replaced by a file
    short_session(str(project)).write(claude)
    result = sweep(folder, claude, {})
    assert result.archived == [SESSION]
    assert [path for path, _ in result.skipped] == [bad]
    assert "Cannot archive" in result.skipped[0][1]


def test_a_broken_record_in_the_logs_place_is_reported_and_the_archive_made(
    claude: str, folder: DataFolder, project: Path
) -> None:
    path = short_session(str(project)).write(claude)
    Path(records.record_path(folder, session_logs.log_uuid(SESSION))).write_bytes(b"{")
    result = sweep(folder, claude, {})
    assert result.archived == [SESSION]
    assert [skipped for skipped, _ in result.skipped] == [path]


def test_a_session_resumed_from_another_folder_keeps_its_longer_transcript(
    claude: str, folder: DataFolder, project: Path
) -> None:
    script = short_session(str(project))
    script.write(claude)
    script.user("Elsewhere now")
    script.answer("Yes")
    longer = Path(claude) / transcripts.slug(str(project.parent / "worktree")) / f"{SESSION}.jsonl"
    longer.parent.mkdir()
    longer.write_bytes(script.dump())
    assert sweep(folder, claude, {}).archived == [SESSION]
    assert Path(transcripts.archive_path(folder, SESSION)).read_bytes() == longer.read_bytes()
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)


def test_a_longer_archive_is_not_looked_at_again(claude: str, folder: DataFolder, project: Path) -> None:
    script = short_session(str(project))
    script.write(claude)
    sweep(folder, claude, {})
    before = records.load(folder, session_logs.log_uuid(SESSION))
    script.lines = script.lines[:3]
    script.write(claude)
    assert _opened(sweep(folder, claude, {})) == ([], 0, 0)
    assert records.load(folder, session_logs.log_uuid(SESSION)) == before
    assert len(json.loads(Path(folder.state, "sweep.json").read_text())) == 1


def test_one_session_is_archived_for_the_hooks(claude: str, folder: DataFolder, project: Path) -> None:
    path = short_session(str(project)).write(claude)
    settings: dict[str, Any] = {}
    assert archive_session(folder, path, settings)
    assert not archive_session(folder, path, settings)
    assert not archive_session(folder, path + "x", settings)
    assert not archive_session(folder, short_session("/p", OTHER_SESSION).path_in(claude), settings)
    assert _opened(sweep(folder, claude, settings)) == ([], 0, 0)


@pytest.mark.parametrize("longer", [0, 1])
def test_two_machines_that_continued_one_session_do_not_write_it_in_turn(
    folder: DataFolder, project: Path, tmp_path: Path, longer: int
) -> None:
    states = [DataFolder(folder.root), DataFolder(folder.root)]  # two machines, one synced folder, a state of each
    machines = []
    for number, state in enumerate(states):
        script = short_session(str(project))
        script.user(f"Continued on machine {number}")
        if number == longer:
            script.answer("At some length")
        claude = tmp_path / f"claude-{number}"
        claude.mkdir()
        machines.append((claude, script, script.write(str(claude))))
        state.state = str(tmp_path / f"state-{number}")
    for state, (claude, _, _) in zip(states, machines, strict=True):
        assert sweep(state, str(claude), {}).archived == [SESSION]

    def kept() -> dict[str, bytes]:
        roots = Path(folder.transcripts), Path(folder.records)
        return {str(path): path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file()}

    before = kept()
    assert len(before) == 3
    assert Path(transcripts.archive_path(folder, SESSION)).read_bytes() == Path(machines[longer][2]).read_bytes()
    for thorough in (False, True, True):
        for state, (claude, _, _) in zip(states, machines, strict=True):
            assert _opened(sweep(state, str(claude), {}, thorough=thorough)) == ([], 0, 0)
    assert kept() == before
    claude, script, path = machines[1 - longer]
    for words in ("More", "and more", "and longer than the other"):
        script.user(words)
    script.write(str(claude))
    assert _opened(sweep(states[1 - longer], str(claude), {})) == ([SESSION], 1, 0)
    assert len(kept()) == 3
    assert Path(transcripts.archive_path(folder, SESSION)).read_bytes() == Path(path).read_bytes()


def test_a_session_that_a_sync_brought_is_logged_only_where_its_log_is_missing(
    claude: str, folder: DataFolder, project: Path
) -> None:
    script = short_session(str(project))
    path = Path(script.write(claude))
    script.user("Continued elsewhere")
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(script.dump())
    assert _opened(sweep(folder, claude, {})) == ([], 1, 0)
    log = records.load(folder, session_logs.log_uuid(SESSION))
    records.save(folder, {**log, "content": "as the other machine wrote it"})
    os.utime(path)
    assert _opened(sweep(folder, claude, {}, thorough=True)) == ([], 0, 0)
    assert Path(transcripts.archive_path(folder, SESSION)).read_bytes() == script.dump()
