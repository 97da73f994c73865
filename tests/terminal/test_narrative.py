"""`llm-memory narrative` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memories.core import session_logs
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.memories.narrative_versions import write_version
from tests.terminal.cli import Cli

OLD = "# orders-api\n\n## Gotchas\n- The clock is UTC\n- Ports above 9000 only"
NEW = "# orders-api\n\n## Gotchas\n- The clock is UTC\n- Redis is not backed up"


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


@pytest.fixture
def written(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> Cli:
    """Two versions of the narrative of the folder's project, and a session that neither covers."""
    own: dict[str, Any] = {"project": "orders-api", "project_id": f"path:{cli.project.resolve()}"}
    write_version(folder, OLD, 1, uuid="a" * 32, status="archived", **own)
    accepted = ["Ports above 9000 only"]
    machine = "laptop\x1b[2J"
    write_version(folder, NEW, 2, after=("a" * 32,), uuid="b" * 32, accepted_losses=accepted, origin=machine, **own)
    uuid = session_logs.log_uuid("s1")
    make_record("log", type="session_log", session_id="s1", uuid=uuid, turns=7, created_at="2026-03-09T10:00:00", **own)
    Path(folder.transcripts, "s1.jsonl").write_bytes(b"{}\n")
    return cli


def test_without_arguments_it_shows_the_folders_narrative_with_how_far_it_goes(written: Cli) -> None:
    said = written.run("narrative").splitlines()
    assert said[0] == f"orders-api · {'b' * 32} · about {-(-len(NEW) // 4)} tokens"
    assert said[1].endswith("lacks 1 of 1 session: 7 turns since 2026-03-09.")
    assert said[3:] == NEW.splitlines()
    assert written.run("narrative", "Orders_API").splitlines() == said


def test_versions_are_listed_with_their_size_sessions_machine_and_accepted_losses(written: Cli) -> None:
    new, old = written.run("narrative", "--versions").splitlines()
    assert new.startswith(f"2026-03-02 10:00  {'b' * 32}  ")
    assert new.endswith("tokens    0 sessions  laptop[2J  current, left out 1 on purpose")
    assert old.startswith(f"2026-03-01 10:00  {'a' * 32}  ")


def test_the_difference_is_headed_by_what_became_of_the_entries(written: Cli) -> None:
    said = written.run("narrative", "orders-api", "--diff").splitlines()
    assert said[:5] == [
        "orders-api: 1 added, 1 lost",
        "  added: Redis is not backed up",
        "  lost: Ports above 9000 only",
        "  left out on purpose: Ports above 9000 only",
        "",
    ]
    assert said[-3:] == [" - The clock is UTC", "-- Ports above 9000 only", "+- Redis is not backed up"]
    assert written.run("narrative", "--diff", "aaaaaaaa").splitlines() == said


def test_on_a_terminal_the_difference_is_coloured(written: Cli) -> None:
    shown = written.on_a_terminal("narrative", "--diff")
    assert "\x1b[32;1m+- Redis is not backed up\x1b[0m" in shown
    assert "\x1b[31;1m-- Ports above 9000 only\x1b[0m" in shown


def test_each_answer_can_be_had_as_json(written: Cli) -> None:
    shown = json.loads(written.run("narrative", "--json"))
    assert (shown["narrative"]["content"], shown["coverage"]["turns_since"]) == (NEW, 7)
    listed = json.loads(written.run("narrative", "--versions", "--json"))
    assert [one["state"] for one in listed["versions"]] == ["current", "earlier"]
    found = json.loads(written.run("narrative", "--diff", "--json"))["difference"]
    assert found["changes"]["lost"] == ["Ports above 9000 only"]
    assert found["diff"].endswith("+- Redis is not backed up")


def test_a_first_version_has_nothing_to_compare_with(cli: Cli, folder: DataFolder) -> None:
    write_version(folder, "# Bank", project="bank")
    assert "This is the first version" in cli.run("narrative", "bank", "--diff")
    assert json.loads(cli.run("narrative", "bank", "--diff", "--json"))["difference"] is None


def test_where_nothing_is_found_it_says_what_to_do(cli: Cli, folder: DataFolder) -> None:
    assert "orders-api has no narrative yet: in the project, ask Claude" in cli.run("narrative", code=1)
    write_version(folder, "# Bank", project="bank", status="archived")
    cli.run("sync")
    assert "all 1 versions are archived" in cli.run("narrative", "bank")
    assert "no current narrative" in cli.run("narrative", "bank", "--diff", code=1)
    cli.project = Path(cli.env["HOME"])
    assert "This folder is no project" in cli.run("narrative", code=1)
