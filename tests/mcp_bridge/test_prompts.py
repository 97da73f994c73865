"""The prompts: which there are, what they tell the model, and what is said where something is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent

from mcp_bridge import prompts
from memories.core.paths import DataFolder
from tests.mcp_bridge.in_memory import ask, refused

INVALID_PARAMS = -32602


def text(name: str, **arguments: str) -> str:
    (message,) = prompts.get(name, arguments).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


def test_there_are_three_each_with_at_most_one_argument(folder: DataFolder) -> None:
    found = ask(folder, lambda client: client.list_prompts()).prompts
    arguments = {one.name: [(it.name, bool(it.required)) for it in one.arguments or []] for one in found}
    assert arguments == {
        "recall": [("topic", True)],
        "remember": [("what", True)],
        "narrative": [("project", False)],
    }
    assert all(one.description and one.title for one in found)


def test_a_prompt_over_the_protocol_holds_what_was_asked_for(folder: DataFolder) -> None:
    found = ask(folder, lambda client: client.get_prompt("recall", {"topic": "why {three} retries? 100%"}))
    assert found.description == "What did earlier sessions keep or say about a topic?"
    (message,) = found.messages
    assert isinstance(message.content, TextContent)
    assert message.content.text.startswith("Recall from LLM Memory: why {three} retries? 100%\n")


def test_the_tools_that_prompts_name_are_there(folder: DataFolder) -> None:
    known = {one.name for one in ask(folder, lambda client: client.list_tools()).tools}
    filled = [text("recall", topic="x"), text("remember", what="x"), text("narrative", project="x")]
    named = {name for one in filled for name in re.findall(r"\b(?:memory|narrative|transcript)_[a-z]+\b", one)}
    assert {"memory_search", "memory_store", "narrative_coverage", "transcript_read"} <= named
    assert named - {"narrative_uuid", "transcript_ref"} <= known
    assert '{"to_uuid", "relationship": "supersedes"}' in filled[1]


def test_the_narrative_s_headings_are_those_of_the_skill() -> None:
    skill = (Path(__file__).resolve().parents[2] / "hooks/rules/SKILL.md").read_text("utf-8")
    headings = re.findall(r"`(## [^`]+)`", " ".join(text("narrative").split()))
    assert headings == re.findall(r"`(## [^`]+)`", " ".join(skill.replace("\n>", "\n").split()))


def test_without_a_project_the_narrative_is_of_this_one() -> None:
    assert text("narrative").startswith("Bring the LLM Memory narrative of this project up to date.")
    assert text("narrative", project=" ").startswith("Bring the LLM Memory narrative of this project")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("unheard-of", {}, "There is no prompt 'unheard-of'. Use one of recall, remember, narrative."),
        ("recall", None, "recall needs topic: A question or key words."),
        ("remember", {"what": " \n"}, "remember needs what: What to keep, in your own words."),
    ],
)
def test_what_is_missing_is_invalid_params_that_say_what(
    folder: DataFolder, name: str, arguments: dict[str, str] | None, said: str
) -> None:
    error = refused(folder, lambda client: client.get_prompt(name, arguments))
    assert (error.code, error.message) == (INVALID_PARAMS, said)


@given(st.text(), st.dictionaries(st.sampled_from(["topic", "what", "project", "x"]), st.text()))
def test_any_name_and_arguments_give_a_message_or_a_clear_error(name: str, arguments: dict[str, str]) -> None:
    for one in (name, *prompts._TEXTS):
        try:
            prompts.get(one, arguments)
        except MCPError as error:
            assert error.code == INVALID_PARAMS
            assert error.message
