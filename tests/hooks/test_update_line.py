"""SessionStart and newer versions: it tells what is known, and has a process of its own ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core import clock, update_state
from memories.core.locks import FileLock
from tests.core.transcript_lines import SESSION
from tests.hooks.conftest import Hooks
from tests.install.conftest import write_script

REPO = "https://example.org/memory"
WATCHED = """
import os, sys
here = os.getpid()
PROCESSES = ("os.system", "os.fork", "os.exec", "os.posix_spawn")
def watch(event, args):
    mine = os.getpid() == here
    if mine and (event.split(".")[0] in ("socket", "subprocess", "urllib") or event in PROCESSES):
        sys.__stderr__.write(event + "\\n")
sys.addaudithook(watch)
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
import manage
manage.main()
"""
"""Runs manage.py and says on stderr what its own process does beyond files."""


class Updating:
    """A session's start with an installation from a git remote, and a `git` that says in a pipe that it was run."""

    def __init__(self, hooks: Hooks, tmp_path: Path) -> None:
        self.hooks = hooks
        self.folder = hooks.folder
        self.asked = tmp_path / "asked"
        os.mkfifo(self.asked)
        commit = "b" * 40
        answer = f"printf '{commit}\\trefs/tags/v2.1.0\\n'; echo run >'{self.asked}'"
        write_script(tmp_path / "bin" / "git", tmp_path / "git.log", answer)
        hooks.env["PATH"] = f"{tmp_path}/bin:{hooks.env['PATH']}"
        self.install()

    def install(self, **about: str) -> None:
        lib = Path(self.folder.lib)
        lib.mkdir(exist_ok=True)
        found = {"version": "2.0.0", "kind": "git", "repo": REPO, "commit": "a" * 40, **about}
        (lib / "install.json").write_text(json.dumps(found), encoding="utf-8")

    def note(self, **notes: str) -> None:
        noted = {"repo": REPO, "newest": "", "commit": "", "checked_at": clock.now(), **notes}
        assert update_state.save(self.folder, noted)

    def start(self, **env: str) -> tuple[str, list[str]]:
        """(the line for the user, what the hook's own process did beyond files) of a session's start."""
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", WATCHED, str(self.hooks.manage), "hook", "session_start"],
            input=json.dumps(self.hooks.payload(source="startup", session_id=SESSION)).encode(),
            capture_output=True,
            check=True,
            env={**self.hooks.env, **env},
        )
        return json.loads(done.stdout)["systemMessage"], done.stderr.decode().split()


@pytest.fixture
def updating(hooks: Hooks, tmp_path: Path) -> Updating:
    return Updating(hooks, tmp_path)


def test_a_start_leaves_the_question_to_a_process_of_its_own_and_the_next_one_tells(updating: Updating) -> None:
    line, did = updating.start()
    assert "2.1.0" not in line
    assert did == ["os.fork"]  # no socket, no git: only the process that it leaves behind
    assert updating.asked.read_text(encoding="utf-8") == "run\n"  # waits for that process's git
    with FileLock(os.path.join(updating.folder.state, "update.lock"), timeout=60):  # which it holds until it is done
        assert update_state.read(updating.folder)["newest"] == "2.1.0"
    line, did = updating.start()
    assert line.endswith(" · LLM Memory 2.1.0 is there (this is 2.0.0 (aaaaaaaaaa)): llm-memory update")
    assert did == []
    assert "2.1.0" not in updating.start()[0]


@pytest.mark.parametrize(
    "case", ["asked today", "setting", "machine", "folder", "not installed", "disabled", "project"]
)
def test_nobody_is_asked_and_no_process_is_left_behind(updating: Updating, case: str) -> None:
    env = {}
    if case == "asked today":
        updating.note()
    elif case == "setting":
        updating.hooks.write_settings(update_check=False)
    elif case == "machine":
        off = Path(update_state.off_file(updating.folder))
        off.parent.mkdir(parents=True)
        off.touch()
    elif case == "folder":
        updating.install(kind="folder", repo="")
    elif case == "not installed":
        Path(updating.folder.lib, "install.json").unlink()
    elif case == "project":
        updating.hooks.disable_project()
    else:
        env["LLM_MEMORY_DISABLE"] = "1"
    if env:
        outcome = updating.hooks.run("session_start", updating.hooks.payload(source="startup"), **env)
        assert outcome.stdout == ""
    else:
        assert updating.start()[1] == []
    assert case == "asked today" or update_state.read(updating.folder) == {}


def test_a_run_without_a_terminal_does_not_use_the_line_up(updating: Updating) -> None:
    updating.note(newest="2.1.0")
    assert "2.1.0" not in updating.start(CLAUDE_CODE_ENTRYPOINT="sdk-cli")[0]
    assert "2.1.0 is there" in updating.start(CLAUDE_CODE_ENTRYPOINT="cli")[0]


def test_the_model_is_told_nothing_of_it(updating: Updating) -> None:
    updating.note(newest="2.1.0")
    outcome = updating.hooks.start()
    assert "2.1.0 is there" in outcome.message
    assert "2.1.0" not in outcome.context
