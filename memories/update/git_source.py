"""Versions of a git remote: its tags vX.Y.Z, and where it has none, the commit that its HEAD is at."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading

from memories.core.errors import UpdateError
from memories.core.transcript_items import clean
from memories.update import addresses

ASK_SECONDS = 20.0
"""For listing a remote's tags."""

FETCH_SECONDS = 300.0
"""For a clone of one commit."""

MAX_OUTPUT = 1_000_000
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.askPass": "",
    "credential.interactive": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",
}
"""Over the user's own: no hook of theirs is run and nobody is asked; their credential helpers and ssh keys are used."""

_TAG = re.compile(r"refs/tags/v(\d{1,6}\.\d{1,6}\.\d{1,6})(?:\^\{\})?")
_FULL = re.compile("No space left on device|Disk quota exceeded")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Remote:
    """What a remote has. tags: version (`2.1.0`) -> commit. head: HEAD's commit, "" where it has none."""

    __slots__ = ("head", "tags")

    def __init__(self, tags: dict[str, str], head: str) -> None:
        self.tags = tags
        self.head = head


def ask(url: str, *, seconds: float = ASK_SECONDS) -> Remote:
    """List a remote's tags and HEAD. Raises UpdateError: no git, no answer in time, or none that git understands."""
    listed = run(["ls-remote", "--", url, "HEAD", "refs/tags/v*"], seconds)
    tags: dict[str, str] = {}
    head = ""
    for line in listed.splitlines():
        commit, _, name = line.partition("\t")
        tag = _TAG.fullmatch(name)
        if not _COMMIT.fullmatch(commit):
            continue
        if name == "HEAD":
            head = commit
        elif tag is not None:  # an annotated tag is listed twice, its commit last
            tags[tag[1]] = commit
    return Remote(tags, head)


def fetch(url: str, tag: str, into: str) -> str:
    """Clone a tag ("": HEAD) into a folder that is not there yet; the commit. Raises UpdateError."""
    wanted = ["--branch", tag] if tag else []
    options = ["--quiet", "--depth", "1", "--no-local", "--no-tags", "--template=", *wanted]
    run(["clone", *options, "--", url, into], FETCH_SECONDS)
    found = _COMMIT.search(run(["-C", into, "rev-parse", "HEAD"], ASK_SECONDS))
    return found[0] if found else ""


def run(arguments: list[str], seconds: float) -> str:
    """What git says, warnings among it. Ended with all that it started after so many seconds, or MAX_OUTPUT bytes.

    Raises UpdateError.
    """
    command = ["git", *(word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")), *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise UpdateError(f"git cannot be started ({error.strerror}): install git, then try again.") from error
    timer = threading.Timer(seconds, _end, (process,))
    timer.start()
    with process:
        try:
            out = process.stdout.read(MAX_OUTPUT + 1) if process.stdout else b""
            too_much = len(out) > MAX_OUTPUT
            if not too_much:
                process.wait()
            in_time = timer.is_alive()
        finally:
            timer.cancel()
            _end(process)
    if not in_time or too_much:
        why = "gave more than any answer has" if too_much else f"had no answer within {seconds:.0f} s"
        raise UpdateError(f"git {why}: look at the address and the network, then try again.")
    said = out.decode("utf-8", "replace")
    if process.returncode:
        shown = clean(addresses.without_credentials(said))[:300].replace("\n", " ")
        todo = "Make room, then try again" if _FULL.search(said) else "Check the address and your access"
        raise UpdateError(f"git {arguments[0]} failed: {shown or process.returncode}. {todo}.")
    return said


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started; harmless where it has ended and was waited for."""
    if process.returncode is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Without what would lead git to another repository or have somebody asked."""
    users = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL", "GIT_SSL_CAINFO")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in users}
    asked = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never"}
    return {**kept, **asked, "GIT_ALLOW_PROTOCOL": "https:http:ssh:git+ssh:ssh+git:file", "LC_ALL": "C"}
