"""What must not be remembered is not: not read, not archived, not logged, not injected, now or later."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from memories.core import sync
from memories.core.settings import read_settings
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session
from tests.hooks.conftest import EVENTS, Hooks

SWITCHES = ("LLM_MEMORY_DISABLE", "LLM_MEMORY_GUARD")


def _sync(hooks: Hooks) -> None:
    sync.run(hooks.folder, str(hooks.projects_dir), read_settings(hooks.folder)[0], wait_seconds=5)


def _kept(hooks: Hooks) -> list[str]:
    return os.listdir(hooks.folder.transcripts) + os.listdir(hooks.folder.records)


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("event", EVENTS)
def test_a_switched_off_session_is_not_kept_now_nor_by_a_later_sweep(hooks: Hooks, event: str, switch: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    assert hooks.run(event, hooks.payload(path, source="startup"), **{switch: "1"}).stdout == ""
    assert SESSION not in hooks.log
    assert " disabled " in hooks.log
    hooks.start(session_id=OTHER_SESSION)
    _sync(hooks)
    assert _kept(hooks) == []


@pytest.mark.parametrize("value", ["", "0"])
def test_a_switch_that_says_no_switches_nothing_off(hooks: Hooks, value: str) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    hooks.run("session_end", hooks.payload(path), LLM_MEMORY_DISABLE=value)
    assert os.listdir(hooks.folder.transcripts) == [f"{SESSION}.jsonl"]


def _by_marker(hooks: Hooks) -> None:
    hooks.disable_project()


def _by_setting(hooks: Hooks) -> None:
    hooks.write_settings(excluded_paths=["*/orders-api"])


def _by_broken_marker(hooks: Hooks) -> None:
    (hooks.project / ".llm-memory.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize("exclude", [_by_marker, _by_setting, _by_broken_marker])
@pytest.mark.parametrize("event", EVENTS)
def test_of_an_excluded_project_no_hook_opens_the_transcript(hooks: Hooks, event: str, exclude: object) -> None:
    assert callable(exclude)
    exclude(hooks)
    hooks.start()  # what notes for post_tool_use that this session is none of ours
    path = Path(short_session(str(hooks.project)).write(hooks.projects_dir))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    before = path.stat().st_atime_ns
    outcome = hooks.run(event, hooks.payload(path, source="compact", tool_name="Bash"))
    assert path.stat().st_atime_ns == before
    assert _kept(hooks) == []
    assert SESSION not in hooks.log
    assert hooks.log.count(" disabled ") == 2
    assert outcome.stdout == "" if event != "session_start" else outcome.context == ""


def test_the_user_is_told_why_memory_is_off(hooks: Hooks) -> None:
    hooks.disable_project()
    message = hooks.start().message
    assert message.startswith("LLM Memory is off in this project: ")
    assert '"enabled": false' in message


def test_an_excluded_projects_sessions_are_not_swept(hooks: Hooks) -> None:
    hooks.disable_project()
    short_session(str(hooks.project)).write(hooks.projects_dir)
    other = hooks.project.parent / "other"
    other.mkdir()
    hooks.start(session_id=OTHER_SESSION)
    hooks.run("session_start", hooks.payload(session_id=OTHER_SESSION), CLAUDE_PROJECT_DIR=str(other))
    _sync(hooks)
    assert _kept(hooks) == []


def test_a_marker_that_is_removed_takes_effect_at_the_next_start(hooks: Hooks) -> None:
    hooks.disable_project()
    hooks.start()
    (hooks.project / ".llm-memory.json").unlink()
    hooks.start("resume")
    hooks.write_settings(checkpoint_tokens=10)
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    assert hooks.run("post_tool_use", hooks.payload(path, tool_name="Bash")).context != ""


def test_the_reminder_is_not_given_where_the_project_was_switched_off_in_mid_session(hooks: Hooks) -> None:
    hooks.start()
    hooks.write_settings(checkpoint_tokens=10)
    hooks.disable_project()
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    assert hooks.run("post_tool_use", hooks.payload(path, tool_name="Bash")).stdout == ""


def test_nothing_of_another_excluded_project_reaches_the_log(hooks: Hooks) -> None:
    hooks.disable_project()
    hooks.run("session_end", hooks.payload("/elsewhere/secret-client.jsonl"))
    assert "secret-client" not in hooks.log
    assert json.dumps(hooks.payload())[1:-1] not in hooks.log
