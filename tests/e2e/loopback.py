"""A network that holds nothing but loopback, for the clients; pytest itself stays outside.

pytest cannot be put into a network namespace half-way (install.sh, run by the same tests, needs pip). So a holder
process lives in a namespace of its own (`unshare -n`); clients are started in it through `nsenter`; and the holder
makes the fake API's listening sockets there and hands them out over a Unix socket: a socket belongs to the namespace it
was made in, wherever its descriptor goes. Pytest keeps fixtures, threads and asserts as in any other test, and the
namespace's own counters tell whether anything tried to leave it.

Where namespaces are not permitted the clients run in the common one, with proxy variables that lead nowhere.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

HOLDER = """
import socket
channel = socket.socket(fileno=0)
while channel.recv(1):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        socket.send_fds(channel, [b"s"], [listener.fileno()])
"""
"""One listening socket per byte asked for; ends when the other side is closed or dead."""
NOWHERE = "http://127.0.0.1:9"
"""The discard port of loopback: nobody listens there."""


class LoopbackNetwork:
    """Where clients run. `isolated` is False where the kernel does not permit namespaces to this user."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._channel = ours
        as_root = os.geteuid() == 0
        unshare = ["unshare", "-n"] if as_root else ["unshare", "-rn"]
        self._enter = ["-n"] if as_root else ["-U", "--preserve-credentials", "-n"]
        # `sh` and `python` are exec'd into, so this process id is the namespace's.
        script = 'ip link set lo up && exec "$0" -I -c "$1"'
        with theirs:
            self._holder = subprocess.Popen(
                [*unshare, "sh", "-c", script, sys.executable, HOLDER], stdin=theirs.fileno(), stderr=subprocess.DEVNULL
            )
        self.isolated = True
        try:
            self.listen().close()
        except OSError:
            self.isolated = False

    def listen(self) -> socket.socket:
        """A listening TCP socket on a free loopback port, inside. Raises OSError when the holder is gone."""
        if not self.isolated:
            return socket.create_server(("127.0.0.1", 0), backlog=64)
        self._channel.sendall(b"?")
        _, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
        if not descriptors:
            raise ConnectionResetError("the namespace's holder has ended")
        return socket.socket(fileno=descriptors[0])

    def inside(self, command: list[str]) -> list[str]:
        """The command line that runs `command` inside; it is exec'd, so its process id is the started one."""
        if not self.isolated:
            return command
        return ["nsenter", "-t", str(self._holder.pid), *self._enter, "--", *command]

    def environment(self) -> dict[str, str]:
        """What a client's environment needs in addition."""
        if self.isolated:
            return {}
        proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        return {**dict.fromkeys(proxies, NOWHERE), "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}

    def escapes(self) -> int:
        """How many packets anything inside tried to send to where no route leads; always 0 when not isolated."""
        if not self.isolated:
            return 0
        process = Path("/proc", str(self._holder.pid))
        names, values = [
            line.split() for line in (process / "net/snmp").read_text("ascii").splitlines() if line.startswith("Ip:")
        ]
        count = int(values[names.index("OutNoRoutes")])
        with contextlib.suppress(FileNotFoundError):  # no IPv6 in this kernel
            for line in (process / "net/snmp6").read_text("ascii").splitlines():
                name, value = line.split()
                count += int(value) if name == "Ip6OutNoRoutes" else 0
        return count

    def close(self) -> None:
        """End the holder; the namespace goes with its last process."""
        self._channel.close()
        self._holder.wait(timeout=10)
