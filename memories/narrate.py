"""Writing a narrative in a run of `claude -p` of its own: what it will cost, the run, what it did cost.

Only ever started by a person: no hook, no server and no other command comes here. One run at a time on a machine
(flock on state/narrate.lock). What was estimated and what it cost is kept in state/narrate.jsonl.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from memories.core import budget, clock, redaction
from memories.core.errors import LockTimeoutError, NarrateError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder

MTOK_IN, MTOK_OUT = 5.0, 25.0
"""US dollars per million tokens: what Claude Code 2.1.197 reckons for its default model (Opus); 2.1.330 reckons 4 and
20 for its own. Seen in the cost that each reports for a run of known size."""

CACHE_WRITE, CACHE_READ = 1.25, 0.1
"""Parts of MTOK_IN that Anthropic's price list asks for what is written to and read from the prompt cache."""

OVERHEAD_TOKENS = 20_000
"""What a request holds before the first page: the client's own prompt, our tools, the user's CLAUDE.md."""

PAGE_TOKENS = 4_000
OTHER_STEPS = 4
STEP_OUT_TOKENS = 150
NARRATIVE_OUT_TOKENS = 6_000
"""The narrative stored once, and once more after a refusal."""

MAX_READ_TOKENS = 120_000
"""What one run reads at most: its context must hold all of it. Later runs go on with what is left."""

DEFAULT_MAX_USD = 2.0
SILENT_SECONDS = 900.0
"""A client that says nothing for so long hangs: each step of a run is a line, and the longest, the narrative of
NARRATIVE_OUT_TOKENS, takes some minutes."""

REASON_CHARS = 300

GRACE_SECONDS = 5.0
"""What a client that is told to end has to do so, before it is killed."""

TOOLS = ("narrative_coverage", "memory_get", "memory_search", "transcript_read", "memory_store")


@dataclass(frozen=True)
class Plan:
    """What a run would do: the session ids it reads, oldest first, how many are left for later, the tokens to read, and
    what it is estimated to cost in US dollars, in all and for its last, largest step."""

    project: str
    sessions: tuple[str, ...]
    left: int
    tokens: int
    usd: float
    last_step_usd: float


@dataclass(frozen=True)
class Outcome:
    """What a run did. cost_usd: as the client reports it, None where it did not come to that. reason: why it ended
    without an answer, None when it ended well."""

    cost_usd: float | None
    answer: str
    reason: str | None


def estimate_usd(read_tokens: int) -> tuple[float, float]:
    """(estimate of a run that reads so many tokens, the part of its last step), in US dollars.

    Each page is written to the cache once and read from it in every later step; so the sum grows with the square of the
    pages.
    """
    steps = math.ceil(read_tokens / PAGE_TOKENS) + OTHER_STEPS
    written = OVERHEAD_TOKENS + read_tokens
    read_again = steps * OVERHEAD_TOKENS + read_tokens * (steps + 1) / 2
    out = NARRATIVE_OUT_TOKENS + steps * STEP_OUT_TOKENS
    usd = (written * CACHE_WRITE + read_again * CACHE_READ) * MTOK_IN + out * MTOK_OUT
    last = written * CACHE_READ * MTOK_IN + NARRATIVE_OUT_TOKENS / 2 * MTOK_OUT
    return usd / 1_000_000, last / 1_000_000


def plan(coverage: dict[str, Any], narrative_tokens: int, max_usd: float) -> Plan:
    """What a run may do for at most max_usd.

    coverage: narrative_coverage's answer; `claude -p` runs among its sessions are left out, as they are from staleness.
    Raises NarrateError where nothing is to be done, or not even the oldest session can be read for that much.
    """
    entries = [entry for entry in (*coverage["unprocessed"], *coverage["grown"]) if not entry["one_shot"]]
    waiting = sorted(entries, key=lambda entry: str(entry["ended_at"]))
    if not waiting:
        raise NarrateError(f"Nothing to do for {coverage['project']}: {coverage['summary']}")
    chosen: list[dict[str, Any]] = []
    tokens = narrative_tokens
    for entry in waiting:
        more = tokens + int(entry["tokens"])
        if chosen and (more > MAX_READ_TOKENS or sum(estimate_usd(more)) > max_usd):
            break
        chosen.append(entry)
        tokens = more
    usd, last = estimate_usd(tokens)
    if usd + last > max_usd:
        raise NarrateError(
            f"Reading the oldest session ({tokens:,} tokens) is estimated at {usd:.2f} USD and {last:.2f} "
            f"to keep for the last step; --max-usd is {max_usd:.2f}. Give --max-usd {usd + last + 0.01:.2f} or more."
        )
    left = coverage["sessions_since"] - len(chosen)
    return Plan(coverage["project"], tuple(entry["session_id"] for entry in chosen), left, tokens, usd, last)


