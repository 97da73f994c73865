"""A throwaway HOME past the client's first-start dialogs: its environment, transcripts, and our data folder in it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.fake_anthropic import FakeAnthropic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.e2e.loopback import LoopbackNetwork

API_KEY = "sk-ant-dummy-0123456789abcdefghij"
"""Not a credential: a placeholder the client accepts."""
QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
}
"""The client's switches for everything that is not the model; with all of them 2.1.330 tries no other host."""
PATIENCE = {"MCP_CONNECT_TIMEOUT_MS": "30000"}
"""How long the client waits for a server registered with alwaysLoad (else 5 s): test machines may be very busy."""
SETTINGS = {"permissions": {"defaultMode": "default", "disableAutoMode": "disable"}}
"""Manual permission mode: 2.1.330 else starts in auto mode, whose safety check needs the real service."""
LEAVING_SECONDS = 15.0
"""How long a detached sync and a server may take to be gone after their session."""


class Home:
    """One HOME, the client that is used in it, and the project folder `project`.

    Paths: path, config (~/.claude), data (~/.claude/memory), project.
    """

    def __init__(self, path: Path, claude: Path, network: LoopbackNetwork) -> None:
        self.path, self.claude, self.network = path, claude, network
        self.config = path / ".claude"
        self.data = self.config / "memory"
        self.project = path / "code" / "orders-api"

    def create(self) -> Home:
        """Make the folders and the files that keep the client from asking; itself."""
        for folder in (self.config, self.path / "tmp", self.project):
            folder.mkdir(parents=True)
        trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
        state = {
            "hasCompletedOnboarding": True,
            "lastOnboardingVersion": "99.0.0",
            "theme": "dark",
            "numStartups": 5,
            "customApiKeyResponses": {"approved": [API_KEY[-20:]], "rejected": []},
            "projects": {str(self.project.resolve()): trusted},
        }
        (self.path / ".claude.json").write_text(json.dumps(state, indent=2), "utf-8")
        self.write_settings(SETTINGS)
        return self

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Replace settings.json."""
        (self.config / "settings.json").write_text(json.dumps(settings, indent=2), "utf-8")

    def env(self, api: FakeAnthropic | None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A complete environment: nothing is inherited but PATH."""
        return {
            "PATH": str(self.claude.parent) + os.pathsep + os.environ["PATH"],
            "HOME": str(self.path),
            "SHELL": "/bin/bash",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "USER": "tester",
            "TMPDIR": str(self.path / "tmp"),
            "CLAUDE_CODE_TMPDIR": str(self.path / "tmp"),
            "ANTHROPIC_BASE_URL": api.url if api else "http://127.0.0.1:9",
            "ANTHROPIC_API_KEY": API_KEY,
            **QUIET,
            **PATIENCE,
            **self.network.environment(),
            **(extra or {}),
        }

    def model(self, script: Sequence[Any] | Mapping[str, Sequence[Any]] = ()) -> FakeAnthropic:
        """A scripted model that this home's clients can reach; use as a context manager."""
        return FakeAnthropic(script, self.network.listen())

    def folder(self, name: str) -> Path:
        """Another project folder, made when missing; trusted in print mode only."""
        path = self.path / "code" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def source(self, session_id: str) -> Path:
        """The client's own transcript of a session."""
        [path] = (self.config / "projects").glob(f"*/{session_id}.jsonl")
        return path

    def archived(self, session_id: str) -> Path:
        """Where our copy of a session's transcript belongs."""
        return self.data / "transcripts" / f"{session_id}.jsonl"

    def records(self, **fields: object) -> list[dict[str, Any]]:
        """The records whose fields have these values, oldest first."""
        found = [json.loads(path.read_text("utf-8")) for path in (self.data / "records").glob("*.json")]
        found.sort(key=lambda record: (record["created_at"], record["uuid"]))
        return [record for record in found if all(record.get(name) == value for name, value in fields.items())]

    def session_logs(self, session_id: str) -> list[dict[str, Any]]:
        """The session log records of a session."""
        return self.records(type="session_log", session_id=session_id)

    def holding(self, text: str) -> list[Path]:
        """The files of the data folder, our code aside, whose content holds a text."""
        lib, wanted = self.data / "lib", text.encode()
        files = (path for path in self.data.rglob("*") if path.is_file() and not path.is_relative_to(lib))
        return [path for path in files if wanted in path.read_bytes()]

    def llm_memory(self, *args: str) -> str:
        """Run the installed `llm-memory` command to its end, which must be a good one; its output."""
        return self._run(self.path / ".local" / "bin" / "llm-memory", *args)

    def run_claude(self, *args: str) -> str:
        """Run the client's own command, such as `claude mcp list`, to its end, which must be a good one; its output."""
        return self._run(self.claude, *args)

    def _run(self, program: Path, *args: str) -> str:
        command = self.network.inside([str(program), *args])
        done = subprocess.run(
            command, env=self.env(None), cwd=self.project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def hook_outcomes(self) -> list[tuple[str, str]]:
        """(hook, outcome) of every run that our hooks logged, oldest first."""
        lines = (self.data / "state" / "hooks.log").read_text("utf-8").splitlines()
        parts = (line.split(" ", 2) for line in lines)
        return [(event, rest.rsplit(" ", 2)[0]) for _, event, rest in parts]  # behind it: milliseconds, session

    def wait_until_quiet(self) -> list[str]:
        """Wait for this home's processes to end; the command lines of those still there after 15 seconds."""
        end = time.monotonic() + LEAVING_SECONDS
        while (left := processes_of(self.path)) and time.monotonic() < end:
            time.sleep(0.05)
        return list(left.values())

    def stop_all(self) -> None:
        """Kill what is left of this home's own processes."""
        for pid in processes_of(self.path):
            subprocess.run(["kill", "-KILL", str(pid)], check=False, capture_output=True)


def processes_of(home: Path) -> dict[int, str]:
    """The running processes with this HOME, or with a path below it in their command line: id -> command line."""
    by_environment, by_path = f"\0HOME={home}\0".encode(), f"{home}/".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = b"\0" + (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:  # ended meanwhile, or another user's
            continue
        if command and (by_environment in environment or by_path in command):
            found[int(entry.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace")
    return found
