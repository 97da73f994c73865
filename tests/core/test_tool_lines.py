"""Tool calls and their output on one line each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memories.core import tool_lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["command", "file_path", "pattern", "path", "questions", "plan", "x"]) | st.text(max_size=5), JSON
)


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("Bash", {"command": "git commit -m 'x'", "description": "Commit"}, "Bash: git commit -m 'x'"),
        ("Bash", {"command": "cat <<E\n a\tb\nE"}, "Bash: cat <<E a b E"),
        ("Read", {"file_path": "/p/a.py", "limit": 5}, "Read: /p/a.py"),
        ("NotebookEdit", {"new_source": "x", "notebook_path": "n.ipynb"}, "NotebookEdit: n.ipynb"),
        ("Grep", {"pattern": "max_retry", "path": "src"}, "Grep: max_retry · src"),
        ("Agent", {"prompt": "long", "description": "Find it", "subagent_type": "Explore"}, "Agent: Explore · Find it"),
        ("WebFetch", {"url": "https://example.org", "prompt": "sum up"}, "WebFetch: https://example.org"),
        ("ExitPlanMode", {"plan": "1. Do it"}, "ExitPlanMode"),
        ("TodoWrite", {"todos": [{"content": "x"}]}, "TodoWrite"),
        ("mcp__x__find", {"limit": 3, "mode": "fast", "query": "herons"}, "mcp__x__find: herons"),
        ("mcp__x__put", {"body": "b" * 300, "name": "short"}, "mcp__x__put: short"),
        ("mcp__x__put", {"body": "  "}, "mcp__x__put"),
        ("Bash", {"command": ["not", "a", "string"]}, "Bash"),
        ("Bash", {"command": "ls \x1b[31mred\x1b]0;title\x07 \u202eevil \ud83d"}, "Bash: ls [31mred ]0;title evil ?"),
    ],
)
def test_a_call_is_told_by_its_telling_argument(name: str, arguments: dict[str, Any], line: str) -> None:
    assert tool_lines.tool_line(name, arguments) == line


@given(st.text(st.characters(), max_size=300), ARGUMENTS)
def test_any_call_is_one_printable_line(name: str, arguments: dict[str, Any]) -> None:
    line = tool_lines.tool_line(name, arguments)
    assert len(line) <= tool_lines.MAX_CHARS
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
    line.encode("utf-8")
    assert isinstance(tool_lines.said(name, arguments), str)


def test_a_long_command_is_cut() -> None:
    line = tool_lines.tool_line("Bash", {"command": "word " * 100_000})
    assert len(line) <= tool_lines.MAX_CHARS
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("texts", "images", "failed", "line"),
    [
        (["ok\n"], 0, False, "-> ok"),
        ([], 0, False, "-> no output"),
        ([""], 1, False, "-> 1 image"),
        ([], 2, False, "-> 2 images"),
        (["first\nsecond"], 0, False, "-> 12 characters: first…"),
        (["x" * 1234], 0, False, f"-> 1,234 characters: {'x' * 119}…"),
        (["\n\nExit code 1\nmore"], 0, True, "-> error: Exit code 1"),
        (["\x1b[1mbold\x1b[0m"], 0, False, "-> [1mbold [0m"),
    ],
)
def test_an_output_is_folded_to_its_length_and_first_line(
    texts: list[str], images: int, failed: bool, line: str
) -> None:
    assert tool_lines.result_line(texts, images, failed=failed) == line


def test_questions_are_said_whole_with_their_options() -> None:
    options = [{"label": "SQLite", "description": "One file"}, {"label": "None of it"}, "odd", {"label": 3}]
    questions = [{"question": "Which store?", "header": "Store", "options": options}, {"question": "When?"}, 7]
    assert tool_lines.said("AskUserQuestion", {"questions": questions}) == (
        "Which store?\n- SQLite: One file\n- None of it\nWhen?"
    )
    assert tool_lines.said("ExitPlanMode", {"plan": " 1. Do it\n2. Test it "}) == "1. Do it\n2. Test it"
    assert tool_lines.said("Bash", {"plan": "no", "questions": questions}) == ""


def test_answers_and_reasons_for_refusing_are_the_users_words() -> None:
    answered = {"toolUseResult": {"questions": [], "answers": {"Which store?": "SQLite", "odd": 3}}}
    assert tool_lines.said_in_result(answered, ["User has answered"]) == "Which store?: SQLite"
    refused = (
        "The user doesn't want to proceed with this tool use. The tool use was rejected. To tell you how to proceed, "
        "the user said:\nuse rg\nnot grep\n\nNote: The user's next message may contain a correction."
    )
    assert tool_lines.said_in_result({}, [refused]) == "use rg\nnot grep"
    assert tool_lines.said_in_result({"toolUseResult": "x"}, ["a log: the user said:\nno"]) == ""


@pytest.mark.parametrize(
    ("entry", "text", "refused"),
    [
        ({"toolDenialKind": "user-rejected"}, "This command requires approval", True),
        ({}, "The user doesn't want to proceed with this tool use. The tool use was rejected", True),
        ({}, "Claude requested permissions to use Bash, but you haven't granted it yet.", True),
        ({}, "Exit code 137\n[Request interrupted by user for tool use]", True),
        ({}, "Exit code 1\nPermission denied", False),
        ({}, "", False),
    ],
)
def test_a_refused_or_stopped_call_is_told_from_a_failed_one(entry: dict[str, Any], text: str, refused: bool) -> None:
    assert tool_lines.is_refusal(entry, text) is refused


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Exit code 1\n\nfatal: no remote\nmore", "fatal: no remote"),
        (
            "Exit code 1\nF\n=====\nFAIL: test_x\nTraceback (most recent call last):\nAssertionError: 1 != 2",
            "AssertionError: 1 != 2",
        ),
        ("collected 3\nE   app.errors.PriceError: none", "E app.errors.PriceError: none"),
        ("warming up\nsrc/a.ts(1,2): error TS2304: Cannot find name", "src/a.ts(1,2): error TS2304: Cannot find name"),
        ("Exit code 3\nsomething else\nand more", "something else"),
        ("Exit code 137", "Exit code 137"),
        ("<tool_use_error>File has not been read yet.</tool_use_error>", "File has not been read yet."),
        ("", ""),
    ],
)
def test_the_line_that_tells_an_error_is_found(text: str, line: str) -> None:
    assert tool_lines.error_line(text) == line
