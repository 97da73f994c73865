"""lib/setup_syncthing.py: sync-setup by its old name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.install.conftest import Sandbox, read_calls

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup_syncthing.py"


def run(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, check=False)


def test_it_becomes_sync_setup_of_the_installed_interpreter(sandbox: Sandbox) -> None:
    shutil.copy(SCRIPT, sandbox.lib)
    done = run(sandbox.lib / "setup_syncthing.py", "--device", "my desk", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    (words,) = read_calls(sandbox.python_log)
    assert words[:-1] == ["-I", f"{sandbox.lib}/manage.py", "sync-setup", "--device", "my desk", "--yes"]


def test_its_exit_code_is_the_commands(sandbox: Sandbox) -> None:
    sandbox.add_lib(exit_code=3)
    shutil.copy(SCRIPT, sandbox.lib)
    assert run(sandbox.lib / "setup_syncthing.py").returncode == 3


def test_without_an_installation_it_says_what_to_do() -> None:
    done = run(SCRIPT)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "LLM Memory is not installed here. Run ./install.sh, then `llm-memory sync-setup`.\n"


def test_the_install_puts_it_into_lib() -> None:
    installer = SCRIPT.parents[1] / "install.sh"
    assert "scripts/setup_syncthing.py" in installer.read_text("utf-8").partition('CODE="')[2].partition('"')[0]
