"""`llm-memory brief` and what it is made of: exactly what a session would get, and how long it is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from memories import brief
from memories.core import budget, mirror, projects, records, state
from memories.core.errors import ProjectError
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from memories.services import Session
from tests.conftest import MakeRecord
from tests.core.transcript_lines import OTHER_SESSION, SESSION, short_session
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


def _hook(cli: Cli, source: str, session_id: str, transcript: str = "") -> str:
    """What Claude Code would get from the hook."""
    given = {"session_id": session_id, "transcript_path": transcript, "cwd": str(cli.project), "source": source}
    done = subprocess.run(
        cli.command("hook", "session_start"), input=json.dumps(given).encode(), capture_output=True, check=True,
        env={**cli.env, "CLAUDE_PROJECT_DIR": str(cli.project)},
    )  # fmt: skip
    return str(json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"])


def test_it_prints_exactly_what_the_next_session_gets_and_its_size(cli: Cli, make_record: MakeRecord) -> None:
    make_record("Deploys go out on Tuesdays", project="orders-api")
    short_session(str(cli.project), OTHER_SESSION).write(cli.claude / "projects")
    cli.run("sync")
    said = cli.run("brief")
    text, _, size = said.rstrip().rpartition("\n\n")
    assert text == _hook(cli, "startup", SESSION)
    count = f"{budget.units(text):,} characters (at most 6,000), about {budget.tokens(text):,} tokens"
    assert size == f"(What a session of orders-api gets at startup: {count})"


def test_it_uses_no_handoff_up(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> None:
    left = make_record("Go on with the backfill", project="orders-api", tags="handoff", session_id=SESSION)
    for _ in range(2):
        assert "## Handoff from an earlier session" in cli.run("brief")
    assert records.load(folder, left["uuid"])["tags"] == "handoff"


def test_as_json_it_gives_text_and_size(cli: Cli, make_record: MakeRecord) -> None:
    make_record("a note", project="billing")
    found = json.loads(cli.run("brief", "--project", "Billing", "--json"))
    assert set(found) == {"text", "units", "tokens", "limit", "source", "project"}
    assert (found["project"], found["source"], found["limit"]) == ("billing", "startup", 6000)
    assert found["units"] == budget.units(found["text"])
    assert "> a note" in found["text"]


def test_after_a_compaction_it_is_the_named_session_or_the_last_one_that_goes_on(cli: Cli) -> None:
    for session_id, request in ((OTHER_SESSION, "the other request"), (SESSION, "the named request")):
        script = short_session(str(cli.project), session_id, request)
        script.start = "2026-03-15T09:00" if session_id == OTHER_SESSION else script.start
        for line in script.lines:
            if "timestamp" in line:
                line["timestamp"] = line["timestamp"].replace("2026-03-14", script.start[:10])
        path = script.write(cli.claude / "projects")
    cli.run("sync")
    said = cli.run("brief", "--source", "compact", "--session", SESSION[:36])
    assert "word for word\n> the named request" in said
    assert said.rpartition("\n\n(")[0] == _hook(cli, "compact", SESSION, path)
    assert "word for word\n> the other request" in cli.run("brief", "--source", "compact")


def test_outside_any_project_one_must_be_named(cli: Cli, make_record: MakeRecord) -> None:
    cli.project = Path(cli.env["HOME"])
    assert "pass --project" in cli.run("brief", code=1)
    make_record("a note", project="billing")
    assert "> a note" in cli.run("brief", "--project", "billing")


def test_a_session_that_is_not_archived_is_said_to_be_none(cli: Cli) -> None:
    assert "No session" in cli.run("brief", "--source", "compact", "--session", "abcdef", code=1)


def test_where_memory_is_switched_off_sessions_get_nothing(folder: DataFolder, tmp_path: Path) -> None:
    mirror.update(folder)
    (tmp_path / ".llm-memory.json").write_text('{"enabled": false}', encoding="utf-8")
    session = Session(projects.identify(str(tmp_path), dict(DEFAULTS)), None)
    with pytest.raises(ProjectError, match="switched off"):
        brief.brief(folder, session)
    with pytest.raises(ProjectError, match="pass project"):
        brief.brief(folder, Session(None, None))


def test_a_running_session_is_read_where_claude_code_writes_it(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    project = tmp_path / "orders-api"
    project.mkdir()
    short_session(str(project), SESSION, "still being worked on").write(tmp_path / "claude" / "projects")
    mirror.update(folder)
    session = Session(projects.identify(str(project), dict(DEFAULTS)), SESSION)
    assert "> still being worked on" in brief.brief(folder, session, source="compact")["text"]
    assert "nothing about orders-api" in brief.brief(folder, session)["text"]
    state.note_client(folder, os.getpid(), SESSION)
    assert "nothing new about" in brief.brief(folder, session, source="resume")["text"]
