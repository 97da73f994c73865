"""Whatever a hook is given and wherever it runs: exit 0, nothing or valid output, one line in the log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memories.core import mirror, state
from memories.core.paths import DataFolder
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session
from tests.hooks.conftest import EVENTS, Hooks, can_be_refused
from tests.other_user import NOBODY, as_root

SECRET = "a-key-that-no-log-may-hold"


def _held_to_the_contract(hooks: Hooks, event: str, stdin: bytes | None, **env: str) -> str:
    outcome = hooks.raw(event, stdin, env=env)
    assert (outcome.code, outcome.stderr) == (0, "")
    if outcome.stdout and event != "pre_compact":
        assert outcome.json
    return outcome.stdout


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "stdin",
    [b"", None, b"{broken", b"[1, 2]", b"null", b"\x00\xff\xfe" * 1000, b"[" * 200_000],
    ids=["empty", "closed", "broken", "list", "null", "noise", "deep"],
)
def test_input_that_is_no_object_is_logged_and_answered_with_nothing(
    hooks: Hooks, event: str, stdin: bytes | None
) -> None:
    assert _held_to_the_contract(hooks, event, stdin) == ""
    assert hooks.log.count("\n") == 1
    assert f" {event} bad input: not a JSON object " in hooks.log
    assert event in state.heartbeats(hooks.folder)


@pytest.mark.parametrize("event", EVENTS)
def test_fields_of_every_wrong_type_are_survived(hooks: Hooks, event: str) -> None:
    names = "session_id transcript_path cwd source tool_name agent_id seconds_since_last_response".split()
    values: tuple[Any, ...] = (
        None,
        5,
        -1e308,
        True,
        [],
        {"a": 1},
        "",
        "\0",
        "../../etc/passwd",
        "\ud800",
        "x" * 70_000,
    )
    for value in values:
        _held_to_the_contract(hooks, event, json.dumps(dict.fromkeys(names, value)).encode(), CLAUDE_PROJECT_DIR="")
    assert "failed" not in hooks.log
    assert not os.path.exists(os.path.join(hooks.folder.root, "etc"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1", "1e400", "9" * 400])
def test_an_absurd_time_since_the_last_response_is_ignored(hooks: Hooks, number: str) -> None:
    given = json.dumps(hooks.payload(source="resume"))[:-1] + f', "seconds_since_last_response": {number}}}'
    assert "nothing remembered yet" in _held_to_the_contract(hooks, "session_start", given.encode())


@pytest.mark.parametrize("event", EVENTS)
def test_five_megabytes_of_tool_output_are_read(hooks: Hooks, event: str) -> None:
    hooks.run(event, hooks.payload(tool_name="Bash", tool_response={"stdout": "line\n" * 1_000_000}))
    assert hooks.log.count("\n") == 1
    assert "bad input" not in hooks.log


@pytest.mark.parametrize("event", ["unknown_event", "", "SessionStart", "../session_end"])
def test_an_event_that_is_not_ours_does_nothing(hooks: Hooks, event: str) -> None:
    assert _held_to_the_contract(hooks, event, b"{}") == ""
    assert " unknown unknown event " in hooks.log


@pytest.mark.parametrize("event", EVENTS)
def test_a_subagents_event_is_ignored(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    outcome = hooks.run(event, hooks.payload(path, agent_id="a1", agent_type="general-purpose", source="startup"))
    assert outcome.stdout == ""
    assert " subagent " in hooks.log
    assert os.listdir(hooks.folder.transcripts) == []


@pytest.mark.parametrize("event", EVENTS)
def test_the_log_holds_no_content_and_no_environment(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project), request="the users words").write(hooks.projects_dir)
    hooks.run(
        event, hooks.payload(path, source="startup", prompt="the users words", tool_input={"command": "secret-rm"})
    )
    line = hooks.log
    assert line.count("\n") == 1
    assert SESSION in line
    for text in ("users", "secret-rm", SECRET):
        assert text not in line
    assert os.stat(os.path.join(hooks.folder.state, "hooks.log")).st_mode & 0o077 == 0


def test_the_log_is_capped(hooks: Hooks) -> None:
    log = Path(hooks.folder.state, "hooks.log")
    log.write_text("x" * (state.LOG_LIMIT - 1) + "\n", encoding="utf-8")
    hooks.run("session_end")
    hooks.run("session_end")
    assert log.stat().st_size < 500
    assert Path(f"{log}.1").stat().st_size <= state.LOG_LIMIT + 500


@pytest.mark.parametrize("event", EVENTS)
def test_a_missing_data_folder_is_made_private_or_left_out(hooks: Hooks, event: str) -> None:
    shutil.rmtree(hooks.folder.root)
    hooks.run(event)
    if os.path.exists(hooks.folder.root):
        for place in (hooks.folder.root, hooks.folder.state):
            assert os.stat(place).st_mode & 0o077 == 0
    else:
        assert event != "session_start"


@pytest.mark.parametrize("event", EVENTS)
def test_without_a_data_folder_bad_input_makes_none(hooks: Hooks, event: str) -> None:
    shutil.rmtree(hooks.folder.root)
    _held_to_the_contract(hooks, event, b"noise")
    assert not os.path.exists(hooks.folder.root)


@pytest.mark.parametrize("event", EVENTS)
def test_a_file_in_the_data_folders_place_is_left_alone(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    shutil.rmtree(hooks.folder.root)
    Path(hooks.folder.root).write_text("mine", encoding="utf-8")
    outcome = hooks.run(event, hooks.payload(path, source="startup"))
    assert Path(hooks.folder.root).read_text(encoding="utf-8") == "mine"
    if event == "session_start":
        assert outcome.message.startswith("LLM Memory is not working")
        assert "doctor" in outcome.message


@can_be_refused
@pytest.mark.parametrize("event", EVENTS)
def test_a_data_folder_that_refuses_writes_is_survived(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    places = [base for base, _, _ in os.walk(hooks.folder.root)]
    for place in places:
        os.chmod(place, 0o500)
    given = json.dumps(hooks.payload(path, source="startup")).encode()
    outcome = hooks.raw(event, given, bound=True)
    for place in places:
        os.chmod(place, 0o700)
    assert (outcome.code, outcome.stderr, hooks.log) == (0, "", "")
    assert os.listdir(hooks.folder.transcripts) == []
    if event == "session_start":
        assert outcome.message.startswith("LLM Memory")


@pytest.fixture
def tiny_disk(hooks: Hooks) -> Iterator[DataFolder]:
    """The data folder on a file system of 64 KB with 4 KB left."""
    shutil.rmtree(hooks.folder.root)
    os.mkdir(hooks.folder.root)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", hooks.folder.root],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        hooks.folder.create()
        Path(hooks.folder.state, "ballast").write_bytes(b"x" * 60_000)
        yield hooks.folder
    finally:
        subprocess.run(["umount", "-l", hooks.folder.root], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("event", EVENTS)
def test_a_full_disk_is_survived_and_leaves_nothing_half_written(
    hooks: Hooks, tiny_disk: DataFolder, event: str
) -> None:
    script = short_session(str(hooks.project))
    script.answer("words " * 20_000)
    outcome = hooks.run(event, hooks.payload(script.write(hooks.projects_dir), source="startup"))
    left = [name for _, _, names in os.walk(tiny_disk.root) for name in names]
    assert not [name for name in left if ".tmp-" in name]
    assert os.listdir(tiny_disk.transcripts) == []
    if event == "session_start":  # no index can be made here, so it must not say that one is
        assert "is full: nothing is kept until there is room" in outcome.message


@pytest.mark.parametrize("event", EVENTS)
def test_broken_settings_switch_memory_off_and_are_said(hooks: Hooks, event: str) -> None:
    Path(hooks.folder.settings).write_text('{"briefing_chars": ', encoding="utf-8")
    outcome = hooks.run(event)
    assert "failed" not in hooks.log
    if event == "session_start":
        assert "the settings cannot be read (" in outcome.message
        assert f"; correct {hooks.folder.settings}" in outcome.message
        assert outcome.context == ""


@pytest.mark.parametrize("event", EVENTS)
def test_a_mirror_of_noise_is_made_again(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    Path(hooks.folder.mirror).write_bytes(os.urandom(20_000))
    hooks.run(event, hooks.payload(path, source="startup"))
    assert "failed" not in hooks.log
    assert hooks.start(session_id=OTHER_SESSION).context.count("Opening request: Add a retry to the uploader") == 1
    mirror.connect(hooks.folder.mirror).close()


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("ending", [b"", b'{"type":"assistant","mess', b"\xff\xfe\n", b'{"type":"user"'])
def test_a_transcript_that_is_torn_or_missing_is_survived(hooks: Hooks, event: str, ending: bytes) -> None:
    path = Path(short_session(str(hooks.project)).write(hooks.projects_dir))
    whole = path.read_bytes()
    path.write_bytes(whole + ending if ending else b"")
    hooks.run(event, hooks.payload(path, source="compact"))
    hooks.run(event, hooks.payload(path.with_name(f"{SESSION[:-1]}0.jsonl"), source="resume"))
    assert "failed" not in hooks.log


def test_a_reader_that_has_gone_is_no_failure(hooks: Hooks) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(hooks.manage), "hook", "session_start"],
            input=json.dumps(hooks.payload()).encode(),
            stdout=write,
            stderr=subprocess.PIPE,
            env=hooks.env,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("event", EVENTS)
def test_a_relative_data_folder_is_not_made_and_session_start_says_why(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    hooks.env["LLM_MEMORY_HOME"] = "memory"
    outcome = hooks.run(event, hooks.payload(path, source="startup"))
    if event == "session_start":
        assert outcome.message.startswith("LLM Memory is not working: LLM_MEMORY_HOME is memory, which is another")
    else:
        assert outcome.stdout == ""
    assert "memory" not in os.listdir(hooks.project)


@pytest.mark.parametrize("event", EVENTS)
def test_a_folder_that_others_can_change_is_not_touched_and_session_start_says_why(hooks: Hooks, event: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    os.chmod(hooks.folder.root, 0o777)  # noqa: S103
    before = {place: sorted(names) for place, _, names in os.walk(hooks.folder.root)}
    outcome = hooks.run(event, hooks.payload(path, source="startup"))
    assert {place: sorted(names) for place, _, names in os.walk(hooks.folder.root)} == before
    if event == "session_start":
        assert outcome.context == ""
        assert outcome.message.startswith(f"LLM Memory is not working: {hooks.folder.root} can be written by other")
        assert f"run chmod 700 {hooks.folder.root}" in outcome.message
    else:
        assert outcome.stdout == ""
    os.chmod(hooks.folder.root, 0o700)
    hooks.run(event, hooks.payload(path, source="startup"))
    assert f" {event} " in hooks.log


@as_root
def test_root_leaves_the_folder_of_a_user_alone(hooks: Hooks) -> None:
    os.chown(hooks.folder.root, NOBODY, 0)
    assert "sudo -u nobody" in hooks.start().message
    assert os.listdir(hooks.folder.state) == []