def claude_program() -> str:
    """The path of the `claude` command. Raises NarrateError where there is none."""
    found = shutil.which("claude")
    if found is None:
        raise NarrateError("There is no `claude` command on the PATH. Install Claude Code, or put it on the PATH.")
    return found


def task(skill: str, wanted: Plan, project_id: str) -> str:
    """The prompt: what the skill gives a subagent to do (its quoted part), for this project and these sessions."""
    quoted = "\n".join(line[1:].removeprefix(" ") for line in skill.splitlines() if line.startswith(">"))
    sessions = ", ".join(wanted.sessions)
    return f"{quoted}\n\nNAME is {budget.named(project_id)}. Read only these sessions in this run: {sessions}.\n"


def command(claude: str, prompt: str, folder: DataFolder, max_usd: float, model: str | None) -> list[str]:
    """The client's command line: our five tools and nothing else, no session kept, an end at max_usd."""
    server = {
        "type": "stdio",
        "command": sys.executable,
        "args": ["-I", os.path.join(_code_folder(), "manage.py"), "mcp"],
        # the client's hooks see the guard and stay quiet; the server must store all the same
        "env": {"LLM_MEMORY_HOME": folder.root, "LLM_MEMORY_GUARD": "0"},
        "alwaysLoad": True,
    }
    options = [
        "--output-format", "stream-json", "--verbose", "--no-session-persistence", "--strict-mcp-config",
        "--mcp-config", json.dumps({"mcpServers": {"llm_memory": server}}),
        "--tools", "",
        "--allowedTools", ",".join(f"mcp__llm_memory__{tool}" for tool in TOOLS),
        "--max-budget-usd", f"{max_usd:.4f}",
    ]  # fmt: skip
    return [claude, "-p", prompt, *options, *(["--model", model] if model else [])]


