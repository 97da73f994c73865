"""`llm-memory` as whole processes, in a throwaway home: off a terminal and on one."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

from memories.core.paths import DataFolder

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


class Cli:
    """Runs `manage.py` in a throwaway home, from a project folder."""

    def __init__(self, tmp_path: Path, folder: DataFolder) -> None:
        self.project = tmp_path / "orders-api"
        self.project.mkdir()
        self.claude = tmp_path / "claude"
        self.env = {
            "HOME": str(tmp_path / "home"),
            "PATH": os.environ["PATH"],
            "CLAUDE_CONFIG_DIR": str(self.claude),
            "LLM_MEMORY_HOME": folder.root,
            "TERM": "xterm",
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-I", "-S", str(MANAGE), *arguments]  # as the launcher does

    def run(self, *arguments: str, code: int = 0, **env: str) -> str:
        """What the command printed (stdout, and stderr when it fails); never a traceback."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, cwd=self.project, timeout=60,
            env={**self.env, **env},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == code, done.stderr
        if code == 0:
            assert done.stderr == ""
        return done.stdout + (done.stderr if code else "")

    def on_a_terminal(self, *arguments: str) -> str:
        """What a terminal shows of a command."""
        main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        process = subprocess.Popen(
            self.command(*arguments), stdin=child, stdout=child, stderr=child, cwd=self.project, env=self.env
        )
        os.close(child)
        shown = b"".join(_chunks(main))
        os.close(main)
        assert process.wait(timeout=60) == 0
        return shown.decode()


def _chunks(terminal: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(terminal, 65536):
            yield chunk
    except OSError:
        return  # how Linux says that the other side has closed
