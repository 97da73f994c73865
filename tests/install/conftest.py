"""A throwaway machine for install tests: its own HOME, and stand-ins for the two programs that the steps start."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from memories.core.paths import DataFolder

RECORDER = """#!/bin/sh
for word in "$@"; do printf '%s\\037' "$word"; done >>'{log}'
printf 'guard=%s\\n' "${{LLM_MEMORY_GUARD:-}}" >>'{log}'
{body}
"""


def snapshot(root: Path, *, leave_out: tuple[str, ...] = ()) -> dict[str, tuple[int, bytes]]:
    """Every file, link and folder below root: relative path -> (mode, content)."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if any(name == left or name.startswith(left + "/") for left in leave_out):
            continue
        mode = path.lstat().st_mode
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[name] = (stat.S_IMODE(mode), content)
    return found


def write_script(path: Path, log: Path, body: str) -> None:
    """An executable that appends its arguments and the guard variable to a log, then runs a shell body."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RECORDER.format(log=log, body=body), encoding="utf-8")
    path.chmod(0o755)


def read_calls(log: Path) -> list[list[str]]:
    """What a recording script was called with: one list of words a call, the guard's value last."""
    if not log.exists():
        return []
    return [line.split("\037") for line in log.read_text(encoding="utf-8").splitlines()]


class Sandbox:
    """A machine with an installed lib/ whose interpreter only records what it is asked to run."""

    def __init__(self, home: Path, tools: Path) -> None:
        self.home = home
        self.tools = tools
        self.claude_dir = home / ".claude"
        self.settings = self.claude_dir / "settings.json"
        self.claude_md = self.claude_dir / "CLAUDE.md"
        self.server_file = home / ".claude.json"
        self.folder = DataFolder(str(self.claude_dir / "memory"))
        self.lib = Path(self.folder.lib)
        self.python_log = tools / "python.log"
        self.claude_log = tools / "claude.log"

    def add_lib(self, *, exit_code: int = 0) -> None:
        """What install.sh leaves: lib/ with install.json and an interpreter (a recorder that exits with exit_code)."""
        write_script(self.lib / "venv" / "bin" / "python", self.python_log, f"exit {exit_code}")
        (self.lib / "install.json").write_text("{}\n", encoding="utf-8")

    def add_claude(self, body: str = "exit 0") -> None:
        """Put a recording `claude` on PATH."""
        write_script(self.tools / "claude", self.claude_log, body)

    def manage_calls(self) -> list[str]:
        """The management commands that were run."""
        return [words[2] for words in read_calls(self.python_log)]

    def claude_calls(self) -> list[list[str]]:
        """The arguments of every `claude` call, the guard's value last."""
        return read_calls(self.claude_log)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A machine as install.sh leaves it to Python: HOME (with a space), lib/ in place, no `claude` on PATH."""
    home, tools = tmp_path / "my home", tmp_path / "tools"
    (home / ".claude").mkdir(parents=True)
    tools.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    for name in ("CLAUDE_CONFIG_DIR", "LLM_MEMORY_HOME", "LLM_MEMORY_DISABLE", "LLM_MEMORY_GUARD"):
        monkeypatch.delenv(name, raising=False)
    machine = Sandbox(home, tools)
    machine.add_lib()
    return machine