def _code_folder() -> str:
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(
    folder: DataFolder,
    wanted: Plan,
    prompt: str,
    *,
    max_usd: float,
    model: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Outcome:
    """Run the client to its end and give what it did.

    The client itself ends with the request that reaches the cap it is given, so it is given max_usd less the estimate
    of one last step. progress is called with the name of each tool that is used. Raises NarrateError (no client, or
    another run is under way), StorageError.
    """
    claude = claude_program()
    os.makedirs(folder.state, mode=0o700, exist_ok=True)
    try:
        with FileLock(os.path.join(folder.state, "narrate.lock")):
            _note(folder, {"event": "started", "max_usd": max_usd, **asdict(wanted)})
            outcome = Outcome(None, "", "it was interrupted")
            try:
                line = command(claude, prompt, folder, max_usd - wanted.last_step_usd, model)
                outcome = _run(line, folder, progress)
                outcome = _redacted(folder, outcome)
            finally:
                _note(folder, {"event": "ended", "project": wanted.project, **asdict(outcome)})
            return outcome
    except LockTimeoutError:
        raise NarrateError("A narrative is being written on this machine already. Wait for it to end.") from None


def _redacted(folder: DataFolder, outcome: Outcome) -> Outcome:
    """What the client said in the end, as it may be shown and kept."""
    redactor = redaction.of(folder)
    reason = None if outcome.reason is None else redactor.text(outcome.reason)[:REASON_CHARS]
    return replace(outcome, answer=redactor.text(outcome.answer), reason=reason)


def _run(line: list[str], folder: DataFolder, progress: Callable[[str], None] | None) -> Outcome:
    environment = {**os.environ, "LLM_MEMORY_GUARD": "1"}
    result: dict[str, Any] = {}
    with tempfile.TemporaryFile() as errors, _ended_by_signals():  # a pipe would fill up, and the client stand still
        client = subprocess.Popen(
            line,
            cwd=folder.state,  # no project's: neither its settings nor its CLAUDE.md have a say in this run
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # so that all that it started can be ended with it
        )
        with _watched(client) as watch:
            for event in _events(client, watch.heard):
                if event.get("type") == "result":
                    result = event
                elif progress is not None:
                    for name in _tools_used(event):
                        progress(name)
            client.wait()
        if watch.is_over and not result:
            return Outcome(None, "", f"Claude said nothing for {SILENT_SECONDS:.0f} seconds and was ended")
        errors.seek(0)
        return _outcome(result, client.returncode, errors.read().decode("utf-8", "replace"))


class _Watch:
    """Ends a client that says nothing for SILENT_SECONDS. is_over: it did."""

    def __init__(self, client: subprocess.Popen[str]) -> None:
        self.is_over = False
        self._client = client
        self._timer: threading.Timer | None = None

    def heard(self) -> None:
        """The client has said something, or was just started."""
        self.stop()
        self._timer = threading.Timer(SILENT_SECONDS, self._end)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        _signal_all(self._client, signal.SIGKILL)


@contextlib.contextmanager
def _watched(client: subprocess.Popen[str]) -> Iterator[_Watch]:
    """Watch a client; at the end, however it comes, nothing that it started is left."""
    watch = _Watch(client)
    watch.heard()
    try:
        yield watch
    finally:
        watch.stop()
        _signal_all(client, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.wait(GRACE_SECONDS)
        _signal_all(client, signal.SIGKILL)
        client.wait()
        if client.stdout is not None:
            client.stdout.close()


def _signal_all(client: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(client.pid, number)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """While this lasts, SIGTERM and SIGHUP end the process as an exception does: the client is ended first."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) == signal.SIG_DFL]  # not: nohup
    for number in ours:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _events(client: subprocess.Popen[str], heard: Callable[[], None]) -> Iterator[dict[str, Any]]:
    for line in client.stdout or ():
        heard()
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _tools_used(event: dict[str, Any]) -> list[str]:
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) and event.get("type") == "assistant" else None
    blocks = content if isinstance(content, list) else []
    return [str(block.get("name")) for block in blocks if isinstance(block, dict) and block.get("type") == "tool_use"]


def _outcome(result: dict[str, Any], code: int, errors: str) -> Outcome:
    cost = result.get("total_cost_usd")
    known = float(cost) if isinstance(cost, int | float) else None
    if result.get("subtype") == "error_max_budget_usd":
        return Outcome(known, "", "it reached its cap")
    if not result or result.get("is_error"):
        said = str(result.get("result") or "") or errors.strip().rpartition("\n")[2] or f"exit code {code}"
        return Outcome(known, "", said)
    return Outcome(known, str(result.get("result") or ""), None)


def _note(folder: DataFolder, entry: dict[str, Any]) -> None:
    """Append a line to state/narrate.jsonl. Raises StorageError."""
    path = os.path.join(folder.state, "narrate.jsonl")
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(json.dumps({"at": clock.now(), **entry}) + "\n")
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror}. Check permissions and free space.") from error


def last_run(folder: DataFolder) -> tuple[float, float] | None:
    """(estimate, cost) in US dollars of the newest run whose cost is known; None when there was none."""
    estimate: float | None = None
    found: tuple[float, float] | None = None
    try:
        with open(os.path.join(folder.state, "narrate.jsonl"), encoding="utf-8", errors="replace") as file:
            for line in file:
                entry = _parsed(line)
                if entry.get("event") == "started":
                    estimate = _number(entry.get("usd"))
                elif estimate is not None and (cost := _number(entry.get("cost_usd"))) is not None:
                    found, estimate = (estimate, cost), None
    except OSError:
        return None
    return found


def _parsed(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
