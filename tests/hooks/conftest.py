"""Hooks as Claude Code starts them: whole processes with the installed command line, JSON on stdin."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION

ROOT = Path(__file__).resolve().parent.parent.parent
EVENTS = ("session_start", "post_tool_use", "pre_compact", "session_end")


WITHOUT_ROOTS_POWERS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--")
"""Starts a command as root that file permissions bind like any other user."""

can_be_refused = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="as root this needs setpriv (util-linux)"
)


class Outcome:
    """What a hook did: exit code, stdout and stderr as text."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.code = done.returncode
        self.stdout = done.stdout.decode()
        self.stderr = done.stderr.decode()

    @property
    def json(self) -> dict[str, Any]:
        parsed = json.loads(self.stdout)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def context(self) -> str:
        """What the model gets; "" for nothing."""
        return str(self.json.get("hookSpecificOutput", {}).get("additionalContext", "")) if self.stdout else ""

    @property
    def message(self) -> str:
        """What the user gets."""
        return str(self.json["systemMessage"])


class Hooks:
    """Runs hooks in a throwaway home, for one project and one session."""

    def __init__(self, tmp_path: Path, folder: DataFolder) -> None:
        self.folder = folder
        self.project = tmp_path / "work" / "orders-api"
        self.project.mkdir(parents=True)
        self.claude = tmp_path / "claude"
        self.projects_dir = self.claude / "projects"
        self.manage = ROOT / "manage.py"
        self.env = {
            "HOME": str(tmp_path / "home"),
            "PATH": os.environ["PATH"],
            "CLAUDE_CONFIG_DIR": str(self.claude),
            "CLAUDE_PROJECT_DIR": str(self.project),
            "LLM_MEMORY_HOME": folder.root,
            "ANTHROPIC_API_KEY": "a-key-that-no-log-may-hold",
        }

    def payload(self, transcript: str | Path = "", **fields: Any) -> dict[str, Any]:
        given = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(self.project), **fields}
        return {name: value for name, value in given.items() if value is not None}

    def raw(
        self, event: str, stdin: bytes | None, *, bound: bool = False, env: dict[str, str] | None = None
    ) -> Outcome:
        """Run a hook with these bytes on stdin (None: closed). bound: by file permissions, even as root."""
        prefix = list(WITHOUT_ROOTS_POWERS) if bound and os.geteuid() == 0 else []
        command = [*prefix, sys.executable, "-I", "-S", str(self.manage), "hook", *([event] if event else [])]
        if stdin is None:
            command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command]
        given = {**self.env, **(env or {})}
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60, env=given)
        return Outcome(done)

    def run(self, event: str, given: dict[str, Any] | None = None, **env: str) -> Outcome:
        """Run a hook and hold it to the contract: exit 0, valid JSON or nothing, not a word on stderr."""
        outcome = self.raw(event, json.dumps(given if given is not None else self.payload()).encode(), env=env)
        assert (outcome.code, outcome.stderr) == (0, "")
        if outcome.stdout and event != "pre_compact":
            assert outcome.json
        return outcome

    def start(self, source: str = "startup", transcript: str | Path = "", **fields: Any) -> Outcome:
        return self.run("session_start", self.payload(transcript, source=source, **fields))

    @property
    def log(self) -> str:
        try:
            return Path(self.folder.state, "hooks.log").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def disable_project(self) -> None:
        (self.project / ".llm-memory.json").write_text('{"enabled": false}', encoding="utf-8")

    def write_settings(self, **settings: Any) -> None:
        Path(self.folder.settings).write_text(json.dumps(settings), encoding="utf-8")


@pytest.fixture
def hooks(tmp_path: Path, folder: DataFolder) -> Hooks:
    """Hooks on an empty data folder."""
    return Hooks(tmp_path, folder)
