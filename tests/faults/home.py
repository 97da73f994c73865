"""A throwaway home with a memory in it, which every try begins with anew, and its programs."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import time
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from memories.core import bundle_export, records, transcripts
from memories.core.bundle_export import Chosen
from memories.core.paths import DataFolder
from tests.core.transcript_lines import Script, short_session
from tests.faults.forks import DEADLINE, NO_FAULT, Child, Done, Fault, Forks
from tests.mcp_bridge.client import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

ARCHIVED_SESSION = "7b1e2f04-0000-4000-8000-00000000a001"
GROWN_SESSION = "7b1e2f04-0000-4000-8000-00000000a002"
NEW_SESSION = "7b1e2f04-0000-4000-8000-00000000a003"
WORDS = ("heron", "bittern", "avocet", "plover", "dunlin", "godwit")
"""One in each note of a new home: what it is found by."""

UNREADABLE = b"is not a readable record"
AN_HOUR = 3600.0


class ForkedServer(Server):
    """An MCP server that was forked rather than spawned."""

    def __init__(self, process: Child, errors: Path) -> None:
        self.process = process  # type: ignore[assignment]
        self.child = process
        self._errors = errors
        self._last_id = 0
        self._buffer = b""
        self.lines = []
        self.protocol = "2025-11-25"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.child.close()


class Home:
    """The home, its data folder, project and Claude Code's transcripts; begin() puts it back as it was."""

    def __init__(self, root: Path) -> None:
        """root: an empty folder of its own."""
        self.root = root
        self.place = root / "home"
        self.folder = DataFolder(str(self.place / "memory"))
        self.project = self.place / "orders-api"
        self.projects_dir = self.place / "claude" / "projects"
        self.bundle = self.place / "other.bundle"
        self.notes: dict[str, str] = {}
        self.project.mkdir(parents=True)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "CLAUDE_CONFIG_DIR": str(self.place / "claude"),
            "CLAUDE_PROJECT_DIR": str(self.project),
            "LLM_MEMORY_HOME": self.folder.root,
        }
        self.forks: Forks
        self._servers = itertools.count(1)

    def fill(self, forks: Forks) -> None:
        """Make the home's contents, and keep them."""
        self.forks = forks
        self.folder.create()
        for number, word in enumerate(WORDS):
            record = records.new_record(
                type="note",
                content=f"Note {number}: a {word} stood in the reeds.",
                created_at="2026-03-14T09:00:00",
                project="orders-api",
                project_id=f"path:{self.project}",
            )
            records.save(self.folder, record)
            self.notes[word] = record["uuid"]
        narrative = records.new_record(
            type="narrative",
            content="# Orders\n\n## Status\n\nThe curlew release is out.",
            project="orders-api",
            project_id=f"path:{self.project}",
            created_at="2026-03-14T09:00:00",
        )
        records.save(self.folder, narrative)
        self.notes["curlew"] = narrative["uuid"]
        gone = records.new_record(type="note", content="A whimbrel was here.", created_at="2026-03-14T09:00:00")
        records.save(self.folder, gone)
        records.delete(self.folder, gone["uuid"])
        self.deleted = gone["uuid"]
        self._write_sessions()
        self._write_bundle()
        self._date_back(2 * AN_HOUR)  # no scan takes a file of that age for one that may still be written
        self.sync()
        grown = self.session(GROWN_SESSION)
        grown.user("And now the sandpiper question")
        grown.answer("Answered.")
        for script in (grown, self.session(NEW_SESSION)):
            os.utime(script.write(self.projects_dir), (time.time() - AN_HOUR,) * 2)
        self._write_beside(NEW_SESSION)
        kept = self.root / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.place, kept, symlinks=True)

    def session(self, session_id: str) -> Script:
        """A short session's lines."""
        return short_session(str(self.project), session_id, request=f"Add a retry, says {session_id[-4:]}")

    def _write_sessions(self) -> None:
        for session_id in (ARCHIVED_SESSION, GROWN_SESSION):
            self.session(session_id).write(self.projects_dir)
        self._write_beside(ARCHIVED_SESSION)

    def _write_beside(self, session_id: str) -> None:
        beside = Path(self.source(session_id)).with_suffix("")
        for name, text in (("tool-results/one.txt", "The tool said so.\n"), ("subagents/agent-a1.jsonl", "{}\n")):
            (beside / name).parent.mkdir(parents=True)
            (beside / name).write_text(text, encoding="utf-8")

    def _write_bundle(self) -> None:
        other = DataFolder(str(self.root / "other"))
        other.create()
        for word in ("turnstone", "sanderling"):
            records.save(other, records.new_record(type="note", content=f"Another machine saw a {word}."))
        Path(other.transcripts, f"{'7b1e2f04-0000-4000-8000-00000000b001'}.jsonl").write_bytes(
            short_session("/elsewhere", "7b1e2f04-0000-4000-8000-00000000b001").dump()
        )
        bundle_export.export(other, str(self.bundle), Chosen())
        shutil.rmtree(other.root)

    def _date_back(self, seconds: float) -> None:
        for base, _, names in os.walk(self.place):
            for name in names:
                os.utime(os.path.join(base, name), (time.time() - seconds,) * 2)

    def begin(self) -> None:
        """Everything as it was when it was filled."""
        shutil.rmtree(self.place)
        shutil.copytree(self.root / "kept", self.place, symlinks=True)

    def source(self, session_id: str) -> str:
        """Claude Code's own transcript of a session."""
        return str(self.projects_dir / transcripts.slug(str(self.project)) / f"{session_id}.jsonl")

    # Its programs.

    def command(self, *argv: str, fault: Fault = NO_FAULT, bound: bool = False) -> Done:
        """Run `llm-memory argv`. bound: by file permissions, even as root."""
        return self.forks.run(*argv, fault=fault, bound=bound)

    def sync(self) -> Done:
        """Run `llm-memory sync`, which must succeed."""
        done = self.command("sync")
        assert done.code == 0, done.stderr
        return done

    def hook(
        self,
        event: str,
        session_id: str,
        fields: Mapping[str, object] | None = None,
        *,
        fault: Fault = NO_FAULT,
        started: Callable[[Child], None] = lambda _child: None,
        bound: bool = False,
    ) -> Done:
        """Run a hook for a session. fields: further ones of its input. started: is given the process."""
        given = {
            "session_id": session_id,
            "transcript_path": self.source(session_id),
            "cwd": str(self.project),
            "hook_event_name": event,
            **(fields or {}),
        }
        stdin = json.dumps(given).encode()
        return self.forks.run("hook", event, stdin=stdin, fault=fault, started=started, bound=bound)

    def server(self, *, fault: Fault = NO_FAULT, bound: bool = False) -> ForkedServer:
        """A server, after its handshake."""
        errors = self.root / f"server-{next(self._servers)}.stderr"
        server = ForkedServer(self.forks.start("mcp", fault=fault, stderr=errors, bound=bound), errors)
        server.initialize()
        return server

    @contextmanager
    def dashboard(self) -> Iterator[Callable[[str], int]]:
        """A dashboard: gives what asks it for a page, and tells the answer's status code (0: it says that the record's
        file is unreadable, which it answers with 500 as it does a crash)."""
        child = self.forks.start("runserver", "0", stderr=self.root / "dashboard.stderr")
        assert child.stdout is not None
        try:
            line = b""
            while not line.endswith(b"\n"):
                read = os.read(child.stdout.fileno(), 1)
                assert read, (self.root / "dashboard.stderr").read_text(encoding="utf-8")
                line += read
            port = int(line.split(b"http://127.0.0.1:")[1].split(b"/")[0])

            def ask(path: str) -> int:
                connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
                try:
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    is_said = answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and UNREADABLE in answer.read()
                    return 0 if is_said else answer.status
                finally:
                    connection.close()

            yield ask
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()
            child.close()

    def left_running(self, seconds: float) -> list[int]:
        """Processes with this home that do not end within so many seconds (a detached sync takes one or two)."""
        until = time.monotonic() + seconds
        while (found := list(processes_of(self.folder, but=self.forks.pid))) and time.monotonic() < until:
            time.sleep(0.02)
        return found


def processes_of(folder: DataFolder, *, but: int = 0) -> Iterator[int]:
    """Processes that run with a data folder in their environment, without one."""
    sought = f"LLM_MEMORY_HOME={folder.root}\0".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == but:
            continue
        try:
            environ = Path("/proc", name, "environ").read_bytes() + b"\0"
            state = Path("/proc", name, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            continue  # gone meanwhile, or another user's
        if sought in environ and state != "Z":
            yield int(name)
