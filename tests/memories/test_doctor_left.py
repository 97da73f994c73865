"""Doctor on what interrupted work left: temp files, staging folders, locks held for long, servers nobody needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from memories import doctor_left
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from tests.mcp_bridge.client import ROOT

linux = pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="asks /proc")


@pytest.fixture
def dead() -> int:
    """The id of a process that is gone."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    return gone.pid


def test_nothing_is_said_where_nothing_was_left(folder: DataFolder) -> None:
    Path(folder.records, f".a.json.tmp-{os.getpid()}").touch()
    Path(folder.state, f"import-{os.getpid()}").mkdir()
    assert list(doctor_left.left_behind(folder)) == []


def test_temp_files_and_folders_of_processes_that_are_gone(folder: DataFolder, dead: int) -> None:
    beside = Path(folder.transcripts, "s", "subagents")
    beside.mkdir(parents=True)
    Path(folder.lib).mkdir()
    for place in (folder.root, folder.records, str(beside), folder.lib):
        Path(place, f".a.json.tmp-{dead}").touch()
    Path(folder.state, f"import-{dead}").mkdir()
    Path(folder.root, f"lib.new-{dead}").mkdir()
    temps, imports, installs = doctor_left.left_behind(folder)
    assert temps.text == (
        f"3 temp files of processes that are gone: .a.json.tmp-{dead}; records/.a.json.tmp-{dead}; "
        f"transcripts/s/subagents/.a.json.tmp-{dead}"
    )
    assert (imports.text, imports.todo) == (
        f"1 folder of an interrupted import: state/import-{dead}", "run `llm-memory doctor --fix`",
    )  # fmt: skip
    assert installs.todo.startswith("run ./install.sh")


@linux
def test_a_lock_that_is_held_for_long_is_named_with_its_holder(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.path.join(folder.state, "sync.lock")
    with FileLock(path):
        assert list(doctor_left.left_behind(folder)) == []
        monkeypatch.setattr(doctor_left, "LONG_SECONDS", 0.001)
        [check] = doctor_left.left_behind(folder)
    assert f"sync.lock (process {os.getpid()}, which runs for" in check.text
    assert f"kill {os.getpid()}" in check.todo
    assert list(doctor_left.left_behind(folder)) == []


@pytest.fixture
def left_server(folder: DataFolder, tmp_path: Path) -> Iterator[int]:
    """A server whose client has ended, and whose input somebody holds open: its process id."""
    fifo = tmp_path / "stdin"
    os.mkfifo(fifo)
    client = (
        "import os, subprocess, sys\n"
        "stdin = os.open(sys.argv[1], os.O_RDWR)\n"
        "server = subprocess.Popen(sys.argv[2:], stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(server.pid, flush=True)\n"
    )
    server = [sys.executable, "-I", str(ROOT / "manage.py"), "mcp"]
    keeper = os.open(fifo, os.O_RDWR)
    done = subprocess.run(
        [sys.executable, "-I", "-c", client, str(fifo), *server], capture_output=True, text=True, check=True
    )
    pid = int(done.stdout)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.close(keeper)


@linux
def test_a_server_whose_client_is_gone_is_named(folder: DataFolder, left_server: int, tmp_path: Path) -> None:
    if doctor_left._status(str(left_server)).get("PPid") != "1":
        pytest.skip("orphans are not handed to process 1 here")
    deadline = time.monotonic() + 20
    while not (found := doctor_left.orphaned_servers(folder)) and time.monotonic() < deadline:
        os.sched_yield()  # until it has become the server
    assert found == [left_server]
    assert doctor_left.orphaned_servers(DataFolder(str(tmp_path / "other"))) == []
    check = next(one for one in doctor_left.left_behind(folder) if "MCP server" in one.text)
    assert check.todo == f"run kill {left_server}"
