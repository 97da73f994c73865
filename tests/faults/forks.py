"""Our programs as forks of a fork_server.py, each with the fault that it is to meet."""

from __future__ import annotations

import array
import itertools
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
DEADLINE = 60.0
"""Seconds after which a program counts as hanging. Only a bound."""


class HangsError(AssertionError):
    """A program did not come to its end in time."""


class NoShimError(Exception):
    """The shim cannot be made here; the text says why."""


def shim(place: Path) -> Path:
    """The compiled shim.c, made in a folder. Raises NoShimError."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NoShimError("NO FAULTS TESTED: the shim needs a C compiler (apt-get install gcc libc6-dev)")
    target = place / "shim.so"
    if not target.exists():
        flags = ["-Wall", "-Wextra", "-Wno-nonnull-compare", "-O1", "-shared", "-fPIC"]
        command = [compiler, *flags, "-o", str(target), str(HERE / "shim.c"), "-ldl", "-lpthread"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise NoShimError(f"NO FAULTS TESTED: {compiler} cannot make the shim: {made.stderr[-300:]}")
    return target


class Fault:
    """What a program is to meet at its so many-th write below a folder (1: the first; 0: nothing, only counted).

    errno: 0 kills the process; else the call fails with it. torn: half of a write's bytes are written before the kill.
    sticky: every call after it fails too. armed_by: a file before whose existence nothing counts.
    """

    def __init__(
        self,
        folder: str,
        at: int = 0,
        *,
        errno: int = 0,
        torn: bool = False,
        sticky: bool = False,
        log: Path | None = None,
        armed_by: Path | None = None,
    ) -> None:
        self.environ = {
            "LLM_FAULT_PATH": os.path.realpath(folder),
            "LLM_FAULT_AT": str(at),
            "LLM_FAULT_ERRNO": str(errno),
            "LLM_FAULT_TORN": str(int(torn)),
            "LLM_FAULT_STICKY": str(int(sticky)),
            "LLM_FAULT_LOG": str(log or ""),
            "LLM_FAULT_ARM": str(armed_by or ""),
        }


NO_FAULT = Fault("")
NO_FAULT.environ["LLM_FAULT_PATH"] = ""


class Child:
    """A program that was forked: what tests use of subprocess.Popen."""

    def __init__(self, pid: int, told: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self.returncode: int | None = None
        self._told = told
        self._guard = threading.Lock()
        try:
            self._handle = os.pidfd_open(pid)  # its id may be another process's once it has ended; this never is
        except ProcessLookupError:
            self._handle = -1

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal. Raises HangsError after timeout seconds (DEADLINE)."""
        if self.returncode is None and not self._is_over(DEADLINE if timeout is None else timeout):
            raise HangsError(f"process {self.pid} has not ended")
        assert self.returncode is not None
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        if self.returncode is None:
            self._is_over(0.0)
        return self.returncode

    def _is_over(self, seconds: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._told, selectors.EVENT_READ)
            if not selector.select(seconds):
                return False
        self.returncode = int(os.read(self._told, 20) or b"-9")
        os.close(self._told)
        return True

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended. Any thread may do this."""
        with self._guard:
            if self._handle >= 0:
                try:
                    signal.pidfd_send_signal(self._handle, number)
                except ProcessLookupError:
                    pass

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Close our ends of its pipes; no signal reaches it any more."""
        with self._guard:
            if self._handle >= 0:
                os.close(self._handle)
            self._handle = -1
        for pipe in (self.stdin, self.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


class Done:
    """What a program that has ended did."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code, self.stdout, self.stderr = code, stdout, stderr


class Forks:
    """A fork server for one home; a context manager that ends it. Its children outlive it."""

    def __init__(self, shim_path: Path, environ: Mapping[str, str], errors: Path) -> None:
        """environ: the home's. errors: a folder for what the programs write to stderr."""
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.memory_bytes = 0
        """How much memory each program may map; 0: no bound."""
        self._errors = errors
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        command = [sys.executable, "-I", str(HERE / "fork_server.py"), str(ROOT), str(other.fileno())]
        self._process = subprocess.Popen(
            command,
            env={**environ, "LD_PRELOAD": str(shim_path)},
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
        )
        other.close()
        self._channel.settimeout(DEADLINE)
        assert self._channel.recv(10) == b"ready"

    @property
    def pid(self) -> int:
        """The fork server's own process."""
        return self._process.pid

    def __enter__(self) -> Forks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._process.wait(DEADLINE)

    def start(self, *argv: str, fault: Fault = NO_FAULT, stderr: Path, bound: bool = False) -> Child:
        """Start `manage.py argv`. bound: by file permissions, even as root."""
        stdin, our_stdin = os.pipe()
        our_stdout, stdout = os.pipe()
        our_told, told = os.pipe()
        with stderr.open("wb") as errors:
            given = array.array("i", [stdin, stdout, errors.fileno(), told])
            request = json.dumps(
                {"argv": argv, "environ": fault.environ, "bound": bound, "memory": self.memory_bytes}
            ).encode()
            with self._guard:
                self._channel.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
        for descriptor in (stdin, stdout, told):
            os.close(descriptor)
        pid = b""
        while not pid.endswith(b"\n"):
            pid += os.read(our_told, 1)
        return Child(int(pid), our_told, os.fdopen(our_stdin, "wb", 0), os.fdopen(our_stdout, "rb", 0))

    def run(
        self,
        *argv: str,
        stdin: bytes = b"",
        fault: Fault = NO_FAULT,
        deadline: float = DEADLINE,
        started: Callable[[Child], None] = lambda _child: None,
        bound: bool = False,
    ) -> Done:
        """Run `manage.py argv` to its end. deadline: seconds. started: is given the process. Raises HangsError."""
        errors = self._errors / f"{next(self._numbers)}.stderr"
        child = self.start(*argv, fault=fault, stderr=errors, bound=bound)
        started(child)
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            try:
                child.stdin.write(stdin)
                child.stdin.close()
            except BrokenPipeError:
                pass
            stdout = self._read(child, time.monotonic() + deadline)
            code = child.wait(deadline)
        finally:
            child.kill()
            child.close()
        stderr = errors.read_text(encoding="utf-8", errors="replace")
        errors.unlink()
        return Done(code, stdout.decode("utf-8", "replace"), stderr)

    @staticmethod
    def _read(child: Child, until: float) -> bytes:
        assert child.stdout is not None
        read = b""
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, until - time.monotonic())):
                chunk = os.read(child.stdout.fileno(), 1 << 20)
                if not chunk:
                    return read
                read += chunk
        raise HangsError(f"process {child.pid} says nothing more and has not ended")
