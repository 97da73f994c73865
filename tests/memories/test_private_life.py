"""A whole life of a data folder under the worst umasks: nothing in it is open to others, nothing closed to its user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memories.core import private_files
from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION, short_session
from tests.dashboard import server as dashboard
from tests.mcp_bridge.client import ROOT, Server
from tests.other_user import as_nobody, as_root, open_place

LIFE = ("hooks.log", f"{SESSION}.jsonl", "sync.lock", "agent-a1.jsonl")
"""Files that are there after it, each made in another way."""


@contextmanager
def umask(value: int) -> Iterator[None]:
    """The processes that are started within begin with that umask."""
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


class Life:
    """Runs everything that writes, in a home of its own."""

    def __init__(self, place: Path, value: int) -> None:
        self.home, self.umask = place / "home", value
        self.project = self.home / "shop"
        self.project.mkdir(parents=True)
        self.folder = DataFolder(str(self.home / ".claude" / "memory"))
        self.env = {"HOME": str(self.home), "PATH": os.environ["PATH"], "CLAUDE_PROJECT_DIR": str(self.project)}

    def run(self, *arguments: str, stdin: str = "", **env: str) -> str:
        """A command of ours; its output."""
        done = subprocess.run(
            [sys.executable, "-I", str(ROOT / "manage.py"), *arguments],
            input=stdin, capture_output=True, text=True, check=False, umask=self.umask, env={**self.env, **env},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def hook(self, event: str, transcript: str) -> None:
        given = {"session_id": SESSION, "transcript_path": transcript, "cwd": str(self.project), "source": "startup"}
        self.run("hook", event, stdin=json.dumps(given))

    def live(self) -> None:
        """Hooks, server, sync, export, dashboard, import."""
        self.hook("session_start", "")
        transcript = Path(short_session(str(self.project)).write(self.home / ".claude" / "projects"))
        beside = transcript.with_suffix("") / "subagents"
        beside.mkdir(parents=True)
        (beside / "agent-a1.jsonl").write_text("{}\n", encoding="utf-8")
        for event in ("post_tool_use", "pre_compact", "session_end"):
            self.hook(event, str(transcript))
        with umask(self.umask):
            server = Server(self.folder, self.project, environ=self.env)
        with server:
            server.initialize()
            uuid = server.ask("memory_store", content="A note of the user's own.", type="note")["uuid"]
            server.ask("memory_delete", uuid=uuid)
            server.ask("memory_store", content="Another note, which stays.", type="note")
            assert private_files.faults(self.folder).modes == []  # -wal and -shm too
        self.run("sync")
        bundle = str(self.home / "bundle.tar.gz")
        self.run("export", bundle)
        assert os.stat(bundle).st_mode & 0o777 == 0o600
        self.run("import", bundle)
        with umask(self.umask), dashboard.running(self.folder, "0") as process:
            address = dashboard.address_of(process)
            assert [dashboard.get(f"{address}{path}")[0] for path in ("", "status/", "status/checks/")] == [200] * 3
            assert private_files.faults(self.folder).modes == []


@pytest.mark.parametrize("value", [0, pytest.param(0o777, marks=pytest.mark.long)])
def test_whatever_the_umask_everything_is_this_users_alone(tmp_path: Path, value: int) -> None:
    life = Life(tmp_path, value)
    life.live()
    found = private_files.faults(life.folder)
    assert (found.modes, found.others, found.unseen) == ([], [], [])
    names = {name for _, _, names in os.walk(life.folder.root) for name in names}
    assert {*LIFE, os.path.basename(life.folder.mirror)} <= names


@pytest.mark.parametrize("value", [0o022, 0o027, 0o077, 0o777])
def test_other_umasks_make_no_difference(tmp_path: Path, value: int) -> None:
    life = Life(tmp_path, value)
    life.hook("session_start", "")
    life.hook("session_end", short_session(str(life.project)).write(life.home / ".claude" / "projects"))
    assert private_files.faults(life.folder).modes == []
    assert os.stat(life.home / ".claude").st_mode & 0o777 == 0o700


@as_root
def test_another_user_can_neither_list_nor_read_nor_write_any_of_it() -> None:
    with open_place() as place:
        life = Life(place, 0)
        life.hook("session_start", "")
        life.run("sync")
        paths = [place for place, _, _ in os.walk(life.folder.root)]
        paths += [os.path.join(place, name) for place in paths for name in os.listdir(place)]
        assert life.folder.mirror in paths

        def try_all() -> bytes:
            assert os.listdir(life.home)  # the way there is open
            opened = []
            for path in paths:
                for action in (os.listdir, lambda one: open(one, "rb").close(), lambda one: open(one, "ab").close()):
                    try:
                        action(path)
                    except PermissionError:
                        continue
                    opened.append(path)
            return json.dumps([len(paths), opened]).encode()

        assert json.loads(as_nobody(try_all)) == [len(paths), []]
