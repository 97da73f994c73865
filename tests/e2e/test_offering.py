"""Prompts and resources in the real client: a prompt is a slash command, a resource is read when it is mentioned."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from memories.core import records
from memories.core.paths import DataFolder
from tests.e2e.client import CHECKOUT
from tests.e2e.sessions import run_print
from tests.e2e.tui import Tui
from tests.e2e.wire import shown, tool_results

if TYPE_CHECKING:
    from tests.e2e.home import Home

pytestmark = [pytest.mark.e2e, pytest.mark.long]

FACT = "The crates stay in the old mill at Nienburg until the bridge is mended"


def _config(home: Home, folder: DataFolder) -> list[str]:
    """The options with which the client starts our server from the checkout, on a data folder."""
    server = {
        "type": "stdio",
        "command": sys.executable,
        "args": ["-I", str(CHECKOUT / "manage.py"), "mcp"],
        "env": {"LLM_MEMORY_HOME": folder.root},
        "alwaysLoad": True,
    }
    path = home.path / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"llm_memory": server}}), "utf-8")
    return ["--mcp-config", str(path), "--strict-mcp-config"]


@pytest.fixture
def kept(bare_home: Home) -> tuple[DataFolder, dict[str, Any]]:
    """A data folder with one note of the session's project."""
    folder = DataFolder(str(bare_home.path / "kept"))
    folder.create()
    record = records.new_record(type="note", content=FACT)
    record.update(project=bare_home.project.name, project_id=f"path:{bare_home.project}")
    records.save(folder, record)
    return folder, record


def test_a_prompt_is_a_command_and_resources_are_read_by_the_client_s_own_tools(
    bare_home: Home, kept: tuple[DataFolder, dict[str, Any]]
) -> None:
    folder, record = kept
    uri = f"memory://{record['uuid']}"
    script = [
        {"tool": "ListMcpResourcesTool", "input": {}},
        {"tool": "ReadMcpResourceTool", "input": {"server": "llm_memory", "uri": uri}},
        "In the old mill.",
    ]
    with bare_home.model(script) as api:
        found = run_print(bare_home, api, "/mcp__llm_memory__recall where are the crates?", *_config(bare_home, folder))
    assert found.answer() == "In the old mill."
    first, *_, last = api.of_kind("main")
    assert "Recall from LLM Memory: where\n" in shown(first.body)
    assert "<command-args>where are the crates?</command-args>" in shown(first.body)
    listed, read = (json.loads(text) for _, text in tool_results(last.body))
    assert [(one["uri"], one["title"]) for one in listed] == [(uri, FACT)]
    assert read["contents"][0]["text"].endswith(f"> {FACT}\n")


def test_a_prompt_without_its_argument_is_refused_in_words_and_no_model_is_asked(
    bare_home: Home, kept: tuple[DataFolder, dict[str, Any]]
) -> None:
    with bare_home.model([]) as api:
        found = run_print(bare_home, api, "/mcp__llm_memory__recall", *_config(bare_home, kept[0]))
    assert "Missing required argument: topic" in json.dumps(found.events)
    assert api.of_kind("main") == []


def test_a_memory_that_is_mentioned_is_shown_to_the_model(
    bare_home: Home, kept: tuple[DataFolder, dict[str, Any]]
) -> None:
    folder, record = kept
    with bare_home.model(["In the old mill."]) as api, Tui(bare_home, api, *_config(bare_home, folder)) as tui:
        tui.wait_for_server()
        tui.say(f"See @llm_memory:memory://{record['uuid']} for where", "In the old mill")
        tui.submit("/exit")
        tui.ended()
    assert f"> {FACT}" in shown(api.of_kind("main")[-1].body)
