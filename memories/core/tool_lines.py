"""Tool calls and their output as one line each: what a page of a transcript shows, and what search indexes, of them."""

from __future__ import annotations

import re

from memories.core import budget, conversation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_CHARS = 200
"""A tool line's length at most."""

RESULT_CHARS = 120
"""How much of an output's first line is shown."""

_READ_CHARS = 2000
"""A line is made from no more than this of an argument: a command may carry a whole file."""

_TELLING = {
    "Bash": ("command",), "Skill": ("skill", "args"), "Agent": ("subagent_type", "description"),
    "Task": ("subagent_type", "description"), "Read": ("file_path",), "Write": ("file_path",), "Edit": ("file_path",),
    "MultiEdit": ("file_path",), "NotebookEdit": ("notebook_path",), "LS": ("path",), "Glob": ("pattern", "path"),
    "Grep": ("pattern", "path", "glob"), "WebFetch": ("url",), "WebSearch": ("query",),
    "ExitPlanMode": (), "AskUserQuestion": (),
}  # fmt: skip
"""Claude Code's own tools -> the arguments that tell what a call did. The last two's are shown whole: see said."""

_TELLING_ANYWHERE = ("command", "file_path", "path", "url", "query", "pattern", "description", "subject", "title")
"""What tells it in a tool that is not listed, an MCP server's for instance: the first of these that it was given."""

_UNSHOWN = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
"""Control characters, terminal escapes among them, and those that turn the direction of what follows."""

_REJECTED = "The user doesn't want to proceed with this tool use."
_REFUSED = (
    _REJECTED, "Claude requested permissions to ", "Permission to use ", "This command requires approval",
    "[Request interrupted by user",
)  # fmt: skip
"""How the result of a call begins that nobody allowed or that was stopped; 2.1.330 also marks most of them."""

_CLIENT_ERROR = "<tool_use_error>"
"""How the client's own refusals of a call begin: a tool that is not there, a file not read before it is edited."""

_ERROR_CHARS = 20_000
"""How much of a failed command's output is looked through for the line that tells the error."""

_EXIT_CODE = r"Exit code \d+$"
_RAISED = r"(?:E +)?(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b.*"
_TELLS_ERROR = (
    r"(?i)\b(?:errors?|fail(?:ed|ure|s)?|fatal|panic|exception|cannot|can't|could not|couldn't|unable|denied|refused|"
    r"missing|invalid|no such|not found|undefined|no rule|unexpected)\b"
)
_USER_WORDS = r"(?s)the user said:\s*\n(.*?)(?=\n\nNote: |\Z)"


def tool_line(name: str, arguments: dict[str, Any]) -> str:
    """A tool call on one line of at most MAX_CHARS, as `Bash: git commit -m ...`; the bare name where nothing tells
    more. No control characters, no halves of surrogate pairs."""
    label = one_line(name, MAX_CHARS // 2)
    known = _TELLING.get(name)
    values = _telling_anywhere(arguments) if known is None else _strings(arguments, known)
    told = " · ".join(filter(None, (one_line(value, MAX_CHARS) for value in values)))
    return one_line(f"{label}: {told}" if told else label, MAX_CHARS)


def _strings(arguments: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [value for name in names if isinstance(value := arguments.get(name), str) and value.strip()]


def _telling_anywhere(arguments: dict[str, Any]) -> list[str]:
    """The one argument that tells most: a usual name's, else the first short text, else the first text."""
    strings = _strings(arguments, _TELLING_ANYWHERE) or _strings(arguments, tuple(arguments))
    return [next((text for text in strings if len(text) <= MAX_CHARS), strings[0])] if strings else []


def one_line(text: str, limit: int) -> str:
    """Text on one line of at most limit characters, without what a terminal or a reader could be misled by."""
    head = text[:_READ_CHARS].encode("utf-8", "replace").decode("utf-8")
    return budget.one_line(head if head.isprintable() else re.sub(_UNSHOWN, " ", head), limit)


def result_line(texts: list[str], images: int, *, failed: bool) -> str:
    """A tool's output (its text blocks, and how many images) as one line: all of it where that is short, else its
    length and first line, of an error the first line alone."""
    whole = "\n".join(texts).strip()
    first = one_line(whole.partition("\n")[0], RESULT_CHARS)
    if not whole:
        shown = f"{images} image{'' if images == 1 else 's'}" if images else "no output"
    elif failed or (len(whole) <= RESULT_CHARS and "\n" not in whole):
        shown = first
    else:
        shown = f"{len(whole):,} characters: {first.removesuffix('…')}…"
    return f"-> error: {shown}" if failed else f"-> {shown}"


def said(name: str, arguments: dict[str, Any]) -> str:
    """What Claude says to the user by calling a tool: a plan, or questions with their options. "" for other tools."""
    if name == "ExitPlanMode":
        plan = arguments.get("plan")
        return plan.strip() if isinstance(plan, str) else ""
    questions = arguments.get("questions")
    if name != "AskUserQuestion" or not isinstance(questions, list):
        return ""
    lines: list[str] = []
    for question in questions:
        if isinstance(question, dict):
            lines += _strings(question, ("question",))
            options = question.get("options")
            for option in options if isinstance(options, list) else []:
                parts = _strings(option, ("label", "description")) if isinstance(option, dict) else []
                lines += ["- " + ": ".join(parts)] if parts else []
    return "\n".join(lines)


def said_in_result(entry: dict[str, Any], texts: list[str]) -> str:
    """What the user says in a tool result: the answers to questions, or why a call was refused. "" for other results.

    entry: the line. texts: the result's text blocks.
    """
    kept = entry.get("toolUseResult")
    answers = kept.get("answers") if isinstance(kept, dict) and "questions" in kept else None
    if isinstance(answers, dict):
        pairs = [(question, answer) for question, answer in answers.items() if isinstance(answer, str)]
        return "\n".join(f"{question}: {answer}" for question, answer in pairs)
    whole = "\n".join(texts).lstrip()
    words = re.search(_USER_WORDS, whole) if whole.startswith(_REJECTED) else None
    return words[1].strip() if words else ""


def is_refusal(entry: dict[str, Any], text: str) -> bool:
    """Whether a failed tool result says that the user refused or stopped the call, or that nobody allowed it.

    entry: the line. text: the result's.
    """
    if entry.get("toolDenialKind"):
        return True
    text = text.strip()
    return text.startswith(_REFUSED) or text.endswith(conversation.INTERRUPTED)


def is_client_error(text: str) -> bool:
    """Whether a failed tool result is the client's own: the call was wrong, and nothing was run."""
    return text.lstrip().startswith(_CLIENT_ERROR)


def error_line(text: str) -> str:
    """The line of a failed call's output that tells the error best, at most MAX_CHARS: the first exception's, else the
    first that names an error, else the first with a word in it, else the exit code."""
    whole = text[:_ERROR_CHARS].replace(_CLIENT_ERROR, "").replace("</tool_use_error>", "")
    lines = [line.strip() for line in whole.splitlines()]
    told = [line for line in lines if any(map(str.isalpha, line)) and not re.match(_EXIT_CODE, line)]
    found = next((line for line in told if re.match(_RAISED, line)), "") or next(
        (line for line in told if re.search(_TELLS_ERROR, line)), ""
    )
    return one_line(found or next(iter(told or lines), ""), MAX_CHARS)
