"""What the server says of itself, in every protocol version, and that stdout carries nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from memories.core.paths import DataFolder
from tests.mcp_bridge.client import MODERN, Server
from tests.mcp_bridge.conftest import StartServer

ARGUMENTS = {  # tool: (required, optional), of docs/records.md
    "memory_store": (
        {"content", "type"},
        {"project", "session_id", "importance", "transcript_ref", "tags", "connections", "accept_losses"},
    ),
    "memory_search": (
        {"query"},
        {"project", "type", "limit", "scope", "since", "until", "tags", "include_archived", "offset"},
    ),
    "memory_recent": (set(), {"project", "type", "limit"}),
    "memory_get": ({"uuid"}, set()),
    "memory_connect": ({"from_uuid", "to_uuid", "relationship"}, set()),
    "memory_explore": ({"uuid"}, {"depth"}),
    "memory_delete": ({"uuid"}, set()),
    "narrative_coverage": (set(), {"project"}),
    "transcript_read": ({"session_id"}, {"line", "around", "cursor", "max_tokens"}),
    "memory_brief": (set(), {"project", "source"}),
}
WRITING = {"memory_store", "memory_connect", "memory_delete"}


Tools = dict[str, dict[str, Any]]


def _tools(server: Server) -> Tools:
    return {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """What tools/list gives, by name."""
    root = tmp_path_factory.mktemp("listing")
    with Server(DataFolder(str(root / "memory")), root) as server:
        server.initialize()
        return _tools(server)


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_each_handshake_version_is_served_as_asked(start: StartServer, version: str) -> None:
    server = start()
    found = server.initialize(version)
    assert found["protocolVersion"] == version
    assert found["serverInfo"]["name"] == "llm_memory"
    assert set(_tools(server)) == set(ARGUMENTS)
    assert server.ask("memory_store", content="Stored over it.", type="note")["status"] == "stored"


def test_the_version_without_a_handshake_is_served_too(start: StartServer) -> None:
    server = start()
    server.protocol = MODERN
    found = server.request("server/discover")["result"]
    assert MODERN in found["supportedVersions"]
    assert found["instructions"]
    assert set(_tools(server)) == set(ARGUMENTS)
    stored = server.ask("memory_store", content="Stored without a handshake.", type="note")
    assert server.ask("memory_get", uuid=stored["uuid"])["content"] == "Stored without a handshake."
    assert server.call("memory_get", uuid="f" * 32).is_error


def test_a_client_that_probes_with_an_unknown_method_gets_method_not_found_and_can_go_on(start: StartServer) -> None:
    server = start()
    assert server.request("server/unheard-of")["error"]["code"] == -32601
    assert server.initialize()["protocolVersion"]
    assert server.request("memory/unheard-of")["error"]["code"] == -32601


def test_the_tools_have_the_names_and_arguments_that_existing_prompts_use(tools: Tools) -> None:
    found = {}
    for name, tool in tools.items():
        schema = tool["inputSchema"]
        required = set(schema.get("required", []))
        found[name] = (required, set(schema["properties"]) - required)
    assert found == ARGUMENTS


def test_the_tools_defaults_and_limits_are_in_their_schemas(tools: Tools) -> None:
    arguments = {name: tool["inputSchema"]["properties"] for name, tool in tools.items()}
    importance = arguments["memory_store"]["importance"]
    assert (importance["default"], importance["minimum"], importance["maximum"]) == (5, 1, 10)
    for name in ("memory_search", "memory_recent"):
        assert (arguments[name]["limit"]["default"], arguments[name]["limit"]["maximum"]) == (10, 100)
    search = arguments["memory_search"]
    assert (search["scope"]["default"], search["scope"]["enum"]) == ("memories", ["memories", "transcripts", "all"])
    assert (search["offset"]["default"], search["offset"]["maximum"]) == (0, 1000)
    assert search["include_archived"]["default"] is False
    depth = arguments["memory_explore"]["depth"]
    assert (depth["default"], depth["maximum"]) == (1, 3)
    assert arguments["memory_store"]["type"]["enum"] == ["narrative", "note", "session_log"]
    assert arguments["memory_connect"]["relationship"]["enum"] == ["supersedes", "related_to"]


def test_the_tools_say_whether_they_read_add_or_destroy(tools: Tools) -> None:
    for name, tool in tools.items():
        hints = tool["annotations"]
        assert hints["readOnlyHint"] is (name not in WRITING)
        assert hints["openWorldHint"] is False
        if name in WRITING:
            assert hints["destructiveHint"] is (name == "memory_delete")
            assert hints["idempotentHint"] is True


def test_only_search_and_store_are_always_loaded(tools: Tools) -> None:
    marked = {name: tool["_meta"] for name, tool in tools.items() if "anthropic/alwaysLoad" in tool.get("_meta", {})}
    assert marked == {name: {"anthropic/alwaysLoad": True} for name in ("memory_store", "memory_search")}


def test_tools_and_instructions_stay_small_enough_for_the_client(start: StartServer) -> None:
    server = start()
    instructions = server.initialize()["instructions"]
    tools = _tools(server).values()
    size = sum(len(json.dumps([tool["name"], tool["description"], tool["inputSchema"]]).encode()) for tool in tools)
    assert size < 8192
    assert len(instructions) < 2000
    assert all(0 < len(tool["description"]) < 2048 for tool in tools)


def test_structured_content_and_text_say_the_same(server: Server) -> None:
    uuid = server.ask("memory_store", content="Ünïcode 😀 both ways", type="note")["uuid"]
    for tool, arguments in (
        ("memory_store", {"content": "Ünïcode 😀 both ways", "type": "note"}),
        ("memory_search", {"query": "ünïcode"}),
        ("memory_recent", {}),
        ("memory_get", {"uuid": uuid}),
        ("memory_explore", {"uuid": uuid}),
        ("narrative_coverage", {}),
        ("memory_delete", {"uuid": uuid}),
    ):
        found = server.call(tool, **arguments)
        assert json.loads(found.text) == found.structured


def test_nothing_but_protocol_reaches_stdout(start: StartServer) -> None:
    server = start(
        script="""
from memories import selectors
quiet = selectors.memory_recent
def loud(*args, **options):
    print("a stray print", flush=True)
    os.write(1, b"a stray write\\n")
    return quiet(*args, **options)
selectors.memory_recent = loud
"""
    )
    server.initialize()
    assert server.ask("memory_recent")["results"] == []
    server.request("ping")
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in server.lines)
    assert "a stray print" in server.stderr
