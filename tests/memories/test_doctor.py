"""Doctor: each check made to fail for real, and what it then tells the user to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hooks import claude_settings, server_entry
from hooks.machine import Machine, Report
from memories import doctor, doctor_index, findings
from memories.core import clock, mirror, records, session_logs, state
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import short_session
from tests.memories import disagreements
from tests.memories.conversations import archive, archive_subagent, index, session_id, talk

pytestmark = pytest.mark.usefixtures("round_trips")

MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"


WRITING = {"index", "conversations", "round trip"}
"""Checks that find more where they may write; without the others' round trip these tests take a third of the time."""


def _found(folder: DataFolder, name: str) -> findings.Check:
    """The worst check of that name."""
    order = {"fail": 0, "warn": 1, "note": 2, "ok": 3}
    checks = doctor.run(folder, read_only=name not in WRITING)
    return min((check for check in checks if check.name == name), key=lambda check: order[check.status])


@pytest.fixture
def installed(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code's folder with an installation of ours in it, as doctor looks at it."""
    claude = tmp_path / "claude"
    claude.mkdir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    python = Path(claude_settings.python_path(folder.lib))
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    Path(folder.lib, "install.json").write_text("{}", encoding="utf-8")
    hooks = {
        event: [{"hooks": [claude_settings.hook_entry(event, folder.lib)]}] for event in claude_settings.HOOK_EVENTS
    }
    _write(claude / "settings.json", {"hooks": hooks})
    machine = Machine(Report(dry_run=True))
    _write(Path(machine.server_file), {"mcpServers": {"llm_memory": server_entry.wanted(machine)}})
    mirror.update(folder)
    return claude


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def test_a_sound_installation_has_no_failure(installed: Path, folder: DataFolder) -> None:
    assert [check for check in doctor.run(folder) if check.status == "fail"] == []
    for name in ("data folder", "settings", "index", "records", "round trip", "hooks", "MCP server", "Python"):
        assert _found(folder, name).status == "ok", name


def test_whatever_is_not_well_says_what_to_do(tmp_path: Path) -> None:
    for check in doctor.run(DataFolder(str(tmp_path / "nowhere"))):
        assert check.todo or check.status == "ok"


def test_a_missing_data_folder(tmp_path: Path) -> None:
    check = _found(DataFolder(str(tmp_path / "nowhere")), "data folder")
    assert (check.status, "not set up" in check.text, "install.sh" in check.todo) == ("fail", True, True)


def test_a_file_in_the_data_folders_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    folder = DataFolder(str(tmp_path / "file"))
    assert "is no folder" in _found(folder, "data folder").text
    assert _found(folder, "settings").status == "ok"


def test_a_data_folder_that_others_can_read(folder: DataFolder) -> None:
    os.chmod(folder.root, 0o750)  # noqa: S103
    check = _found(folder, "data folder")
    assert (check.status, check.todo) == ("warn", f"run chmod 700 {folder.root}")


def test_bad_settings(folder: DataFolder) -> None:
    Path(folder.settings).write_text('{"checkpoint_tokens": 0, "colour": "red"}', encoding="utf-8")
    problems = [check.text for check in doctor.run(folder) if (check.name, check.status) == ("settings", "fail")]
    assert problems == [
        "checkpoint_tokens must be a whole number, 1 or more",
        "unknown setting 'colour'; remove it or see docs/configuration.md",
    ]


@pytest.mark.parametrize("text", ['{"redact_patterns": ["(x"]}', "{oops", "[]", '"x"', '{"excluded_paths": 5}'])
def test_a_setting_that_switches_memory_off_is_said_to_do_so(folder: DataFolder, text: str) -> None:
    Path(folder.settings).write_text(text, encoding="utf-8")
    check = _found(folder, "settings")
    assert (check.status, check.todo) == ("fail", f"correct {folder.settings}")
    assert check.text.startswith("memory is off: ")


def test_a_folder_in_the_index_s_place_is_to_be_moved_away(folder: DataFolder) -> None:
    os.mkdir(folder.mirror, 0o755)
    check = _found(folder, "index")
    assert (check.status, check.text) == ("fail", f"{folder.mirror} is no file")
    assert check.todo == "move it away, then run `llm-memory sync`"


def test_memory_switched_off_in_this_shell(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MEMORY_DISABLE", "1")
    assert "LLM_MEMORY_DISABLE is set" in _found(folder, "settings").text


def test_a_missing_index(folder: DataFolder) -> None:
    check = _found(folder, "index")
    assert (check.status, check.text, check.todo) == (
        "fail", f"{folder.mirror} is missing", "run `llm-memory sync`",
    )  # fmt: skip


def test_an_index_of_noise(folder: DataFolder) -> None:
    Path(folder.mirror).write_bytes(os.urandom(9000))
    assert "is damaged" in _found(folder, "index").text


def test_an_index_whose_text_search_disagrees_with_its_rows(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("Deploys go out on Tuesdays")
    mirror.update(folder)
    connection = mirror.connect(folder.mirror)
    connection.execute("DROP TRIGGER memory_fts_update")
    connection.execute("UPDATE memory SET content = 'quite something else'")
    connection.close()
    check = _found(folder, "index")
    assert (check.status, check.todo) == ("fail", "run `llm-memory rebuild_index`")


def test_a_record_that_cannot_be_read_and_a_file_that_is_none(folder: DataFolder) -> None:
    Path(folder.records, "1" * 32 + ".json").write_text("{", encoding="utf-8")
    mirror.update(folder)
    check = _found(folder, "records")
    assert (check.status, "1" * 32 in check.text) == ("fail", True)
    Path(folder.records, "1" * 32 + ".json").rename(Path(folder.records, "readme.txt"))
    mirror.update(folder)
    assert _found(folder, "records").status == "warn"


def test_copies_of_a_file_sync_wait_for_the_next_sync(folder: DataFolder) -> None:
    uuid = disagreements.edited_twice(folder, "one", "two")
    session = disagreements.continued_twice(folder)
    agents = Path(folder.transcripts, session, "subagents")
    agents.mkdir(parents=True)
    (agents / f"agent-a1{disagreements.MARK}.jsonl").write_bytes(b"{}\n")
    mirror.update(folder)
    check = _found(folder, "conflict copies")
    assert (check.status, check.todo) == ("warn", "run `llm-memory sync`")
    assert check.text == (
        f"3 waiting to be merged: records/{uuid}{disagreements.MARK}.json; "
        f"transcripts/{session}{disagreements.MARK}.jsonl; of transcripts/{session}/subagents/agent-a1.jsonl"
    )
    assert _found(folder, "records").status == "ok"
    disagreements.merge(folder)
    assert "conflict copies" not in {one.name for one in doctor.run(folder)}


def test_a_copy_that_cannot_be_merged_is_named_with_the_reason(folder: DataFolder) -> None:
    Path(folder.records, "ab" * 16 + f"{disagreements.MARK}.json").write_bytes(b"{ half")
    mirror.update(folder)
    check = _found(folder, "conflict copies")
    assert check.status == "warn"
    assert "1 cannot be merged" in check.text
    assert "not JSON" in check.text
    assert "repair" in check.todo


def test_a_deleted_record_that_a_sync_brought_back_is_no_trouble(folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record("gone")["uuid"]
    path = Path(records.record_path(folder, uuid))
    data = path.read_bytes()
    records.delete(folder, uuid)
    path.write_bytes(data)
    mirror.update(folder)
    assert _found(folder, "records").status == "ok"


def test_conversations_that_are_all_indexed(folder: DataFolder) -> None:
    archive(folder, talk("the needle", "is here"), talk("another", number=2))
    archive_subagent(folder, talk("look for it"), "a1")
    check = _found(folder, "conversations")
    assert (check.status, check.text) == ("ok", "4 turns of 3 transcripts, text index consistent")


def test_conversations_that_grew_came_or_went_since(folder: DataFolder) -> None:
    script = talk("the needle")
    archive(folder, script, talk("another", number=2))
    script.answer("is here")
    Path(folder.transcripts, f"{session_id(1)}.jsonl").write_bytes(script.dump())
    Path(folder.transcripts, f"{session_id(2)}.jsonl").rename(Path(folder.transcripts, f"{session_id(3)}.jsonl"))
    for number in (1, 3):
        os.utime(Path(folder.transcripts, f"{session_id(number)}.jsonl"), (0, doctor_index.WAITING_SECONDS))
    check = _found(folder, "conversations")
    assert (check.status, check.todo) == ("warn", "run `llm-memory sync`")
    assert check.text == (
        f"3 not up to date: {session_id(1)}.jsonl (grew or changed); {session_id(3)}.jsonl (not read yet); "
        f"{session_id(2)}.jsonl (no longer in the archive)"
    )
    index(folder)
    assert _found(folder, "conversations").status == "ok"


def test_a_session_that_has_just_ended_waits_for_the_next_search(folder: DataFolder) -> None:
    archive(folder, talk("the needle"))
    Path(folder.transcripts, f"{session_id(2)}.jsonl").write_bytes(talk("another", number=2).dump())
    check = _found(folder, "conversations")
    assert (check.status, check.todo) == ("ok", "")
    assert check.text.endswith("; 1 new, read at the next search")


def test_a_transcript_that_cannot_be_read(folder: DataFolder) -> None:
    Path(folder.transcripts, f"{session_id(1)}.jsonl").mkdir()
    archive(folder, talk("the needle", number=2))
    check = _found(folder, "conversations")
    assert (check.status, check.todo) == ("warn", "repair or move these files")
    assert f"1 cannot be read: {session_id(1)}.jsonl (" in check.text


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM turn", "UPDATE turn_fts_data SET block = randomblob(64) WHERE id > 10", "DROP TABLE turn_fts"],
)
def test_an_index_of_conversations_that_is_damaged(folder: DataFolder, statement: str) -> None:
    archive(folder, talk("the needle", "is here"))
    connection = mirror.connect(folder.mirror)
    connection.execute(statement)
    connection.close()
    check = _found(folder, "conversations")
    assert (check.status, check.todo) == ("fail", "run `llm-memory rebuild_index`")
    assert check.text.startswith("damaged: ")


def test_an_index_of_another_version_is_said_once(folder: DataFolder) -> None:
    assert [check.name for check in doctor.run(folder) if check.status == "fail"] == ["index"]


def _no_settings(claude: Path, folder: DataFolder) -> None:
    (claude / "settings.json").unlink()


def _broken_settings(claude: Path, folder: DataFolder) -> None:
    (claude / "settings.json").write_text("{", encoding="utf-8")


def _no_hooks(claude: Path, folder: DataFolder) -> None:
    _write(
        claude / "settings.json", {"hooks": {"SessionStart": None, "SessionEnd": [{"hooks": 5}, 3], "PreCompact": {}}}
    )


def _hooks_of_another_place(claude: Path, folder: DataFolder) -> None:
    entry = claude_settings.hook_entry("SessionStart", "/elsewhere/lib")
    _write(claude / "settings.json", {"hooks": {"SessionStart": [{"hooks": [entry]}]}})


@pytest.mark.parametrize("break_it", [_no_settings, _broken_settings, _no_hooks, _hooks_of_another_place])
def test_hooks_that_are_not_registered(
    installed: Path, folder: DataFolder, break_it: Callable[[Path, DataFolder], None]
) -> None:
    break_it(installed, folder)
    check = _found(folder, "hooks")
    assert (check.status, "install.sh" in check.todo) == ("fail", True)


def test_an_mcp_server_that_is_not_registered(installed: Path, folder: DataFolder) -> None:
    server_file = Path(Machine(Report(dry_run=True)).server_file)
    broken: tuple[Any, ...] = ({}, {"llm_memory": 5}, [])
    for servers in broken:
        _write(server_file, {"mcpServers": servers})
        check = _found(folder, "MCP server")
        assert (check.status, "claude mcp add-json llm_memory" in check.todo) == ("fail", True)
    _write(server_file, {"mcpServers": {"llm_memory": {"command": "/elsewhere/python", "args": []}}})
    assert "another installation" in _found(folder, "MCP server").text


def test_an_interpreter_that_is_gone(installed: Path, folder: DataFolder) -> None:
    os.unlink(claude_settings.python_path(folder.lib))
    assert _found(folder, "install").text == "the installed interpreter is gone"


def test_a_file_of_claudes_that_cannot_be_read_stops_no_other_check(installed: Path, folder: DataFolder) -> None:
    rules = Path(Machine(Report(dry_run=True)).claude_md.path)
    rules.mkdir()
    assert _found(folder, "claude code").status == "fail"
    assert _found(folder, "Python").status == "ok"


def test_hooks_that_have_stopped_running(installed: Path, folder: DataFolder) -> None:
    state.beat(folder, "session_start")
    assert _found(folder, "capture").text == "SessionStart last ran just now"
    past = time.time() - 3 * 86_400
    os.utime(os.path.join(folder.state, "heartbeat", "session_start"), (past, past))
    short_session("/srv/shop").write(installed / "projects")
    check = _found(folder, "capture")
    assert (check.status, check.text) == ("fail", "SessionStart last ran 3 days ago, but sessions have run since")
    assert "1 not archived yet" in _found(folder, "transcripts").text


def test_failures_in_the_hook_log_are_shown(folder: DataFolder) -> None:
    state.log_hook(folder, "session_end", "archived", 0.1, None)
    assert not [check for check in doctor.run(folder) if check.name == "hook log"]
    state.log_hook(folder, "session_end", "not archived: Cannot read it", 0.1, None)
    check = _found(folder, "hook log")
    assert check.status == "warn"
    assert check.text.startswith("1 recent failure: session_end not archived: Cannot read it (20")


def test_failures_in_the_hook_log_are_grouped_by_their_cause(folder: DataFolder) -> None:
    for number in range(3):
        state.log_hook(
            folder, "session_end", f"not archived: Cannot read {session_id(number)}", 0.1, session_id(number)
        )
    state.log_hook(folder, "post_tool_use", "failed: TypeError: x", 0.1, None)
    text = _found(folder, "hook log").text
    assert text.startswith(
        f"4 recent failures: session_end not archived: Cannot read {session_id(2)} (3 times, last 20"
    )
    assert "; post_tool_use failed: TypeError: x (20" in text


def test_no_hook_has_ever_run_though_a_session_has(installed: Path, folder: DataFolder) -> None:
    check = _found(folder, "capture")
    assert (check.status, check.text) == ("note", "no hook has run yet")
    before = time.time() - 3 * 86_400
    os.utime(os.path.join(folder.lib, "install.json"), (before, before))
    short_session("/srv/shop").write(installed / "projects")
    check = _found(folder, "capture")
    assert (check.status, check.text) == ("fail", "no hook has ever run, but a session has, just now")


def test_a_session_without_a_hook_is_worth_a_look_and_one_from_before_the_installation_is_not(
    installed: Path, folder: DataFolder
) -> None:
    path = short_session("/srv/shop").write(installed / "projects")
    made = os.stat(os.path.join(folder.lib, "install.json")).st_mtime
    os.utime(path, (made - 60, made - 60))
    assert _found(folder, "capture").status == "note"
    os.utime(path, (made + 60, made + 60))
    check = _found(folder, "capture")
    assert (check.status, check.text) == ("warn", "no hook has run yet")


def test_a_narrative_that_is_behind_is_told_and_is_no_fault(folder: DataFolder, make_record: MakeRecord) -> None:
    mirror.update(folder)
    assert _found(folder, "narratives").text == "no narrative is behind"
    for number in range(3):
        session = session_id(number)
        Path(folder.transcripts, f"{session}.jsonl").write_bytes(b"{}\n")
        make_record(
            "log", type="session_log", uuid=session_logs.log_uuid(session), session_id=session, project="or\nders",
            turns=4, created_at=clock.format_time(time.time() - (13 - number) * 86_400 - 60),
        )  # fmt: skip
    mirror.update(folder)
    check = _found(folder, "narratives")
    assert (
        check.text
        == "to be brought up to date: or ders (no narrative yet; 3 sessions, 12 turns, the oldest 13 days ago)"
    )
    assert (check.status, "update the project memory" in check.todo) == ("ok", True)


def test_a_project_that_has_no_narrative_yet_is_counted(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("log", type="session_log", session_id=session_id(1), project="orders", turns=4)
    mirror.update(folder)
    assert _found(folder, "narratives").text == "no narrative is behind; 1 project has none yet"
    make_record("log", type="session_log", session_id=session_id(2), project="shop", turns=4)
    mirror.update(folder)
    assert _found(folder, "narratives").text == "no narrative is behind; 2 projects have none yet"


@pytest.mark.parametrize("sound", [True, False])
def test_the_exit_code_and_the_json_say_the_same(folder: DataFolder, tmp_path: Path, sound: bool) -> None:
    if sound:
        mirror.update(folder)
    env = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "LLM_MEMORY_HOME": folder.root}
    command = [sys.executable, "-I", str(MANAGE), "doctor"]
    done = subprocess.run([*command, "--json"], capture_output=True, check=False, env=env)
    answer = json.loads(done.stdout)
    assert (answer["ok"], done.returncode, done.stderr) == (sound, 0 if sound else 1, b"")
    assert {"name", "status", "text", "todo"} == set(answer["checks"][0])
    lines = subprocess.run(command, capture_output=True, text=True, check=False, env=env).stdout.splitlines()
    assert len(lines) == len(answer["checks"])
    assert all(line[:4].strip() in {"ok", "note", "warn", "fail"} for line in lines)
