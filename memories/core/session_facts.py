"""What a session says about itself without any model: requests, decisions, errors and how they ended, open items.

Nothing is guessed. A decision is an approved plan, an answered question, or a sentence of the user's own, quoted.
Memory is bounded whatever the transcript's size: each list has a cap, and keeps its newest.
"""

from __future__ import annotations

import re

from memories.core import conversation, decision_cues, shell_commands, tool_lines
from memories.core.open_items import OpenItems
from memories.core.patterns import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.conversation import Turn

MAX_REQUESTS = 60
MAX_DECISIONS = 40
MAX_FAILURES = 60
MAX_CALLS = 500
"""Far more than a session log or a briefing can show; calls without a result are forgotten beyond this."""

REQUEST_CHARS = 400
ANSWER_CHARS = 160
KEY_CHARS = 500
"""Commands that are the same so far are the same command."""

FIXED = "fixed by a later run"
STILL_FAILING = "still failing at the end"
NOT_TRIED_AGAIN = "not tried again"
RUN_ON = "run again in the background, its end is not known"

PLAN, ANSWER, SAID = "plan approved: ", "answered: ", "the user said: "
"""How a decision begins."""

_LOOKING_TOOLS = frozenset({"Read", "Glob", "Grep", "LS", "ToolSearch"})
"""What finds nothing has found that out: an answer, and no error."""

_GENERIC_TITLE = lazy(r"(?:the |implementation )?(?:plan|overview|summary|context)\W*", re.IGNORECASE)


class Fact:
    """One thing said. line: 1-based line in the transcript. text: on one line."""

    __slots__ = ("line", "text")

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        self.text = text


