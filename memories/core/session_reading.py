"""Reading a session from its transcript: who said how much, what was done, and how it ended."""

from __future__ import annotations

from memories.core import clock, conversation, tool_lines
from memories.core.session_facts import Fact, SessionFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.conversation import Turn
    from memories.core.redact import Redactor

FINISHED = "finished after an answer"
INTERRUPTED = "interrupted by the user"
IN_TOOL = "cut off in the middle of a tool call"
UNANSWERED = "cut off before an answer"
API_ERROR = "ended on an API error"

MIXED = "mixed"
"""The entrypoint of a session that was begun in one way and gone on with in another."""

_STAMP_CHARS = len("2026-03-14T09:12:44.123Z")


class Session:
    """What one pass over a transcript gathers, line by line in the order of their timestamps."""

    def __init__(self) -> None:
        self._stamps: list[str] = []
        self.branch = ""
        self.cwd = ""
        self.facts = SessionFacts()
        self.entrypoints: dict[str, None] = {}
        self.requests = 0
        self.answers = 0
        self.opening = Fact(0, "")
        self.last_request = Fact(0, "")
        self.last_exchange = (Fact(0, ""), "")
        self._edits: dict[str, str] = {}
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

    @property
    def edited(self) -> list[str]:
        """The files whose edits went well, each once, in the order of the first."""
        return list(dict.fromkeys(path for call_id, path in self._edits.items() if call_id in self.succeeded))

    @property
    def entrypoint(self) -> str:
        """How the client was started, `cli` or `sdk-cli` say; MIXED where lines differ, "" where none tells."""
        return MIXED if len(self.entrypoints) > 1 else next(iter(self.entrypoints), "")

    @property
    def shown_exchange(self) -> tuple[Fact, str]:
        """(the last request that was answered, its answer), or the last one of all and "" where none came."""
        if self.ending == UNANSWERED and self.requests > 1:
            return self.last_request, ""
        return self.last_exchange

    def add(self, line: int, entry: dict[str, Any]) -> None:
        """Take in the next line of conversation.in_time_order."""
        time = entry.get("timestamp")
        if isinstance(time, str):
            self._stamps.append(time)
        branch, cwd = entry.get("gitBranch"), entry.get("cwd")
        if isinstance(branch, str) and branch and branch != "HEAD":
            self.branch = branch
        if isinstance(cwd, str):
            self.cwd = self.cwd or cwd
        entrypoint = entry.get("entrypoint")
        if isinstance(entrypoint, str) and entrypoint:
            self.entrypoints[entrypoint] = None
        if conversation.is_compaction(entry):
            self.compactions += 1
            return
        turn = conversation.turn_of(line, entry)
        if turn is None and conversation.is_interruption(entry):
            self.ending = INTERRUPTED
            self.open_calls.clear()
        elif turn is None and conversation.is_api_error(entry):
            self.ending = API_ERROR
        for call_id, failed in conversation.tool_results(entry) if entry.get("type") == "user" else ():
            self.open_calls.discard(call_id)
            if self.ending != INTERRUPTED:
                self.ending = IN_TOOL if self.open_calls else UNANSWERED
            if not failed:
                self.succeeded.add(call_id)
            elif tool_lines.is_refusal(entry, conversation.result_text(entry, call_id)):
                self.commands.pop(call_id, None)
        self.facts.add(line, entry, turn)
        if turn is not None and not turn.is_compact_summary:
            self._add_turn(turn, entry)

    def _add_turn(self, turn: Turn, entry: dict[str, Any]) -> None:
        if turn.role == "user":
            self.requests += 1
            self.last_request = Fact(turn.line, turn.text)
            self.opening = self.opening if self.opening.line else self.last_request
            self.ending = UNANSWERED
            self.open_calls.clear()
            return
        if turn.text:
            self.answers += 1
            self.last_exchange = (self.last_request, turn.text)
            self.ending = FINISHED
        for name, arguments, call_id in conversation.tool_calls(entry):
            self.tools[name] = self.tools.get(name, 0) + 1
            self.open_calls.add(call_id)
            self.ending = IN_TOOL
            path = conversation.edited_path(name, arguments)
            if path and conversation.PLAN_FILES not in path:
                self._edits[call_id] = path
            command = arguments.get("command")
            if name == "Bash" and isinstance(command, str):
                self.commands[call_id] = command


def gather(path: str, redactor: Redactor | None = None) -> Session:
    """Read a transcript whole. redactor: as in conversation.iter_lines. Raises TranscriptError when it cannot be
    read."""
    session = Session()
    entries = conversation.iter_entries(path, redactor=redactor, shorten=True)
    for number, entry in conversation.in_time_order(entries):
        session.add(number, entry)
    return session
