"""The protocol's rules against our server over a real pipe; the official suites are in test_official_suites.py.

Ids, codes and shapes are those of https://modelcontextprotocol.io/specification (2024-11-05 to 2026-07-28), JSON-RPC.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextResourceContents

from memories.core.paths import DataFolder
from tests.mcp_bridge.client import ROOT, Json, Server

METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that change nothing."""
    root = tmp_path_factory.mktemp("shared")
    with Server(DataFolder(str(root / "memory")), root) as server:
        server.initialize()
        yield server


def _call(tool: str, arguments: Any) -> Json:
    return {"name": tool, "arguments": arguments}


def test_a_ping_is_answered_before_the_handshake_and_an_unknown_version_with_one_that_is_known(start: Any) -> None:
    server = start()
    assert server.request("ping")["result"] == {}
    found = server.initialize("1999-01-01")
    assert found["protocolVersion"] == "2025-11-25"
    assert found["serverInfo"].keys() >= {"name", "version"}
    assert found["capabilities"]["tools"] == {"listChanged": False}
    assert found["capabilities"]["resources"] == {"listChanged": False, "subscribe": False}
    assert found["capabilities"].keys() == {"tools", "prompts", "resources", "completions"}


def test_an_answer_has_the_id_of_its_request_whatever_it_is(shared: Server) -> None:
    for request_id in ("a string", 0, -5, 2**53):
        shared.send({"jsonrpc": "2.0", "id": request_id, "method": "ping"})
        assert shared.read() == {"jsonrpc": "2.0", "id": request_id, "result": {}}


@pytest.mark.parametrize("method", ["logging/setLevel", "resources/subscribe", "sampling/createMessage", "unheard/of"])
def test_what_is_not_offered_is_method_not_found(shared: Server, method: str) -> None:
    params = {"level": "info", "uri": "x://y"}
    assert shared.request(method, params)["error"]["code"] == METHOD_NOT_FOUND


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {}),
        ("tools/call", {"name": 5}),
        ("tools/call", {"name": "memory_get", "arguments": "uuid"}),
        ("resources/read", {"uri": "file:///etc/passwd"}),
        ("resources/read", {}),
        ("resources/read", {"uri": "memory://" + "0" * 32}),
        ("prompts/get", {"name": "unheard of"}),
        ("prompts/get", {"name": "recall"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "recall"}}),
    ],
)
def test_params_of_another_shape_are_invalid_params(shared: Server, method: str, params: Json) -> None:
    answer = shared.request(method, params)
    assert answer["error"]["code"] == INVALID_PARAMS
    assert "result" not in answer


def test_lines_that_are_no_message_are_passed_over_and_a_notification_is_never_answered(shared: Server) -> None:
    lines = (
    b"{", b"", b"null", b"[]", b"\xff\xfe\x00", b'"text"', b"[" * 10_000, b'{"jsonrpc":"2.0"}',
    b'{"id":1,"method":"ping"}', b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    b'{"jsonrpc":"2.0","id":99,"result":{}}', b'{"jsonrpc":"2.0","method":"notifications/unheard_of"}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"never sent"}}',
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":"much"}}',
)  # fmt: skip
    for line in lines:
        shared.send(line)
    last = shared.begin("ping")
    assert shared.read() == {"jsonrpc": "2.0", "id": last, "result": {}}


def test_a_cancelled_call_may_be_answered_but_holds_up_nothing(shared: Server) -> None:
    running = shared.begin_call("memory_search", query="anything", scope="all")
    reason = {"requestId": running, "reason": "the user pressed escape"}
    shared.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": reason})
    assert shared.request("ping")["result"] == {}
    assert shared.ask("memory_recent")["results"] == []


def test_requests_sent_at_once_are_each_answered_once_with_their_own_id(shared: Server) -> None:
    asked = [shared.begin_call("memory_recent", limit=number + 1) for number in range(20)] + [shared.begin("ping")]
    answers = [shared.read() for _ in asked]
    assert sorted(answer["id"] for answer in answers) == sorted(asked)
    assert all("result" in answer for answer in answers)


