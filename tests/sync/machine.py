"""A machine of a user with two: its own HOME, host name and clock, with LLM Memory installed by install.sh.

Processes of a machine run in a UTS namespace of their own, which is where the host name comes from that `origin`
carries, and under libfaketime where the machine's clock is wrong. Their file systems and network are this machine's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stdio import McpClient
from memories.core import mirror
from memories.core.paths import DataFolder
from tests.core.transcript_lines import Script
from tests.e2e.installation import INHERITED, INSTALL_SECONDS
from tests.sync.needs import faketime_library, require_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")
SECONDS = 300.0
"""How long any command may take: only a bound, test machines may be very busy."""

CLAUDE = """#!{python}
import json, os, sys
if sys.argv[1:3] != ["mcp", "add-json"]:
    sys.exit(0)
path = os.path.expanduser("~/.claude.json")
with open(path, "w", encoding="utf-8") as file:
    json.dump({{"mcpServers": {{sys.argv[3]: json.loads(sys.argv[4])}}}}, file)
"""
"""Stands in for Claude Code's command, which install.sh asks to register our server."""

NAMED = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"')


class Machine:
    """One machine. name: its host name; skew: seconds by which its clock is ahead (or, below 0, behind).

    Paths: home, claude (~/.claude), lib. folder: its data folder.
    """

    def __init__(self, place: Path, name: str, *, skew: int = 0, data: str = ".claude/memory") -> None:
        """data: where in HOME the data folder is."""
        require_root()
        self.name, self.skew = name, skew
        self.home = place / name
        self.claude = self.home / ".claude"
        self.folder = DataFolder(str(self.home / data))
        self.lib = Path(self.folder.lib)

    @property
    def env(self) -> dict[str, str]:
        """A complete environment: nothing is inherited but PATH. Under another clock, only what is asked of the clock
        differs: files keep the times that the disk gives them, as a file sync would bring them."""
        env = {
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.home / "tmp"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        if self.skew:
            fake = {"FAKETIME": f"{self.skew:+d}", "NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1"}
            env.update(fake, LD_PRELOAD=faketime_library())
        return env

    def inside(self, *command: str | Path) -> list[str]:
        """The command line that runs a command on this machine; the process is the command itself."""
        return [*NAMED, self.name, *map(str, command)]

    def run(self, *command: str | Path, stdin: str = "", code: int | None = 0, cwd: Path | None = None) -> str:
        """Run a command to its end; its output. code: the exit code it must have; None: any."""
        done = subprocess.run(
            self.inside(*command),
            input=stdin, env=self.env, cwd=cwd or self.home, text=True, capture_output=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
        assert code is None or done.returncode == code, (self.name, command, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    # --- the product -------------------------------------------------------------------------------------------

    def install(self, like: Machine | None = None) -> None:
        """Run the checkout's install.sh. like: another installed machine, whose venv it then copies."""
        for path in (self.claude, self.home / "tmp", self.home / "bin", Path(self.folder.root)):
            path.mkdir(parents=True, mode=0o700, exist_ok=True)
        claude = self.home / "bin" / "claude"
        claude.write_text(CLAUDE.format(python=sys.executable), "utf-8")
        claude.chmod(0o755)
        if like is not None:
            shutil.copytree(like.lib, self.lib, symlinks=True, copy_function=_link_or_copy)
        env = {**self.env, **INHERITED, "LLM_MEMORY_HOME": self.folder.root}
        env.setdefault("LLM_MEMORY_PYTHON", os.path.realpath(sys.executable))
        env = {name: value for name, value in env.items() if name not in {"LD_PRELOAD", "FAKETIME"}}  # pip checks dates
        done = subprocess.run(
            self.inside("sh", CHECKOUT / "install.sh", "--no-update-check"),
            env=env, cwd=self.home, text=True, capture_output=True, timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout, done.stderr)

    def llm_memory(self, *args: str, code: int | None = 0, cwd: Path | None = None) -> str:
        """Run the installed `llm-memory` command."""
        return self.run(self.home / ".local" / "bin" / "llm-memory", *args, code=code, cwd=cwd)

    def manage(self, *args: str) -> list[str]:
        """The command line of the installed manage.py, as our entries in Claude Code's files have it."""
        return [str(self.lib / "venv" / "bin" / "python"), "-I", str(self.lib / "manage.py"), *args]

    @contextmanager
    def server(self, project: Path) -> Iterator[McpClient]:
        """The MCP server of a client that was launched in a project folder."""
        env = {**self.env, "CLAUDE_PROJECT_DIR": str(project)}
        with McpClient(self.inside(*self.manage("mcp")), env, project) as client:
            yield client

    def hook(self, event: str, project: Path, **fields: Any) -> str:
        """Run one of the hooks as Claude Code does; its output."""
        payload = {"cwd": str(project), "hook_event_name": event, **fields}
        python, isolated, manage, *_ = self.manage()
        return self.run(python, isolated, "-S", manage, "hook", event, stdin=json.dumps(payload), cwd=project)

    def end_session(self, project: Path, script: Script) -> bytes:
        """Write a session's transcript where Claude Code does and run its SessionEnd hook; the transcript's bytes."""
        path = script.write(self.claude / "projects")
        self.hook("session_end", project, session_id=script.session_id, transcript_path=path, reason="other")
        return Path(path).read_bytes()

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A process of the installed interpreter that carries out what people and tools do, one after the other."""
        with Worker(self) as worker:
            yield worker

    # --- what is there -----------------------------------------------------------------------------------------

    def project(self, path: str, *, remote: str = "", marker: str = "") -> Path:
        """A project folder below HOME. remote: its git remote `origin`; marker: the id in its .llm-memory.json."""
        found = self.home / path
        found.mkdir(parents=True, exist_ok=True)
        if remote:
            self.run("git", "init", "--quiet", found)
            self.run("git", "-C", found, "remote", "add", "origin", remote)
        if marker:
            (found / ".llm-memory.json").write_text(json.dumps({"id": marker, "name": marker}), "utf-8")
        return found

    def records(self, place: str = "records") -> dict[str, dict[str, Any]]:
        """uuid -> record, of what can be read in records/ (or trash/)."""
        paths = Path(self.folder.root, place).glob("*.json")
        return {path.stem: json.loads(data) for path, data in _contents(paths) if len(path.stem) == 32}

    def files(self) -> dict[str, bytes]:
        """Path below the data folder -> content, of everything that travels. What Syncthing began to fetch and found
        that it need not is its own: `.syncthing.*.tmp`, which it never sends and removes after a day."""
        places = [Path(self.folder.root, name) for name in ("records", "trash", "transcripts", "config")]
        found = (path for place in places for path in place.rglob("*") if not path.is_dir() or path.is_symlink())
        found = (path for path in found if not (path.name.startswith(".syncthing.") and path.suffix == ".tmp"))
        return {str(path.relative_to(self.folder.root)): data for path, data in _contents(found)}

    def rows(self) -> dict[str, list[Any]]:
        """The mirror's rows that are the same for the same records, whatever the order in which they came."""
        connection = mirror.connect(self.folder.mirror)
        try:
            names = [row[1] for row in connection.execute("PRAGMA table_info(memory)") if row[1] != "id"]
            memories = connection.execute(f"SELECT {', '.join(names)} FROM memory ORDER BY uuid").fetchall()
            links = connection.execute("SELECT from_uuid, to_uuid, relationship FROM link ORDER BY 1, 2, 3").fetchall()
        finally:
            connection.close()
        return {"memory": [tuple(row) for row in memories], "link": [tuple(row) for row in links]}


def _contents(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Files with their content, without those that a sync takes away meanwhile."""
    for path in paths:
        try:
            yield path, path.read_bytes()
        except FileNotFoundError:
            continue


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another disk
        shutil.copy2(source, target, follow_symlinks=False)


class Worker:
    """worker.py on a machine. Each call is one operation; its answer, or {"error": text} where the product refused."""

    def __init__(self, machine: Machine) -> None:
        command = machine.inside(machine.lib / "venv" / "bin" / "python", "-I", WORKER, machine.lib)
        self._process = subprocess.Popen(
            command, env=machine.env, cwd=machine.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=SECONDS)

    def __call__(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Carry out an operation of worker.py."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": operation, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the worker ended at {operation} {arguments}"
        answer: dict[str, Any] = json.loads(line)
        return answer
