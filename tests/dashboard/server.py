"""`manage.py runserver` as a process of its own, as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import Message
from http.client import HTTPConnection
from urllib.parse import urlsplit

from django.conf import settings

from memories.core.paths import DataFolder

MANAGE = str(settings.BASE_DIR / "manage.py")


def environment(folder: DataFolder) -> dict[str, str]:
    """This process's, with the throwaway data folder and without pytest's settings."""
    return {**os.environ, "LLM_MEMORY_HOME": folder.root, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def running(folder: DataFolder, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command, with its output as text; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, MANAGE, "runserver", *arguments],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def address_of(process: subprocess.Popen[str]) -> str:
    """The address in the first line that it prints, once it listens."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+/", line)
    assert found, f"no address in {line!r}"
    return found[0]


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C; the rest of its output."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=20)


@contextmanager
def dashboard(folder: DataFolder) -> Iterator[str]:
    """A dashboard on a free port: its address."""
    with running(folder, "0") as process:
        yield address_of(process)


def get(address: str, **headers: str) -> tuple[int, Message, str]:
    """What a GET of the address answers: status, headers, text."""
    parts = urlsplit(address)
    with closing(HTTPConnection(parts.netloc, timeout=20)) as connection:
        connection.request("GET", parts.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
