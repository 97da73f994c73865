"""What all commands share."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from memories.core.errors import LLMMemoryError, MirrorUnavailableError, StorageError
from memories.core.paths import DataFolder
from memories.terminal import command, overview, parser, table
from memories.terminal.packages import make_importable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Failing(command.Command):
    """Raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        super().__init__(io.StringIO(), io.StringIO())
        self.error = error

    def handle(self, **options: object) -> int:
        raise self.error


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert command.Style(Terminal()).good("x") == "\x1b[32;1mx\x1b[0m"
    assert command.Style(io.StringIO()).good("x") == "x"
    monkeypatch.setenv("TERM", "dumb")
    assert command.Style(Terminal()).bad("x") == "x"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert command.Style(Terminal()).warning("x") == "x"


def test_json_acts_on_no_terminal_and_says_the_same() -> None:
    out = io.StringIO()
    value = {"text": "a\x1b[2J\x9b\u202e\x85\u2028 ä \ud800"}
    command.Command(out).say_json(value)
    assert not set("\x1b\x9b\u202e\x85\u2028\ud800") & set(out.getvalue())
    assert json.loads(out.getvalue()) == {"text": value["text"].replace("\ud800", "?")}


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (OSError(28, "No space left on device", "/full"), StorageError, "/full: No space left on device. `llm-memory"),
        (sqlite3.DatabaseError("malformed"), MirrorUnavailableError, r"cannot be read \(malformed\). Run `llm-memory"),
    ],
)
def test_a_disk_and_an_index_that_fail_are_domain_errors(
    folder: DataFolder, error: Exception, raised: type[LLMMemoryError], said: str
) -> None:
    with pytest.raises(raised, match=said):
        Failing(error).run("llm-memory x", [])


def test_a_reader_that_has_gone_is_no_failure_of_the_disk(folder: DataFolder) -> None:
    with pytest.raises(BrokenPipeError):
        Failing(BrokenPipeError()).run("llm-memory x", [])


def test_a_folder_that_others_can_change_is_refused_before_anything_is_done(folder: DataFolder) -> None:
    os.chmod(folder.root, 0o777)  # noqa: S103 - what is refused
    with pytest.raises(StorageError, match="others"):
        Failing(AssertionError()).run("llm-memory x", [])
    os.chmod(folder.root, 0o700)


def test_the_end_of_the_input_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        command.Command(out).agree("Go on?", StorageError)
    assert (end.value.code, out.getvalue()) == (1, "\nNothing was changed.\n")


def test_a_help_text_is_as_wide_as_the_terminal_and_no_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in ((60, 60), (300, parser.WIDTH), (5, 40)):
        monkeypatch.setattr(os, "get_terminal_size", lambda _, columns=columns: os.terminal_size((columns, 24)))
        assert parser.columns() == width


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("100", 100), ("0", None), ("101", None), ("x", None)])
def test_a_number_is_one_of_its_range(text: str, number: int | None) -> None:
    parse = parser.number(1, 100)
    if number is None:
        with pytest.raises(Exception, match=f"{text} is not a number from 1 to 100"):
            parse(text)
    else:
        assert parse(text) == number


def test_the_version_is_read_from_the_project_file(tmp_path: Path) -> None:
    assert overview.version(str(tmp_path)) == ""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "2.3.4"\n', "utf-8")
    assert overview.version(str(tmp_path)) == "2.3.4"
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert overview.version(str(tmp_path)) == ""


def test_packages_are_added_only_where_the_start_left_them_out() -> None:
    before = list(sys.path)
    make_importable()
    assert sys.path == before


@pytest.mark.parametrize("columns", [40, 80, 132])
def test_the_overview_fits_the_terminal_and_cuts_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = overview.overview("llm-memory", str(tmp_path))
    listed = text.split("\n\nEvery day\n")[1]
    assert max(map(len, listed.splitlines())) <= columns
    said = " ".join(text.split())
    assert all(f" {name} {summary} " in said for name, (_, summary) in table.COMMANDS.items())
