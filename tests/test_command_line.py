"""The one command: names, the overview, what is wrong with a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llm_memory_site import command_line
from memories.terminal import table

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(MANAGE), *words], capture_output=True, text=True, check=False
    )


def here(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of a line, run in this process."""
    try:
        code = command_line.run([str(MANAGE), *words])
    except SystemExit as end:
        code = int(end.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("words", [("sync-setup", "--help"), ("help", "sync-setup"), ("help", "sync_setup")])
def test_a_command_answers_to_the_name_that_its_usage_shows(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, said, wrong = here(capsys, *words)
    assert (code, wrong) == (0, "")
    assert said.startswith("usage: manage.py sync-setup [-h]")


def test_the_plugins_launcher_is_called_llm_memory_in_help_and_complaints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LLM_MEMORY_PLUGIN", str(tmp_path))
    assert here(capsys, "search", "--help")[1].startswith("usage: llm-memory search QUERY")
    assert "Usage: llm-memory COMMAND" in here(capsys, "help")[1]
    for words in (("search",), ("make-tea",)):
        code, _, wrong = here(capsys, *words)
        assert code == 2
        assert "`llm-memory " in wrong
        assert "manage.py" not in wrong


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",), ("help", "help"), ("help", "--help")])
def test_the_overview_teaches_every_command_in_its_group(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, said, wrong = here(capsys, *words)
    assert (code, wrong) == (0, "")
    for title, names in table.GROUPS:
        listed = said.partition(f"\n{title}\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in listed if line[:3].strip()] == list(names)
    assert "sync_setup" not in said


def test_the_overview_needs_no_installed_package() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("LLM Memory 2.")


def test_the_version_is_that_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = here(capsys, "--version")
    assert code == 0
    assert f'version = "{said.strip()}"' in MANAGE.with_name("pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("word", "meant"), [("serach", "search"), ("doctr", "doctor"), ("shows", "show"), ("rebuild", "rebuild_index")]
)
def test_a_slip_is_answered_with_what_was_meant(capsys: pytest.CaptureFixture[str], word: str, meant: str) -> None:
    code, said, wrong = here(capsys, word)
    assert (code, said) == (2, "")
    assert wrong == (f"Unknown command: {word!r}. Did you mean {meant}? `manage.py help` lists what there is.\n")


def test_a_command_that_is_none_is_said_inertly(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, wrong = here(capsys, "make-tea\x1b[2J")
    assert code == 2
    assert wrong == "Unknown command: 'make-tea[2J'. `manage.py help` lists what there is.\n"
    assert here(capsys, "help", "make-tea")[0] == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["search"], "the following arguments are required: QUERY."),
        (["search", "x", "--limt", "3"], "unrecognized arguments: --limt 3. Did you mean --limit?"),
        (["search", "x", "--limit", "many"], "argument --limit: many is not a number from 1 to 100."),
        (["recent", "--type", "poem"], "argument --type: invalid choice: 'poem'"),
        (["connect", "3f2a91"], "the following arguments are required: OTHER_ID."),
        (["transcript", "--line", "\x1b[2J"], "argument --line: invalid int value: "),
    ],
)
def test_a_bad_line_is_one_line_that_names_the_help(
    capsys: pytest.CaptureFixture[str], line: list[str], said: str
) -> None:
    code, out, wrong = here(capsys, *line)
    assert (code, out, wrong.count("\n")) == (2, "", 1)
    assert wrong.startswith(f"manage.py {line[0]}: {said}")
    assert wrong.endswith(f"`manage.py {line[0]} --help` shows what it takes.\n")
    assert "\x1b" not in wrong


def test_help_as_a_whole_is_what_help_of_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert here(capsys, "help", "search") == here(capsys, "search", "--help")
