"""Setting the plugin up, without pip: what is done with a venv that is there, and what is said of what fails."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hooks import plugin
from memories.core.locks import FileLock
from plugin import prepare

RUN = os.path.join(plugin.ROOT, "plugin", "run.sh")


def venv_name() -> str:
    return "venv-" + hashlib.sha256(plugin.key().encode()).hexdigest()[:16]


def stand_in_python(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugin's own folder, empty."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv(plugin.VARIABLE, str(folder))
    return folder


def test_a_venv_of_the_same_requirements_is_used_again_and_others_go(data: Path) -> None:
    python = data / venv_name() / "bin" / "python"
    stand_in_python(python, "exit 0")
    (data / "venv-0123456789abcdef" / "bin").mkdir(parents=True)
    (data / "pycache" / "an" / "older" / "root" / "hooks").mkdir(parents=True)
    (data / "pycache" / "usr").mkdir()
    (data / "ready").write_text(f"{python}\n{plugin.key()}\n/an/older/root\n", "utf-8")
    (data / "trouble").write_text("it was so", "utf-8")
    assert prepare.main() == 0
    assert plugin.ready(str(data)) == str(python)
    assert sorted(path.name for path in data.iterdir()) == [
        "llm-memory",
        "prepare.lock",
        "pycache",
        "ready",
        venv_name(),
    ]
    assert not (data / "pycache" / "an" / "older" / "root").exists()
    assert (data / "pycache" / "usr").exists()


def test_code_that_does_not_start_leaves_what_was_ready_and_says_why(data: Path) -> None:
    stand_in_python(data / venv_name() / "bin" / "python", "echo 'No module named mcp' >&2; exit 1")
    assert prepare.main() == 1
    assert plugin.trouble(str(data)) == "it could not start with its Python packages: No module named mcp"
    assert plugin.ready(str(data)) is None


def test_without_pip_or_network_nothing_half_made_stays(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = data.parent / "python"
    stand_in_python(broken, "mkdir -p \"$4/bin\"; echo 'ensurepip is not available'; exit 1")
    (data / "new-123").mkdir()
    monkeypatch.setattr(sys, "executable", str(broken))
    assert prepare.main() == 1
    assert "sudo apt install python3-venv): ensurepip is not available" in plugin.trouble(str(data))
    assert sorted(path.name for path in data.iterdir()) == ["prepare.lock", "trouble"]


def test_of_two_at_the_same_time_one_gives_way(data: Path) -> None:
    with FileLock(str(data / "prepare.lock")):
        assert prepare.main() == 0
    assert not (data / "trouble").exists()


def test_the_command_it_leaves_runs_the_plugins_code(data: Path) -> None:
    stand_in_python(data / venv_name() / "bin" / "python", "exit 0")
    assert prepare.main() == 0
    (data / "ready").unlink()
    (data / "python").write_text(f"{sys.executable}\n", "utf-8")
    done = subprocess.run(
        [str(data / "llm-memory"), "search", "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert "search" in done.stdout
    assert done.returncode == 0


def start(data: Path, *words: str, path: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": path, "HOME": str(data.parent), "CLAUDE_PLUGIN_DATA": str(data)}
    return subprocess.run(["/bin/sh", RUN, *words], input="{}", env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the few programs that run.sh needs, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("mkdir", "mv"):
        (folder / name).symlink_to(f"/bin/{name}")
    return folder


def test_without_python_the_user_is_told_once_and_nothing_else_fails(data: Path, tools: Path) -> None:
    told = start(data, "hook", "session_start", path=str(tools))
    assert "needs 3.10 to 3.14" in told.stdout
    assert told.returncode == 0
    quiet = start(data, "hook", "session_end", path=str(tools))
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    server = start(data, "server", path=str(tools))
    assert server.returncode == 1
    assert "needs 3.10 to 3.14" in server.stderr


def test_the_interpreter_behind_a_shim_is_kept_and_found_again_when_it_has_gone(data: Path, tools: Path) -> None:
    real = os.path.realpath(sys.executable)
    stand_in_python(tools / "python3", f'exec {real} "$@"')
    (data / "python").write_text("/gone/python3\n", "utf-8")
    assert start(data, "hook", "unknown", path=str(tools)).returncode == 0
    assert os.path.samefile((data / "python").read_text("utf-8").strip(), real)


def test_a_python_that_is_too_old_or_broken_is_passed_over(data: Path, tools: Path) -> None:
    stand_in_python(tools / "python3", "exit 1")
    stand_in_python(tools / "python3.12", f'exec {os.path.realpath(sys.executable)} "$@"')
    assert start(data, "hook", "unknown", path=str(tools)).returncode == 0
    assert (data / "python").exists()
