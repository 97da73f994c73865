"""Session logs: what happened in a session, told from its transcript without any model.

Deterministic: the same transcript and project give the same record, so that two machines never disagree about one.
"""

from __future__ import annotations

import json
import os
import re

from memories.core import clock, conversation, records, transcripts
from memories.core.errors import RecordNotFoundError, TranscriptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.conversation import Turn
    from memories.core.paths import DataFolder
    from memories.core.projects import Project

NAMESPACE = "6f1c1f0e-4d0b-5b0e-9a5e-1c4b6a0f7d21"
"""Session logs' ids are uuid5 of the session id in this namespace (docs/records.md)."""

IMPORTANCE = 3
MAX_CHARS = 3500
"""Characters a session log's content never exceeds: the sum of the caps below and of what stands around them."""

OPENING_CHARS = 700
LAST_REQUEST_CHARS = 400
LAST_ANSWER_CHARS = 800
LIST_CHARS = 300
TOOLS_CHARS = 150
COMMAND_CHARS = 100

_DERIVED = ("schema_version", "type", "content", "project", "project_id", "session_id", "transcript_ref", "created_at")
_PARSED_COMMAND_CHARS = 4000
_STAMP_CHARS = len("2026-03-14T09:12:44.123Z")
_COMMIT = re.compile(r"""\bgit\b[^\n;&|'"]{0,200}\bcommit\b[^\n;&|'"]{0,200}?\s(?:-[a-zA-Z]*m|--message)[ =]?\s*""")
_HEREDOC = re.compile(r"""\$\(\s*cat\s*<<-?\s*\\?['"]?\w+['"]?[^\n]*\n""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_LOOKING = frozenset(
    "cat cd cut date echo env export file find grep head less ls nl ps pwd rg sed sleep sort stat tail test tree true "
    "type wc which".split()
)
_TELLING = re.compile(
    r"\b(?:test|tests|pytest|build|deploy|migrate|release|publish|install|lint|mypy|ruff|make|push)\b"
)

FINISHED = "finished after an answer"
INTERRUPTED = "interrupted by the user"
IN_TOOL = "cut off in the middle of a tool call"
UNANSWERED = "cut off before an answer"
API_ERROR = "ended on an API error"


def log_uuid(session_id: str) -> str:
    """The id of a session's log: uuid5(NAMESPACE, session_id) as 32 hex digits (without the uuid module's import)."""
    import hashlib

    name = bytes.fromhex(NAMESPACE.replace("-", "")) + session_id.encode("utf-8")
    digest = bytearray(hashlib.sha1(name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # the variant of RFC 4122
    return digest.hex()


class _Session:
    """What one pass over a transcript gathers, line by line in the order of their timestamps."""

    def __init__(self) -> None:
        self._stamps: list[str] = []
        self.branch = ""
        self.cwd = ""
        self.requests: list[str] = []
        self.answers = 0
        self.last_exchange = ("", "")
        self.edited: dict[str, None] = {}
        self.commands: dict[str, str] = {}
        self.succeeded: set[str] = set()
        self.tools: dict[str, int] = {}
        self.open_calls: set[str] = set()
        self.compactions = 0
        self.ending = UNANSWERED

    @property
    def times(self) -> list[str]:
        """Record times of the session's lines; where all are written alike, only the first and the last."""
        stamps = self._stamps
        if stamps and all(len(stamp) == _STAMP_CHARS and stamp[-1] == "Z" for stamp in stamps):
            stamps = [min(stamps), max(stamps)]
        return [time for time in map(clock.normalise_time, stamps) if time]

    def add(self, line: int, entry: dict[str, Any]) -> None:
        time = entry.get("timestamp")
        if isinstance(time, str):
            self._stamps.append(time)
        branch, cwd = entry.get("gitBranch"), entry.get("cwd")
        if isinstance(branch, str) and branch and branch != "HEAD":
            self.branch = branch
        if isinstance(cwd, str):
            self.cwd = self.cwd or cwd
        if conversation.is_compaction(entry):
            self.compactions += 1
            return
        if conversation.is_interruption(entry):
            self.ending = INTERRUPTED
            self.open_calls.clear()
        elif conversation.is_api_error(entry):
            self.ending = API_ERROR
        for call_id, failed in conversation.tool_results(entry):
            self.open_calls.discard(call_id)
            if self.ending != INTERRUPTED:
                self.ending = IN_TOOL if self.open_calls else UNANSWERED
            if not failed:
                self.succeeded.add(call_id)
        turn = conversation.turn_of(line, entry)
        if turn is not None and not turn.is_compact_summary:
            self._add_turn(turn, entry)

    def _add_turn(self, turn: Turn, entry: dict[str, Any]) -> None:
        if turn.role == "user":
            self.requests.append(turn.text)
            self.ending = UNANSWERED
            self.open_calls.clear()
            return
        if turn.text:
            self.answers += 1
            self.last_exchange = (self.requests[-1] if self.requests else "", turn.text)
            self.ending = FINISHED
        for name, arguments, call_id in conversation.tool_calls(entry):
            self.tools[name] = self.tools.get(name, 0) + 1
            self.open_calls.add(call_id)
            self.ending = IN_TOOL
            path = conversation.edited_path(name, arguments)
            if path:
                self.edited[path] = None
            command = arguments.get("command")
            if name == "Bash" and isinstance(command, str):
                self.commands[call_id] = command[:_PARSED_COMMAND_CHARS]


