"""`llm-memory transcript` as a user runs it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from memories.core import transcripts
from memories.core.paths import DataFolder
from tests.core.transcript_lines import OTHER_SESSION, SESSION, Script, short_session
from tests.terminal.cli import Cli


@pytest.fixture
def cli(tmp_path: Path, folder: DataFolder) -> Cli:
    return Cli(tmp_path, folder)


def _archive(folder: DataFolder, script: Script) -> None:
    Path(transcripts.archive_path(folder, script.session_id)).write_bytes(script.dump())


def _long(turns: int = 40) -> Script:
    script = Script("/p")
    for number in range(turns):
        script.user(f"request {number} " + "please " * 30)
        script.answer(f"answer {number} " + "done " * 30)
    return script


def test_a_synced_session_is_read_by_its_first_characters(cli: Cli) -> None:
    short_session(str(cli.project)).write(cli.claude / "projects")
    cli.run("sync")
    said = cli.run("transcript", SESSION[:8])
    assert f"Session {SESSION} · project orders-api · lines 2-9" in said
    assert "[2] 2026-03-14 09:00 user\n> Add a retry to the uploader\n[5] Write: " in said
    assert said.endswith("\n\nEnd of the transcript.\n")
    assert "\x1b" not in said


def test_without_a_session_the_newest_are_listed(cli: Cli, folder: DataFolder) -> None:
    assert "`llm-memory sync`" in cli.run("transcript")
    short_session(str(cli.project)).write(cli.claude / "projects")
    cli.run("sync")
    _archive(folder, Script("/p", OTHER_SESSION))
    os.utime(transcripts.archive_path(folder, SESSION), (1_773_478_800,) * 2)
    lines = cli.run("transcript").splitlines()
    assert [line.split()[0] for line in lines] == [OTHER_SESSION, SESSION]
    assert re.search(r"2026-03-14 09:00 +\d+ KB  orders-api$", lines[1])
    listed = json.loads(cli.run("transcript", "--json"))["sessions"]
    assert listed[1]["session_id"] == SESSION
    assert listed[1]["project"] == "orders-api"


def test_pages_go_on_by_cursor_and_all_shows_everything(cli: Cli, folder: DataFolder) -> None:
    _archive(folder, _long())
    first = cli.run("transcript", SESSION, "--max-tokens", "1000")
    cursor = re.search(r"Next: cursor=(\S+)\n$", first)
    assert cursor is not None
    second = cli.run("transcript", SESSION, "--max-tokens", "1000", "--cursor", cursor[1])
    shown = [set(re.findall(r"^\[(\d+)\]", text, re.MULTILINE)) for text in (first, second)]
    assert shown[0]
    assert shown[1]
    assert not shown[0] & shown[1]
    everything = cli.run("transcript", SESSION, "--all")
    assert len(re.findall(r"^\[(\d+)\]", everything, re.MULTILINE)) == 80
    assert everything.count("Archived conversation") == everything.count("End of the transcript.") == 1
    assert "Next:" not in everything


def test_a_page_begins_at_a_line_or_around_it(cli: Cli, folder: DataFolder) -> None:
    _archive(folder, _long())
    assert "· lines 41-" in cli.run("transcript", SESSION, "--line", "41", "--max-tokens", "300")
    around = cli.run("transcript", SESSION, "--around", "41", "--max-tokens", "1000")
    assert re.findall(r"^>> \[(\d+)\]", around, re.MULTILINE) == ["41"]
    assert "[40]" in around


def test_json_gives_the_items_and_the_cursor(cli: Cli, folder: DataFolder) -> None:
    _archive(folder, _long())
    page = json.loads(cli.run("transcript", SESSION, "--max-tokens", "1000", "--json"))
    assert page["session_id"] == SESSION
    assert page["items"][1]["role"] == "assistant"
    after = json.loads(cli.run("transcript", SESSION, "--cursor", page["next_cursor"], "--json"))
    assert after["items"][0]["line"] == page["items"][-1]["line"] + 1


def test_roles_are_coloured_on_a_terminal_and_the_text_cannot_do_anything_there(cli: Cli, folder: DataFolder) -> None:
    script = Script("/p")
    script.user("clear it \x1b[2J\x1b]0;title\x07")
    script.answer("done \x9b2J")
    _archive(folder, script)
    shown = cli.on_a_terminal("transcript", SESSION)
    assert re.search(r"\x1b\[[\d;]+m\[1\] 2026-03-14 09:00 user\x1b\[0m", shown)
    assert re.search(r"\x1b\[[\d;]+m\[2\] assistant\x1b\[0m", shown)
    assert not re.search(r"\x1b(?!\[[\d;]*m)|[\x07\x9b]", shown)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((SESSION,), "`llm-memory sync`"),
        (("../../etc/passwd",), "is no session"),
        ((OTHER_SESSION, "--line", "999"), "the last line of"),
        ((OTHER_SESSION, "--cursor", "7:7"), "is none of"),
        ((OTHER_SESSION, "--max-tokens", "1"), "200 to 20000"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_says_what_to_do(
    cli: Cli, folder: DataFolder, arguments: tuple[str, ...], part: str
) -> None:
    _archive(folder, short_session("/p", OTHER_SESSION))
    said = cli.run("transcript", *arguments, code=1)
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert part in said


def test_the_command_has_help(cli: Cli) -> None:
    assert "usage: manage.py" in cli.run("help", "transcript")
