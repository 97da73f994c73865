"""`llm-memory search` as a user runs it, on a terminal and off it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from pathlib import Path

import pytest

from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.memories.conversations import archive, archive_subagent, log, session_id, talk
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


@pytest.fixture
def filled(cli: Cli, folder: DataFolder, make_record: MakeRecord) -> Cli:
    make_record("deploy on Tuesday", tags="decision", created_at="2026-01-10T10:00:00", project="orders")
    make_record("deploy on Friday", status="archived", created_at="2026-02-10T10:00:00", project="orders")
    make_record("deploy by hand", type="session_log", created_at="2026-03-10T10:00:00", project="billing")
    archive(folder, talk("shall we deploy?", day="2026-01-10"), talk("deploy now", number=2, day="2026-03-14"))
    return cli


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("", {"deploy on Tuesday", "deploy by hand"}),
        ("--project Orders", {"deploy on Tuesday"}),
        ("--type note", {"deploy on Tuesday"}),
        ("--tags DECISION", {"deploy on Tuesday"}),
        ("--since 2026-02", {"deploy by hand"}),
        ("--until 2026-02-28", {"deploy on Tuesday"}),
        ("--include-archived --until 2026-02", {"deploy on Tuesday", "deploy on Friday"}),
        ("--transcripts", {"shall we deploy?", "deploy now"}),
        ("--scope transcripts --until 2026-01", {"shall we deploy?"}),
        ("--scope all --since 2026-03", {"deploy by hand", "deploy now"}),
        ("--scope all --limit 4 --offset 4", set()),
    ],
)
def test_each_option_does_what_its_name_says(filled: Cli, options: str, found: set[str]) -> None:
    lines = filled.run("search", "deploy", *options.split()).splitlines()
    assert {line.strip() for line in lines if line.startswith("  ")} == found


def test_piped_output_is_plain_and_a_place_is_what_transcript_takes(filled: Cli) -> None:
    said = filled.run("search", "--transcripts", "deploy", "now")
    assert "\x1b" not in said
    place = f"{session_id(2)} --around 1"
    assert said.splitlines()[:2] == [f"2026-03-14 09:00 user  {place}", "  deploy now"]
    assert ">> [1] 2026-03-14 09:00 user" in filled.run("transcript", *place.split())


def test_on_a_terminal_places_are_links_and_nothing_in_the_text_acts_on_it(
    cli: Cli, folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("needle \x1b[2J\x1b]0;title\x07 \x9b2J \u202e", project="evil\x1b[2J\nname")
    log(make_record, 1, "shop\x1b]8;;http://x\x07")
    archive(folder, talk("the needle \x1b[2J"))
    archive_subagent(folder, talk("another needle"), "a1")
    shown = cli.on_a_terminal("search", "needle", "--scope", "all")
    assert "\x1b[1mneedle\x1b[0m" in shown
    target = re.escape(Path(folder.transcripts, session_id(1) + ".jsonl").as_uri())
    link = rf"\x1b\]8;;{target}#L1\x1b\\{session_id(1)} --around 1\x1b\]8;;\x1b\\"
    assert re.search(link, shown)
    assert f"{session_id(1)}/agent-a1 --around 1" in shown
    assert "user (subagent)" in shown
    assert re.search(r"\nRead on: llm-memory transcript \S+ --around 1\r?\n", shown)
    ours = re.sub(r"\x1b\]8;;[^\x1b\x07]*\x1b\\|\x1b\[[\d;]*m", "", shown)
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", ours)


def test_json_is_the_tools_own_answer(filled: Cli) -> None:
    answer = json.loads(filled.run("search", "deploy", "--transcripts", "--json", "--limit", "1"))
    assert set(answer) == {"results", "hint"}
    assert answer["results"][0]["type"] == "transcript"
    assert answer["results"][0]["snippet"].count("**") == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--since yesterday", "Error: 'yesterday' is not a time. Use YYYY"),
        ("--since 2026 --until 2025", "Error: since is later than until"),
        ("--transcripts --tags x", "Error: type and tags are those of memories"),
        ("--transcripts --type note", "Error: type and tags are those of memories"),
    ],
)
def test_options_that_have_no_answer_are_one_line(filled: Cli, options: str, says: str) -> None:
    said = filled.run("search", "deploy", *options.split(), code=1)
    assert said.startswith(says)
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--limit 0", "argument --limit: 0 is not a number from 1 to 100"),
        ("--limit many", "many is not a number"),
        ("--offset -1", "-1 is not a number from 0 to 1000"),
        ("--scope everywhere", "invalid choice: 'everywhere'"),
        ("--type idea", "invalid choice: 'idea'"),
        ("--loud", "unrecognized arguments: --loud"),
    ],
)
def test_options_that_are_none_are_said_in_one_line(cli: Cli, options: str, says: str) -> None:
    said = cli.run("search", "deploy", *options.split(), code=2)
    assert says in said
    assert said.count("\n") == 1


def test_an_argument_that_is_no_text_is_searched_for_as_far_as_it_is(filled: Cli) -> None:
    odd = os.fsdecode(b"deploy \xff")
    assert "deploy on Tuesday" in filled.run("search", odd)
    assert "is known; there are hits in" in filled.run("search", "deploy", "--project", odd)
    assert "Nothing matches" in filled.run("search", "deploy", "--tags", odd)


def test_what_the_archive_got_since_is_found(cli: Cli, folder: DataFolder) -> None:
    assert "`llm-memory sync`" in cli.run("search", "--transcripts", "needle")
    Path(folder.transcripts, session_id(1) + ".jsonl").write_bytes(talk("the needle").dump())
    assert "the needle" in cli.run("search", "--transcripts", "needle")
    with FileLock(os.path.join(folder.state, "conversations.lock")):
        shown = cli.on_a_terminal("search", "--transcripts", "needle")
    assert "another process" in shown
    assert "the \x1b[1mneedle" in shown


def test_a_damaged_index_is_one_line_that_says_what_to_do(filled: Cli, folder: DataFolder) -> None:
    connection = sqlite3.connect(folder.mirror)
    with connection:
        connection.execute("UPDATE memory_fts_data SET block = randomblob(64) WHERE id > 10")
    connection.close()
    said = filled.run("search", "deploy", code=1)
    assert said.startswith("Error: The index cannot be read")
    assert "`llm-memory rebuild_index`" in said
    assert said.count("\n") == 1
    filled.run("rebuild_index")
    assert "deploy on Tuesday" in filled.run("search", "deploy")


def test_sync_and_rebuild_index_tell_of_conversations(cli: Cli, folder: DataFolder) -> None:
    talk("the needle", "is here", cwd=str(cli.project)).write(cli.claude / "projects")
    assert "Conversations: 2 turns; 2 added\n" in cli.run("sync")
    assert "Conversations: 2 turns; 0 added\n" in cli.run("sync")
    Path(folder.transcripts, session_id(2) + ".jsonl").mkdir()
    said = cli.run("rebuild_index")
    assert re.search(r"^Conversations indexed: 2 turns of \d transcripts? in \d+\.\d s$", said, re.MULTILINE)
    assert f"  skipped: {session_id(2)}.jsonl: " in said
    assert f"  skipped: {session_id(2)}.jsonl: " in cli.run("sync")
