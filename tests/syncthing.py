"""A real Syncthing daemon on loopback: a throwaway home, free ports, nothing that looks for or calls another host.

with running(tmp_path / "a") as a, running(tmp_path / "b") as b:
    connect(a, b)
    a.put("/rest/config/folders/x", {...})
    a.wait(lambda: a.get("/rest/db/completion?folder=x")["completion"] == 100)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

WAIT_SECONDS = 60.0
"""How long anything may take before a test fails: never what it should take."""

OFF = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "relaysEnabled": "false",
    "natEnabled": "false",
    "crashReportingEnabled": "false",
    "startBrowser": "false",
    "stunKeepaliveStartS": "0",
    "autoUpgradeIntervalH": "0",
    "urAccepted": "-1",
    "urURL": "http://127.0.0.1:9/",
    "releasesURL": "http://127.0.0.1:9/",
    "crashReportingURL": "http://127.0.0.1:9/",
    "minHomeDiskFree": "0",
    "reconnectionIntervalS": "1",
    "setLowPriority": "false",
}
"""Options of config.xml that keep a daemon to this machine, and quick."""

QUIET = {"STNOUPGRADE": "1", "STHASHING": "minio"}
"""Environment: no upgrades; without the second in which it compares two ways to hash."""


def syncthing() -> str:
    """Debian's Syncthing, installed when we may; otherwise the test is skipped, loudly."""
    path = shutil.which("syncthing")
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "syncthing"], check=False, capture_output=True)
        path = shutil.which("syncthing")
    if path is None:
        pytest.skip("SYNCTHING SKIPPED: no syncthing here; `apt-get install syncthing` and run again")
    return path


