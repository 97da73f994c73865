"""`claude -p`: one prompt in, JSON events out."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.fake_anthropic import FakeAnthropic
    from tests.e2e.home import Home

SESSION_SECONDS = 120


class PrintResult:
    """What a finished `claude -p` gave: exit code, the stream-json events, standard error."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.err = code, err
        self.events: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    @property
    def session_id(self) -> str:
        """The session's id, as its events say it."""
        return str(self.events[0]["session_id"])

    def answer(self) -> str:
        """The final answer's text. Raises StopIteration when the session gave none."""
        return str(next(event for event in self.events if event["type"] == "result")["result"])

    def hook_outputs(self, event: str) -> list[dict[str, Any]]:
        """What the hooks of an event printed, parsed; each must be a JSON object."""
        return [
            json.loads(found["stdout"])
            for found in self.events
            if found.get("subtype") == "hook_response" and found["hook_event"] == event and found["stdout"]
        ]


def start_print(
    home: Home,
    api: FakeAnthropic,
    prompt: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[str]:
    """`claude -p` as a running process, to be signalled; its own id, not a wrapper's."""
    command = [str(home.claude), "-p", prompt, "--output-format", "stream-json", "--verbose", *args]
    return subprocess.Popen(
        home.network.inside(command),
        env=home.env(api, env),
        cwd=cwd or home.project,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[str]) -> PrintResult:
    """Wait for a started session to end. Raises subprocess.TimeoutExpired after two minutes, having killed it."""
    try:
        out, err = process.communicate(timeout=SESSION_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return PrintResult(process.returncode, out, err)


def run_print(
    home: Home,
    api: FakeAnthropic,
    prompt: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> PrintResult:
    """Run `claude -p` to its end, which must be a good one."""
    result = finish(start_print(home, api, prompt, *args, env=env, cwd=cwd))
    assert result.code == 0, (result.err, result.events[-1:])
    return result
