"""Marks in a bundle of sessions that must not come back: what is here of them goes only where somebody says so."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from memories.core import forgetting, forgotten, session_logs
from memories.core.paths import DataFolder
from tests.core.bundles import data_folder, export
from tests.core.forgetting_scene import Scene
from tests.core.transcript_lines import OTHER_SESSION, SESSION
from tests.terminal.cli import Cli

UNKNOWN = "abcdef12-0000-4000-8000-000000000000"
SPARED = f"  not taken: the mark that would remove session {SESSION} here"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.sync()
    return made


@pytest.fixture
def cli(tmp_path: Path, scene: Scene) -> Cli:
    """The machine that imports; Claude Code has deleted the session's transcript."""
    scene.source.unlink()
    return Cli(tmp_path, scene.folder)


@pytest.fixture
def marks(tmp_path: Path) -> str:
    """A bundle of another machine, which forgot this session and one that is not here."""
    other = data_folder(tmp_path / "other")
    forgetting.forget(other, [SESSION, UNKNOWN])
    export(other, tmp_path / "marks.tar")
    return str(tmp_path / "marks.tar")


def _is_whole(folder: DataFolder) -> bool:
    log = f"{session_logs.log_uuid(SESSION)}.json"
    return os.path.exists(os.path.join(folder.transcripts, f"{SESSION}.jsonl")) and os.path.exists(
        os.path.join(folder.records, log)
    )


def test_without_a_yes_the_session_stays_and_the_next_step_is_said(scene: Scene, cli: Cli, marks: str) -> None:
    said = cli.run("import", marks)
    assert (
        f"1 session must go, of which this is here:\n  {SESSION}  2026-03-14 09:00  shop  2 turns\n    Tell the" in said
    )
    assert SPARED in said
    assert "import it again with --forget" in said
    assert _is_whole(scene.folder)
    assert forgotten.marked(scene.folder) == {UNKNOWN: forgotten.FORGOTTEN}  # of which nothing is here


def test_with_forget_it_goes(scene: Scene, cli: Cli, marks: str) -> None:
    said = cli.run("import", marks, "--forget")
    assert f"  removed here, as a mark in the bundle says: session {SESSION}" in said
    assert scene.holding() == []
    assert "not taken" not in cli.run("import", marks)


@pytest.mark.parametrize("words", [(), ("--forget",)])
def test_a_dry_run_says_which_and_removes_nothing(scene: Scene, cli: Cli, marks: str, words: tuple[str, ...]) -> None:
    said = cli.run("import", marks, "--dry-run", *words)
    assert (SPARED in said) == (not words)
    assert ("removed here" in said) == bool(words)
    assert _is_whole(scene.folder)
    assert forgotten.marked(scene.folder) == {}


def test_from_a_pipe_nobody_is_asked_and_nothing_goes(scene: Scene, cli: Cli, marks: str) -> None:
    done = subprocess.run(
        cli.command("import", "-"), input=Path(marks).read_bytes(), capture_output=True, check=True, env=cli.env
    )
    assert SPARED in done.stdout.decode()
    assert _is_whole(scene.folder)


@pytest.mark.parametrize(("answer", "stays"), [(b"y\n", False), (b"\n", True)])
def test_on_a_terminal_it_asks(scene: Scene, cli: Cli, marks: str, answer: bytes, stays: bool) -> None:
    ours, theirs = os.openpty()
    child = subprocess.Popen(cli.command("import", marks), stdin=theirs, stdout=subprocess.PIPE, env=cli.env)
    os.close(theirs)
    os.write(ours, answer)
    said, _ = child.communicate(timeout=60)
    os.close(ours)
    assert b"It cannot be undone." in said
    assert _is_whole(scene.folder) == stays


def test_a_log_alone_or_what_only_claude_code_has_is_here_too(scene: Scene, cli: Cli, tmp_path: Path) -> None:
    other = data_folder(tmp_path / "third")
    waiting = "bbbbbbbb-0000-4000-8000-000000000000"
    source = cli.claude / "projects" / "-srv-shop" / f"{waiting}.jsonl"
    source.parent.mkdir(parents=True)
    source.write_text("{}\n", "utf-8")
    Path(scene.folder.transcripts, f"{OTHER_SESSION}.jsonl").unlink()
    forgetting.forget(other, [waiting, OTHER_SESSION])
    export(other, tmp_path / "two.tar")
    said = cli.run("import", str(tmp_path / "two.tar"))
    assert said.count("  not taken: the mark") == 2
    assert forgotten.marked(scene.folder) == {}


def test_a_mark_of_what_was_let_go_counts_as_far_as_it_goes(scene: Scene, cli: Cli, tmp_path: Path) -> None:
    other = data_folder(tmp_path / "third")
    ended = max(path.stat().st_mtime_ns for path in Path(scene.folder.transcripts).rglob("*") if path.is_file())
    for until, spared in ((ended - 10**9, False), (ended, True)):
        forgotten.mark(other, SESSION, forgotten.EXPIRED, until)
        export(other, tmp_path / "let-go.tar")
        said = cli.run("import", str(tmp_path / "let-go.tar"))
        assert (SPARED in said) == spared
        assert _is_whole(scene.folder)
