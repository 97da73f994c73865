"""manage.py: hooks before Django, everything else through it, and no traceback for a user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llm_memory_site import command_line

ROOT = Path(__file__).resolve().parent.parent


def _run(
    script: Path, *arguments: str, flags: tuple[str, ...] = ("-I",), **env: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, *flags, str(script), *arguments]
    given = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **env}
    return subprocess.run(command, input=b"{}", capture_output=True, check=False, cwd="/", env=given)


def test_a_hook_needs_no_installed_package(tmp_path: Path) -> None:
    done = _run(ROOT / "manage.py", "hook", "session_end", flags=("-I", "-S"), LLM_MEMORY_HOME=str(tmp_path / "m"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_command_of_people_needs_no_installed_package(tmp_path: Path) -> None:
    home = {"LLM_MEMORY_HOME": str(tmp_path / "m")}
    stored = _run(ROOT / "manage.py", "store", "A heron stood in the reeds.", flags=("-I", "-S"), **home)
    assert (stored.returncode, stored.stderr) == (0, b"")
    found = _run(ROOT / "manage.py", "search", "herons", flags=("-I", "-S"), **home)
    assert b"A heron stood in the reeds." in found.stdout


def test_a_command_of_djangos_finds_the_packages_that_its_start_left_out() -> None:
    done = _run(ROOT / "manage.py", "setup_claude", "--help", flags=("-I", "-S"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: manage.py setup_claude")


def test_without_django_a_command_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "django.core.management", None)  # as where it is not installed
    assert command_line.run([str(ROOT / "manage.py"), "mcp"]) == 1
    said = capsys.readouterr().err
    assert said == "Django is not installed for this Python. Run ./install.sh, then use `llm-memory`.\n"


def test_without_its_packages_the_plugin_says_that_its_setup_is_not_finished_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "django.core.management", None)  # as where it is not installed
    monkeypatch.setenv("LLM_MEMORY_PLUGIN", str(tmp_path))
    assert command_line.run([str(ROOT / "manage.py"), "dashboard"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The plugin's setup is not finished: its Python packages are not there yet. ")
    (tmp_path / "trouble").write_text("it could not fetch its Python packages with pip: no route\x1b[2J\n", "utf-8")
    assert command_line.run([str(ROOT / "manage.py"), "dashboard"]) == 1
    said = capsys.readouterr().err
    assert "not finished: it could not fetch its Python packages with pip: no route[2J. Start a session" in said
    assert "install.sh" not in said


def test_a_hook_through_django_does_the_same(tmp_path: Path) -> None:
    memory = tmp_path / "m"
    memory.mkdir()
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from llm_memory_site.command_line import run; run(sys.argv)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(ROOT), "hook", "pre_compact"],
        input=b"{}", capture_output=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LLM_MEMORY_HOME": str(memory)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"Keep in the summary")


def test_an_installed_copy_knows_its_data_folder(tmp_path: Path) -> None:
    lib = tmp_path / "elsewhere" / "lib"
    lib.mkdir(parents=True)
    shutil.copy(ROOT / "manage.py", lib)
    for name in ("hooks", "memories"):
        (lib / name).symlink_to(ROOT / name)
    (lib / "install.json").write_text("{}", encoding="utf-8")
    (lib.parent / "state").mkdir()
    assert _run(lib / "manage.py", "hook", "session_end", flags=("-I", "-S")).returncode == 0
    assert (lib.parent / "state" / "hooks.log").exists()
    assert not (Path(os.environ["HOME"]) / ".claude").exists()