def hide_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the environment lead to a Syncthing that is not the test's."""
    for name in ("STHOMEDIR", "STCONFDIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)


def free_ports(count: int) -> list[int]:
    """TCP ports on loopback that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Daemon:
    """One Syncthing: home (its folder), config (config.xml), url, api_key, device_id, address (what other daemons
    dial), log (what it printed). Made configured and not started. name: the device's name.

    prefix: words before the program (`faketime ...`); tls: the API speaks HTTPS with its own certificate.
    """

    def __init__(
        self,
        home: Path,
        *,
        name: str = "",
        tls: bool = False,
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.config = home / "config.xml"
        self.log = home / "daemon.log"
        self.tls = tls
        self._program = syncthing()
        self._prefix = list(prefix)
        self._environ = {**os.environ, "HOME": str(home), **QUIET, **(environ or {})}
        self._process: subprocess.Popen[str] | None = None
        home.mkdir(parents=True, exist_ok=True)
        self._run("generate", f"--home={home}", "--no-default-folder", "--skip-port-probing")
        gui, listen = free_ports(2)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{gui}"
        self.address = f"tcp://127.0.0.1:{listen}"
        self.api_key, self.device_id = self._configure(gui, name or home.name)

    def _run(self, *words: str) -> str:
        command = [self._program, *words]
        return subprocess.run(command, env=self._environ, capture_output=True, text=True, check=True).stdout

    def _configure(self, gui_port: int, name: str) -> tuple[str, str]:
        """Write ports and OFF into config.xml, before the first start; the API key and the device id."""
        tree = ET.parse(self.config)  # noqa: S314 - Syncthing has just written it
        root = tree.getroot()
        options, gui, device = root.find("options"), root.find("gui"), root.find("device")
        assert options is not None
        assert gui is not None
        assert device is not None
        device.set("name", name)
        gui.set("tls", "true" if self.tls else "false")
        _set(gui, "address", f"127.0.0.1:{gui_port}")
        for key, value in {**OFF, "listenAddress": self.address}.items():
            _set(options, key, value)
        tree.write(self.config, encoding="utf-8")
        return gui.findtext("apikey") or "", device.get("id", "")

    def start(self) -> None:
        """Start it and wait until the API answers; what was on disk before is what it starts with."""
        command = [
            *self._prefix, self._program, "serve", f"--home={self.home}", "--no-browser", "--no-restart", "--no-upgrade"
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Syncthing is two processes, a monitor and its child: kill() must end both
        )
        listening = threading.Event()
        threading.Thread(target=self._drain, args=(self._process, listening), daemon=True).start()
        assert listening.wait(WAIT_SECONDS), f"Syncthing did not start: {self.log.read_text('utf-8')}"
        assert self.get("/rest/system/ping") == {"ping": "pong"}, self.log.read_text("utf-8")

    def _drain(self, process: subprocess.Popen[str], listening: threading.Event) -> None:
        """Copy its output to the log, and say when it listens (or has ended)."""
        assert process.stdout is not None
        with self.log.open("a", encoding="utf-8") as log, process.stdout as lines:
            for line in lines:
                log.write(line)
                log.flush()
                if "GUI and API listening" in line:
                    listening.set()
        listening.set()

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it as a user would; nothing to do where it has ended."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            if how is signal.SIGTERM and self.is_running:
                self._process.send_signal(how)
                self._process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # all have ended
        self._process.wait()
        self._process = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One REST call: the parsed answer, None where there is none. Raises urllib's errors."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-API-Key": self.api_key, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own daemon
        context = None
        if self.tls:
            context = ssl.create_default_context(cafile=str(self.home / "https-cert.pem"))
            context.check_hostname = False
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS, context=context) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def get(self, path: str) -> Any:
        """GET a path below the API's address."""
        return self.call("GET", path)

    def put(self, path: str, body: Any) -> Any:
        """PUT JSON."""
        return self.call("PUT", path, body)

    def post(self, path: str, body: Any = None) -> Any:
        """POST, with JSON where there is a body."""
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """PATCH JSON."""
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self.call("DELETE", path)

    def wait(self, condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
        """What a condition gives once it is true; asked again after each event of the daemon, and each second.

        Errors of an API that is not there yet count as "not yet". Fails the test after `seconds`.
        """
        until = time.monotonic() + seconds
        last = 0
        while True:
            try:
                if found := condition():
                    return found
                events = self.get(f"/rest/events?since={last}&timeout=1")
                last = max((event["id"] for event in events or []), default=last)
            except (urllib.error.URLError, ConnectionError):
                assert self.is_running, f"Syncthing has ended: {self.log.read_text('utf-8')[-3000:]}"
            assert time.monotonic() < until, f"waited {seconds} s; the log ends: {self.log.read_text('utf-8')[-3000:]}"


def _set(parent: ET.Element, name: str, value: str) -> None:
    """Give an element one child of that name with that text."""
    for old in parent.findall(name):
        parent.remove(old)
    ET.SubElement(parent, name).text = value


@contextmanager
def running(home: Path, **options: Any) -> Iterator[Daemon]:
    """A daemon that answers until the end of the block (options as for Daemon), which kills it: that is quicker."""
    daemon = Daemon(home, **options)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.kill()


def introduce(a: Daemon, b: Daemon, *, dial: bool = True) -> None:
    """Let a know b: its id and, unless dial is False, where it listens."""
    default = a.get("/rest/config/defaults/device")
    addresses = [b.address] if dial else ["dynamic"]
    a.post("/rest/config/devices", {**default, "deviceID": b.device_id, "name": b.home.name, "addresses": addresses})


def connect(a: Daemon, b: Daemon) -> None:
    """Let two daemons know each other, and wait until they are connected.

    At first only a dials: two that dial each other at once both hang up, and may then wait for half a minute.
    """
    introduce(b, a, dial=False)
    introduce(a, b)
    a.wait(lambda: a.get("/rest/system/connections")["connections"].get(b.device_id, {}).get("connected"))
    b.patch(f"/rest/config/devices/{a.device_id}", {"addresses": [a.address]})
