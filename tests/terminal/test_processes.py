"""The management commands as a user runs them: whole processes, on a terminal and off it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from memories.core import records
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, short_session
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


def test_sync_archives_logs_and_indexes_and_says_so(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("Deploys go out on Tuesdays")
    short_session(str(cli.project)).write(cli.claude / "projects")
    said = cli.run("sync")
    assert "Transcripts: 1 archived, 1 session log written" in said
    assert "Index: 2 records (rebuilt); 2 added, 0 read again, 0 removed; 0 skipped\n" in said
    assert "Conversations: 3 turns; 3 added\n" in said
    assert os.listdir(folder.transcripts) == [f"{SESSION}.jsonl"]


def test_sync_names_what_it_cannot_read_and_succeeds(cli: Cli, folder: DataFolder) -> None:
    Path(folder.records, "1" * 32 + ".json").write_text("{", encoding="utf-8")
    Path(folder.records, "2" * 32 + ".json").mkdir()
    said = cli.run("sync")
    assert f"skipped: {'1' * 32}.json: not JSON" in said
    assert f"skipped: {'2' * 32}.json: a folder" in said


def test_sync_leaves_transcripts_alone_where_memory_is_switched_off(cli: Cli, folder: DataFolder) -> None:
    short_session(str(cli.project)).write(cli.claude / "projects")
    assert "left alone" in cli.run("sync", LLM_MEMORY_DISABLE="1")
    assert os.listdir(folder.transcripts) == []


def test_a_detached_sync_says_nothing_and_gives_way_to_another(cli: Cli, folder: DataFolder) -> None:
    assert cli.run("sync", "--detached") == ""
    os.unlink(folder.mirror)
    with FileLock(os.path.join(folder.state, "sync.lock")):
        assert cli.run("sync", "--detached") == ""
    assert not os.path.exists(folder.mirror)


def test_a_bad_setting_is_named_by_sync(cli: Cli, folder: DataFolder) -> None:
    Path(folder.settings).write_text('{"briefing_chars": "many"}', encoding="utf-8")
    assert "setting ignored: briefing_chars must be a whole number, 1 or more" in cli.run("sync")


def test_a_sync_says_first_that_a_setting_switched_memory_off(cli: Cli, folder: DataFolder, tmp_path: Path) -> None:
    short_session("/x").write(tmp_path / "claude" / "projects")
    Path(folder.settings).write_text('{"redact_patterns": ["(x"], "colour": 1}', encoding="utf-8")
    said = cli.run("sync")
    assert said.startswith("memory is off: redact_patterns: '(x' is no regular expression")
    assert f"; correct {folder.settings}\n" in said
    assert "Transcripts: 0 archived, 0 session logs written, 1 left alone\n" in said
    assert "setting ignored: unknown setting 'colour'" in said
    assert "excluded projects" not in said
    assert said.count("memory is off") == 1


def test_a_search_without_a_hit_names_what_a_person_can_run(cli: Cli) -> None:
    assert "`llm-memory recent` lists the newest memories" in cli.run("search", "zebra")


def test_rebuild_index_shows_a_progress_bar_on_a_terminal_only(
    cli: Cli, folder: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(3):
        make_record(f"note {number}")
    shown = cli.on_a_terminal("rebuild_index")
    assert re.search(r"records: +\d+%\|", shown)
    assert "Index rebuilt: 3 records" in shown
    said = cli.run("rebuild_index")
    assert said.startswith("Index rebuilt: 3 records in ")
    assert "%" not in said


def test_restore_brings_a_deleted_memory_back(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record("Deploys go out on Tuesdays")["uuid"]
    records.delete(folder, uuid)
    cli.run("sync")
    assert "Nothing matches" in cli.run("search", "deploys")
    assert cli.run("restore", uuid) == f"Restored {uuid}\n"
    assert uuid in cli.run("search", "deploys")


@pytest.mark.parametrize("uuid", ["abc", "0" * 32, "../" * 5])
def test_restoring_what_is_not_there_is_one_line(cli: Cli, uuid: str) -> None:
    said = cli.run("restore", uuid, code=1)
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


def test_search_builds_a_missing_index_first(cli: Cli, make_record: MakeRecord) -> None:
    uuid = make_record("Deploys go out on Tuesdays", project="orders-api")["uuid"]
    assert uuid in cli.run("search", "when", "do", "we", "deploy?")


def test_search_keeps_to_the_project_type_and_limit(cli: Cli, make_record: MakeRecord) -> None:
    for number in range(4):
        make_record(f"deploy note {number}", project="orders-api")
    make_record("deploy elsewhere", project="shop")
    make_record("deploy log", type="session_log", project="orders-api")
    answer = json.loads(cli.run("search", "deploy", "--project", "orders-api", "--type", "note", "--json"))
    assert {hit["content"] for hit in answer["results"]} == {f"deploy note {number}" for number in range(4)}
    assert len(json.loads(cli.run("search", "deploy", "--limit", "2", "--json"))["results"]) == 2


@pytest.mark.parametrize("query", ["c++ (", "it's \"", "AND OR NOT", "--", "*", "漢字", "a" * 5000])
def test_any_text_is_a_query(cli: Cli, query: str) -> None:
    cli.run("search", "--json", "--", query)


def test_matches_are_highlighted_on_a_terminal_only(cli: Cli, make_record: MakeRecord) -> None:
    make_record("Deploys go out on Tuesdays")
    assert "\x1b[1mDeploys\x1b[0m" in cli.on_a_terminal("search", "deploys")
    said = cli.run("search", "deploys")
    assert "Deploys go out" in said
    assert not {"\x1b", "\x02", "\x03"} & set(said)


@pytest.mark.parametrize("arguments", [("sync",), ("search", "x"), ("rebuild_index",), ("restore", "0" * 32)])
def test_a_data_folder_that_cannot_be_made_is_one_line(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    said = cli.run(*arguments, code=1, LLM_MEMORY_HOME=str(tmp_path / "file"))
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert str(tmp_path / "file") in said


def test_an_unknown_command_is_said_with_what_was_meant(cli: Cli) -> None:
    assert "Did you mean sync?" in cli.run("synk", code=2)


def test_every_command_has_help(cli: Cli) -> None:
    for name in ("sync", "rebuild_index", "restore", "search", "doctor"):
        assert "usage: manage.py" in cli.run("help", name)
    assert "session_start" in cli.run("help", "hook")


def test_ctrl_c_ends_a_waiting_command_without_a_traceback(cli: Cli, folder: DataFolder) -> None:
    lock = os.path.join(folder.state, "sync.lock")
    with FileLock(lock):
        process = subprocess.Popen(
            cli.command("sync"), stderr=subprocess.PIPE, env=cli.env, preexec_fn=_heed_ctrl_c  # noqa: PLW1509
        )  # fmt: skip
        while process.poll() is None and lock not in _open_files(process.pid):
            pass
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, b"")


def _heed_ctrl_c() -> None:
    """A background job of a shell, as which these tests may run, has SIGINT ignored from birth."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _open_files(pid: int) -> set[str]:
    try:
        return {os.path.realpath(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    except FileNotFoundError:
        return set()


def test_a_closed_pipe_ends_a_command_in_silence(cli: Cli, make_record: MakeRecord) -> None:
    for number in range(40):
        make_record(f"deploy note {number} " + "word " * 1000)
    cli.run("sync")
    process = subprocess.Popen(
        cli.command("search", "deploy", "--limit", "100", "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli.env,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), said) == (0, b"")
