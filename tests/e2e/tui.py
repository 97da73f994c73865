"""The interactive client in a private tmux server: keys in, screens out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from tests.e2e.fake_anthropic import FakeAnthropic
    from tests.e2e.home import Home

READY = r"\? for shortcuts"
"""The prompt's own hint, gone once something is typed."""
CLEARED = r"\A(?![\s\S]*● )[\s\S]*❯"
"""A screen with the prompt and no answer on it."""
CONNECTED = r"✔ llm_memory|llm_memory · ✔"
"""Our server's line in the /mcp panel of 2.1.330 and of 2.1.197."""
POLL_SECONDS = 0.1
TMUX_ENV = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": "/nonexistent"}


class Tui:
    """A terminal session, ready for input once entered; the tmux server ends on leaving."""

    def __init__(self, home: Home, api: FakeAnthropic, *args: str) -> None:
        self._home = home
        self._scratch = tempfile.mkdtemp(prefix="tui-")  # a socket's path must be short
        self._status = home.path / "tui.status"
        self._status.unlink(missing_ok=True)
        environment = [f"{name}={value}" for name, value in home.env(api).items()]
        client = shlex.join(["env", "-i", *environment, str(home.claude), *args])
        shell = f"{client}; echo $? > {shlex.quote(str(self._status))}"
        size = ("-x", "160", "-y", "50")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", *size, "-c", str(home.project), shell)

    def __enter__(self) -> Tui:
        self.wait(READY)
        self.settle()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._tmux("kill-server")
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _tmux(self, *args: str) -> str:
        command = self._home.network.inside(["tmux", "-S", f"{self._scratch}/s", *args])
        env = {"PATH": os.environ["PATH"], **TMUX_ENV}
        return subprocess.run(command, env=env, text=True, capture_output=True, check=False).stdout

    def screen(self) -> str:
        """What the terminal shows."""
        return self._tmux("capture-pane", "-p", "-t", "t")

    def key(self, *names: str) -> None:
        """Press keys by tmux's names, such as "C-c"."""
        self._tmux("send-keys", "-t", "t", *names)

    def submit(self, text: str) -> None:
        """Type a line and press Enter. Keys sent while the prompt is being set up get lost: look, and retry."""
        typed = "❯.*" + re.escape(text[:30]).replace(r"\ ", r"\s+")
        for _ in range(5):
            self._tmux("send-keys", "-t", "t", "-l", text)
            try:
                self.wait(typed, 2)
                break
            except TimeoutError:
                self.key("C-u")
        time.sleep(0.3)  # Enter directly behind the text is taken as pasted
        self.key("Enter")

    def say(self, text: str, answer: str) -> None:
        """Submit a line and wait for a pattern of what comes back."""
        self.submit(text)
        self.wait(answer)

    def wait_for_server(self) -> None:
        """Wait until our server is connected: a terminal session does not, and 2.1.197 refuses calls until then."""
        self.say("/mcp", CONNECTED)
        self.key("Escape")
        self.wait(READY)

    def wait(self, pattern: str, seconds: float = 30) -> str:
        """Wait for a pattern to be on the screen; the screen. Raises TimeoutError, showing it."""
        end = time.monotonic() + seconds
        while not re.search(pattern, screen := self.screen()):
            if time.monotonic() > end:
                raise TimeoutError(f"no {pattern!r} on screen:\n{screen}")
            time.sleep(POLL_SECONDS)
        return screen

    def settle(self, quiet: float = 1.0, seconds: float = 20) -> None:
        """Wait until the screen has not changed for `quiet` seconds."""
        end = time.monotonic() + seconds
        last, since = "", time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet:
            screen = self.screen()
            if screen != last:
                last, since = screen, time.monotonic()
            time.sleep(POLL_SECONDS)

    def ended(self, seconds: float = 30) -> int:
        """Wait for the client to end by itself; its exit status. Raises TimeoutError, showing the screen."""
        end = time.monotonic() + seconds
        while not (self._status.exists() and self._status.read_text("utf-8")):
            if time.monotonic() > end:
                raise TimeoutError(f"the client still runs:\n{self.screen()}")
            time.sleep(POLL_SECONDS)
        return int(self._status.read_text("utf-8"))


def terminal_session(home: Home, asked: str, answer: str) -> str:
    """A whole session in a terminal, of one exchange; its id. Unlike a `claude -p` run, it counts for a narrative."""
    with home.model([answer]) as api, Tui(home, api) as tui:
        tui.say(asked, re.escape(answer))
        tui.submit("/exit")
        tui.ended()
    return api.of_kind("main")[0].session_id