class Failure:
    """A command or tool call that failed. line: of its last failure. what: the command, or tool and target. error: the
    first line that tells it. ended: FIXED, STILL_FAILING, RUN_ON or NOT_TRIED_AGAIN."""

    __slots__ = ("error", "is_fixed", "is_running", "line", "times", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.line = 0
        self.error = ""
        self.times = 0
        self.is_fixed = False
        self.is_running = False

    @property
    def ended(self) -> str:
        """How it ended, as far as the transcript shows."""
        if self.is_fixed:
            return FIXED
        if self.is_running:
            return RUN_ON
        return STILL_FAILING if self.times > 1 else NOT_TRIED_AGAIN


class _Call:
    """A tool call that waits for its result."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self.name = name
        self.arguments = arguments


class SessionFacts:
    """Gathers from a conversation's lines, given in the order of their time.

    Of a session with more than the caps allow, the newest is kept; of decisions, plans and answers before sentences.
    """

    def __init__(self) -> None:
        self._requests: list[tuple[int, str]] = []
        self._decisions: dict[str, Fact] = {}
        self._failures: dict[str, Failure] = {}
        self._calls: dict[str, _Call] = {}
        self._items = OpenItems()

    @property
    def requests(self) -> list[Fact]:
        """The newest of the user's requests, in their own words up to REQUEST_CHARS, oldest first."""
        return [
            Fact(line, tool_lines.one_line(conversation.without_paste_marks(text), REQUEST_CHARS))
            for line, text in self._requests
        ]

    @property
    def decisions(self) -> list[Fact]:
        """Each decision once, what kind it is in front, at its first place, oldest first."""
        return list(self._decisions.values())

    @property
    def failures(self) -> list[Failure]:
        """What failed, each command or target once, in the order of the last failures. Edits that were aimed better
        later are left out, and calls that the client did not run."""
        return sorted(self._failures.values(), key=lambda one: one.line)

    @property
    def open_items(self) -> list[str]:
        """What the newest to-do or task list has not completed."""
        return self._items.open

    def add(self, line: int, entry: dict[str, Any], turn: Turn | None) -> None:
        """Take in one line of conversation.iter_entries; turn: what conversation.turn_of makes of it."""
        if entry.get("type") == "user":
            for call_id, failed in conversation.tool_results(entry):
                self._add_result(line, entry, call_id, failed=failed)
        if turn is None or turn.is_compact_summary:
            return
        if turn.role == "user":
            self._add_request(turn)
        else:
            for name, arguments, call_id in conversation.tool_calls(entry):
                self._calls[call_id] = _Call(name, arguments)
                if len(self._calls) > MAX_CALLS:
                    del self._calls[next(iter(self._calls))]

    def _add_request(self, turn: Turn) -> None:
        self._requests.append((turn.line, turn.text))
        if len(self._requests) > MAX_REQUESTS:
            del self._requests[0]
        for sentence in decision_cues.deciding_sentences(turn.text):
            self._decide(turn.line, SAID, f'"{tool_lines.one_line(sentence, decision_cues.SENTENCE_CHARS)}"')

    def _add_result(self, line: int, entry: dict[str, Any], call_id: str, *, failed: bool) -> None:
        call = self._calls.pop(call_id, None)
        self._items.note_result(entry)
        if failed:
            text = conversation.result_text(entry, call_id)
            if tool_lines.is_refusal(entry, text):
                self._add_refusal(line, entry, text)
            elif call is not None:
                self._add_failure(line, call, text)
        elif call is not None:
            self._items.note_call(call.name, call.arguments)
            self._add_answers(line, call, entry)
            self._add_success(call)

    def _add_refusal(self, line: int, entry: dict[str, Any], text: str) -> None:
        words = tool_lines.said_in_result(entry, [text])
        if words:
            self._decide(line, SAID, f'"{tool_lines.one_line(words, decision_cues.SENTENCE_CHARS)}"')

    def _add_answers(self, line: int, call: _Call, entry: dict[str, Any]) -> None:
        if call.name not in {"ExitPlanMode", "AskUserQuestion"}:
            return
        kept = entry.get("toolUseResult")
        kept = kept if isinstance(kept, dict) else {}
        if call.name == "ExitPlanMode":
            plan = next((text for text in (kept.get("plan"), call.arguments.get("plan")) if isinstance(text, str)), "")
            self._decide(line, PLAN, _title(plan))
        answers = kept.get("answers")
        if call.name == "AskUserQuestion" and isinstance(answers, dict):
            for question, answer in answers.items():
                if isinstance(answer, str) and answer.strip():
                    told = (tool_lines.one_line(text, ANSWER_CHARS) for text in (question, answer))
                    self._decide(line, ANSWER, " -> ".join(told))

    def _decide(self, line: int, kind: str, text: str) -> None:
        if not text:
            return
        self._decisions.setdefault(kind + text, Fact(line, kind + text))
        if len(self._decisions) > MAX_DECISIONS:
            oldest = next((told for told in self._decisions if told.startswith(SAID)), next(iter(self._decisions)))
            del self._decisions[oldest]

    def _add_success(self, call: _Call) -> None:
        """What failed before and went well now is fixed; of an edit that was only aimed better nothing is kept."""
        failure = self._failures.get(_key(call)) if self._failures else None
        if failure is not None and conversation.edited_path(call.name, call.arguments):
            del self._failures[_key(call)]
        elif failure is not None:
            failure.is_running = bool(call.arguments.get("run_in_background"))
            failure.is_fixed = not failure.is_running

    def _add_failure(self, line: int, call: _Call, text: str) -> None:
        is_edit = bool(conversation.edited_path(call.name, call.arguments))
        if _only_looks(call) or (tool_lines.is_client_error(text) and not is_edit):
            return
        key = _key(call)
        failure = self._failures.pop(key, None) or Failure(_what(call))
        failure.line, failure.error = line, tool_lines.error_line(text)
        failure.times, failure.is_fixed = (1 if failure.is_fixed else failure.times + 1), False
        failure.is_running = False
        self._failures[key] = failure
        if len(self._failures) > MAX_FAILURES:
            fixed = (name for name, one in self._failures.items() if one.is_fixed)
            del self._failures[next(fixed, next(iter(self._failures)))]


def _command(call: _Call) -> str:
    command = call.arguments.get("command")
    return command if call.name == "Bash" and isinstance(command, str) else ""


def _only_looks(call: _Call) -> bool:
    return call.name in _LOOKING_TOOLS or shell_commands.only_looks(_command(call))


def _what(call: _Call) -> str:
    command = _command(call)
    if command:
        return tool_lines.one_line(shell_commands.without_folder(command)[:KEY_CHARS], tool_lines.RESULT_CHARS)
    return tool_lines.tool_line(call.name, call.arguments)


def _key(call: _Call) -> str:
    """What makes two calls the same try: the command, the file that is edited, or the tool and what else tells it."""
    command = _command(call)
    if command:
        return " ".join(shell_commands.without_folder(command)[:KEY_CHARS].split())
    path = conversation.edited_path(call.name, call.arguments)
    return f"edit\n{path}" if path else f"{call.name}\n{_what(call)}"


def _title(plan: str) -> str:
    """A plan's title: its first line that says more than that it is one."""
    for line in plan.splitlines():
        title = tool_lines.one_line(line.strip().strip("#*_ "), decision_cues.SENTENCE_CHARS)
        if title and not _GENERIC_TITLE.fullmatch(title):
            return title.removeprefix("Plan: ")
    return ""