def test_a_progress_token_is_taken_and_nothing_but_the_answer_comes(shared: Server) -> None:
    asked = shared.begin("tools/call", {**_call("memory_recent", {}), "_meta": {"progressToken": "token"}})
    assert shared.read()["id"] == asked


def test_every_schema_is_valid_json_schema_and_every_answer_fits_its_own(server: Server) -> None:
    tools = {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}
    for tool in tools.values():
        for schema in filter(None, (tool["inputSchema"], tool.get("outputSchema"))):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
    first = server.ask("memory_store", content="Deploys go out on Tuesdays.", type="note")["uuid"]
    second = server.ask("memory_store", content="The freeze starts on Monday.", type="note")["uuid"]
    calls: dict[str, Json] = {
        "memory_store": {"content": "Another.", "type": "note", "tags": "a, b"},
        "memory_connect": {"from_uuid": first, "to_uuid": second, "relationship": "related_to"},
        "memory_search": {"query": "deploys", "scope": "all"},
        "memory_recent": {},
        "memory_get": {"uuid": first},
        "memory_explore": {"uuid": first},
        "narrative_coverage": {},
        "memory_brief": {},
        "memory_delete": {"uuid": first},
    }
    assert calls.keys() == tools.keys() - {"transcript_read"}
    for name, arguments in calls.items():
        Draft202012Validator(tools[name]["inputSchema"]).validate(arguments)
        result = server.request("tools/call", _call(name, arguments))["result"]
        assert result["isError"] is False, result
        assert {block["type"] for block in result["content"]} == {"text"}
        schema = tools[name].get("outputSchema")
        assert (schema is not None) == ("structuredContent" in result), name
        if schema is not None:
            Draft202012Validator(schema).validate(result["structuredContent"])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("memory_get", {"uuid": "0" * 32}),
        ("memory_get", {}),
        ("memory_store", {"content": "", "type": "note"}),
        ("memory_recent", {"limit": 0}),
        ("unheard_of", {}),
    ],
)
def test_a_tool_s_failure_is_a_result_for_the_model_and_no_error_of_the_protocol(
    shared: Server, tool: str, arguments: Json
) -> None:
    answer = shared.request("tools/call", _call(tool, arguments))
    assert "error" not in answer
    result = answer["result"]
    assert result["isError"] is True
    assert "structuredContent" not in result
    assert [block["type"] for block in result["content"]] == ["text"]
    assert result["content"][0]["text"].strip()


def test_the_sdk_s_own_client_talks_to_the_server(folder: DataFolder, project: Path) -> None:
    home = project.parent / "home"
    environment = {"HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude"), "LLM_MEMORY_HOME": folder.root}
    started = StdioServerParameters(
        command=sys.executable, args=["-I", str(ROOT / "manage.py"), "mcp"], env=environment, cwd=project
    )

    async def talk() -> None:
        with anyio.fail_after(120):
            async with stdio_client(started) as (read, write), ClientSession(read, write) as session:
                assert (await session.initialize()).server_info.name == "llm_memory"
                await session.send_ping()
                stored = await session.call_tool("memory_store", {"content": "Over the SDK's client.", "type": "note"})
                assert stored.structured_content is not None
                found = await session.call_tool("memory_get", {"uuid": stored.structured_content["uuid"]})
                assert not found.is_error
                assert (await session.call_tool("memory_get", {"uuid": "x"})).is_error
                listed = (await session.list_resources()).resources
                (content,) = (await session.read_resource(listed[0].uri)).contents
                assert isinstance(content, TextResourceContents)
                assert content.text.endswith("> Over the SDK's client.\n")
                assert len((await session.list_prompts()).prompts) == 3

    anyio.run(talk)
    assert len(list(Path(folder.records).iterdir())) == 1