def _gather(path: str) -> _Session:
    """Read a transcript. The client writes some lines late, so they are taken by timestamp, not by place."""
    entries: list[tuple[str, int, dict[str, Any]]] = []
    previous = ""
    for number, entry in conversation.iter_entries(path):
        time = entry.get("timestamp")
        previous = time if isinstance(time, str) else previous
        entries.append((previous, number, _slim(entry)))
    entries.sort(key=lambda item: item[0])
    session = _Session()
    for _, number, entry in entries:
        session.add(number, entry)
    return session


def _slim(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry without the tool's own copy of its result, which can be megabytes."""
    entry.pop("toolUseResult", None)
    return entry


def build(path: str, project: Project | None) -> dict[str, Any] | None:
    """The session log of a transcript as a record, not on disk yet; None when nobody said anything in it.

    created_at is the session's own end. Raises TranscriptError when the file cannot be read.
    """
    session = _gather(path)
    if not session.requests and not session.answers and not session.tools:
        return None
    session_id = os.path.basename(path).removesuffix(transcripts.SUFFIX)
    return {
        "schema_version": records.SCHEMA_VERSION,
        "uuid": log_uuid(session_id),
        "type": "session_log",
        "content": _content(session, project),
        "project": project.name if project else None,
        "project_id": project.id if project else None,
        "session_id": session_id,
        "importance": IMPORTANCE,
        "transcript_ref": json.dumps([session_id]),
        "tags": None,
        "created_at": max(session.times, default="") or _file_time(path),
        "connections": [],
        "status": "active",
    }


def _file_time(path: str) -> str:
    try:
        return clock.format_time(os.stat(path).st_mtime)
    except OSError as error:
        raise TranscriptError(f"Cannot read {path}: {error.strerror}. Check that it exists.") from error


def _content(session: _Session, project: Project | None) -> str:
    where = f"Project: {_cut(project.name, 80) if project else 'none'}"
    if session.branch:
        where += f" · branch: {_cut(session.branch, 80)}"
    said = f"Said: {_count(len(session.requests), 'request')}, {_count(session.answers, 'answer')}"
    if session.compactions:
        said += f", compacted {_count(session.compactions, 'time')}"
    request, answer = session.last_exchange
    opening = session.requests[0] if session.requests else ""
    if session.requests and session.ending == UNANSWERED and len(session.requests) > 1:
        request, answer = session.requests[-1], ""
    commands, commits = _commands_and_commits(session)
    parts = [
        "\n".join(filter(None, (where, _when(session.times), said, f"Ended: {session.ending}"))),
        _part("Opening request", _quoted(opening, OPENING_CHARS)),
        _part("Last request", _quoted(request, LAST_REQUEST_CHARS) if request != opening else ""),
        _part("Last answer", _quoted(answer, LAST_ANSWER_CHARS)),
        _part("Files edited", _listed([_shown(name, session.cwd, project) for name in session.edited], "")),
        _part("Commits", _listed(commits, "")),
        _part("Commands", _listed(commands, "`")),
        _part(
            "Tools used", _cut(", ".join(f"{name} {count}" for name, count in _most_used(session.tools)), TOOLS_CHARS)
        ),
    ]
    return "\n\n".join(filter(None, parts))


def _when(times: list[str]) -> str:
    if not times:
        return ""
    start, end = min(times), max(times)
    minutes = ((clock.parse_time(end) or 0) - (clock.parse_time(start) or 0)) // 60
    hours, rest = divmod(minutes, 60)
    lasted = f"{hours} h {rest} min" if hours else f"{minutes} min"
    return f"Time: {start.replace('T', ' ')} to {end.replace('T', ' ')} UTC ({lasted})"


def _part(title: str, body: str) -> str:
    return f"## {title}\n{body}" if body else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _most_used(tools: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(tools.items(), key=lambda item: (-item[1], item[0]))


def _one_line(text: str) -> str:
    """Text on one line, without control characters or halves of surrogate pairs."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode("utf-8")).strip()


def _cut(text: str, limit: int) -> str:
    """One line of at most limit characters, cut between words where there is a space in its second half."""
    line = _one_line(text)
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    space = head.rfind(" ", limit // 2)
    return (head[:space] if space > 0 else head).rstrip() + "…"


def _quoted(text: str, limit: int) -> str:
    line = _cut(text, limit)
    return f"> {line}" if line else ""


def _listed(items: list[str], quote: str) -> str:
    """A Markdown list within LIST_CHARS; what does not fit is counted."""
    lines: list[str] = []
    room = LIST_CHARS - len("- and 1000000 more")
    for position, item in enumerate(items):
        line = f"- {quote}{item}{quote}"
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- and {len(items) - position} more")
            break
        lines.append(line)
    return "\n".join(lines)


def _shown(path: str, cwd: str, project: Project | None) -> str:
    """A file's path relative to the project's root or the session's folder where it lies inside."""
    for root in (project.root if project else "", cwd):
        if root and path.startswith(root.rstrip("/") + "/"):
            path = path[len(root.rstrip("/")) + 1 :]
            break
    return _cut(path, COMMAND_CHARS)


def _commands_and_commits(session: _Session) -> tuple[list[str], list[str]]:
    """(commands, most telling first; subjects of the commits made), each once, calls that failed only as commands."""
    commands: dict[str, int] = {}
    commits: dict[str, None] = {}
    for call_id, command in session.commands.items():
        subject = _commit_subject(command)
        if subject and call_id in session.succeeded:
            commits[subject] = None
            continue
        words = command.split(maxsplit=1)
        rank = 2 if words and words[0] in _LOOKING else 1
        commands.setdefault(_cut(command.replace("`", "'"), COMMAND_CHARS), 0 if _TELLING.search(command) else rank)
    commands.pop("", None)
    return sorted(commands, key=lambda name: commands[name]), list(commits)


def _commit_subject(command: str) -> str:
    """The first line of a `git commit -m` message; "" when there is none."""
    found = _COMMIT.search(command)
    if found is None:
        return ""
    rest = command[found.end() :]
    quote = rest[:1]
    if quote in {"'", '"'}:
        rest = rest[1:]
        heredoc = _HEREDOC.match(rest) if quote == '"' else None
        rest = rest[heredoc.end() :] if heredoc else rest.partition(quote)[0]
        return _cut(rest.lstrip().partition("\n")[0], COMMAND_CHARS)
    return _cut(re.split(r"[\s;&|]", rest, maxsplit=1)[0], COMMAND_CHARS)


def store(folder: DataFolder, log: dict[str, Any]) -> bool:
    """Save a built log unless disk holds the same, a later one, or its tombstone. True when it was written.

    What others put into the record is kept: unknown fields, connections, status, tags, importance. Raises
    InvalidRecordError (the file there is not a record; it is left alone), StorageError, LockTimeoutError.
    """
    with records.lock(folder):
        try:
            old = records.load(folder, log["uuid"])
        except RecordNotFoundError:
            if records.tombstone(folder, log["uuid"]) is not None:
                return False
            records.save(folder, log)
            return True
        if (clock.parse_time(old["created_at"]) or 0) > (clock.parse_time(log["created_at"]) or 0):
            return False
        merged = {**old, **{name: log[name] for name in _DERIVED}}
        if merged == old:
            return False
        records.save(folder, merged)
        return True


def refresh(folder: DataFolder, path: str, project: Project | None) -> bool:
    """Build a transcript's session log and store it; True when it was written. Raises what build and store raise."""
    log = build(path, project)
    return log is not None and store(folder, log)


def exists(folder: DataFolder, session_id: str) -> bool:
    """Whether a session has its log, or had one that was deleted."""
    uuid = log_uuid(session_id)
    return os.path.lexists(records.record_path(folder, uuid)) or records.tombstone(folder, uuid) is not None
