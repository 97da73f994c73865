"""docs/clients.md: each client's snippet is what starts the server, as the MCP inspector finds; stdout stays clean."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from memories.core.paths import DataFolder
from tests.mcp_bridge.client import ROOT
from tests.mcp_bridge.conftest import StartServer
from tests.mcp_bridge.test_official_suites import Inspector

PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
COMMAND = "/home/me/.local/bin/llm-memory"
PROJECT = "/home/me/orders-api"
CLIENTS = {"Claude Desktop": "json", "Codex CLI": "toml", "Gemini CLI": "json", "Cursor": "json"}


def snippet(client: str) -> dict[str, Any]:
    """The entry of our server in a client's configuration, as the page has it."""
    language = CLIENTS[client]
    found = re.search(rf"^## {client}\n.*?^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, client
    if language == "json":
        return dict(json.loads(found[1])["mcpServers"]["llm_memory"])
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    return dict(tomllib.loads(found[1])["mcp_servers"]["llm_memory"])


def test_every_client_of_the_table_has_a_snippet_and_no_other() -> None:
    rows = re.findall(r"^\| ([A-Z][\w ]+) \| yes", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(CLIENTS)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_snippet_calls_the_launcher_by_its_whole_path_and_nothing_else(client: str) -> None:
    entry = snippet(client)
    assert entry.pop("command") == COMMAND
    assert entry.pop("args") == ["mcp"]
    assert entry in ({}, {"env": {"CLAUDE_PROJECT_DIR": PROJECT}})


def test_the_launcher_s_way_of_starting_it_says_nothing_but_the_protocol(start: StartServer, project: Path) -> None:
    server = start(environ={"CLAUDE_PROJECT_DIR": ""}, isolated=("-I", "-S"))
    server.initialize()
    stored = server.ask("memory_store", content="Kept by another client.", type="note")
    record = server.ask("memory_get", uuid=stored["uuid"])
    assert (record["project_id"], record["session_id"]) == (f"path:{project}", None)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in server.lines)
    assert server.stderr == ""


@pytest.mark.long
@pytest.mark.xdist_group("mcp-suites")
@pytest.mark.parametrize("client", CLIENTS)
def test_each_snippet_s_command_and_environment_serve_the_inspector(
    folder: DataFolder, project: Path, tmp_path: Path, client: str
) -> None:
    entry = snippet(client)
    launcher = tmp_path / "llm-memory"
    manage = shlex.quote(str(ROOT / "manage.py"))
    launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {manage} "$@"\n', "utf-8")
    launcher.chmod(0o755)
    env = {name: value.replace(PROJECT, str(project)) for name, value in entry.get("env", {}).items()}
    where = Path(os.environ["HOME"]) if env else project
    inspector = Inspector(folder, where, [str(launcher), *entry["args"]], env)
    assert len(inspector.ask("--method", "tools/list")["tools"]) == 10
    uuid = inspector.call("memory_store", "content=Deploys go out on Tuesdays.", "type=note")["uuid"]
    assert inspector.call("memory_get", f"uuid={uuid}")["project_id"] == f"path:{project}"
    assert [one["uri"] for one in inspector.ask("--method", "resources/list")["resources"]] == [f"memory://{uuid}"]
