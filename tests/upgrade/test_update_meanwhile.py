"""An update puts new code where a running server's code was: the server goes on with what it has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION, short_session
from tests.mcp_bridge import client
from tests.mcp_bridge.client import Server
from tests.upgrade import trees

POISON = 'raise ImportError("new code in an old process")\n'

TELL = """
_imports = run


def run() -> None:
    _imports()
    with open(os.environ["TEST_PRELOADED"], "wb"):
        pass
"""


def _installed(lib: Path) -> None:
    """A copy of the code as install.sh makes it, whose server imports beforehand at once and says when it has."""
    lib.mkdir(parents=True)
    for name in trees.CODE:
        source = trees.ROOT / name
        if source.is_dir():
            shutil.copytree(source, lib / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, lib / name)
    preload = lib / "mcp_bridge" / "preload.py"
    text = preload.read_text(encoding="utf-8").replace("AFTER_SECONDS = 2.0", "AFTER_SECONDS = 0.0")
    preload.write_text(text.replace("import logging\n", "import logging\nimport os\n") + TELL, encoding="utf-8")


def _update(lib: Path) -> None:
    """What install.sh's swap does, with code that no old process may load."""
    new, old = lib.with_name("lib.new-1"), lib.with_name("lib.old-1")
    shutil.copytree(lib, new, ignore=shutil.ignore_patterns("__pycache__"))
    for path in new.rglob("*"):
        if path.suffix in {".py", ".sql"}:
            path.write_text(POISON, encoding="utf-8")
    lib.rename(old)
    new.rename(lib)
    shutil.rmtree(old)


def _use_every_tool(server: Server, folder: DataFolder, project: Path) -> None:
    Path(folder.transcripts, f"{SESSION}.jsonl").write_bytes(short_session(str(project)).dump())
    ask = server.ask
    note = ask("memory_store", content=f"deploy on Tuesdays, password = {'x1y2' * 5}", type="note")["uuid"]
    first = ask(
        "memory_store", content="# N\n\n## Current state\nhalf done\n\n## Decisions\n- port 8080", type="narrative"
    )
    refused = server.call("memory_store", content="# N\n\n## Current state\nbar", type="narrative")
    assert refused.is_error
    assert "8080" in refused.text
    ask("memory_connect", from_uuid=note, to_uuid=first["uuid"], relationship="related_to")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("memory_search", {"query": "deploy Tuesdays", "scope": "all"}),
        ("memory_search", {"query": "x", "project": "nosuch"}),
        ("memory_recent", {}),
        ("memory_get", {"uuid": note}),
        ("memory_explore", {"uuid": note}),
        ("narrative_coverage", {}),
        ("transcript_read", {"session_id": SESSION, "around": 3}),
        ("memory_brief", {}),
        ("memory_brief", {"source": "compact"}),
        ("memory_brief", {"source": "resume"}),
        ("memory_delete", {"uuid": note}),
    ]
    for tool, arguments in calls:
        answer = server.call(tool, **arguments)
        assert not answer.is_error, (tool, answer.text)
    read = server.request("resources/read", {"uri": "narrative://orders"})["result"]
    assert first["uuid"] in read["contents"][0]["text"]
    assert server.request("resources/list")["result"]["resources"]
    assert server.request("prompts/get", {"name": "recall", "arguments": {"topic": "x"}})["result"]["messages"]
    asked = {"ref": {"type": "ref/prompt", "name": "narrative"}, "argument": {"name": "project", "value": "or"}}
    assert server.request("completion/complete", asked)["result"]["completion"]["values"] == ["orders"]
    os.unlink(folder.mirror)
    assert first["uuid"] in server.call("memory_recent").text


def test_a_running_server_loads_nothing_of_an_update(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, lib, told = tmp_path / "orders", tmp_path / "installed" / "lib", tmp_path / "preloaded"
    project.mkdir()
    _installed(lib)
    monkeypatch.setattr(client, "ROOT", lib)
    with Server(folder, project, environ={"TEST_PRELOADED": str(told)}) as server:
        server.initialize()
        while not told.exists():
            server.request("ping")
        _update(lib)
        _use_every_tool(server, folder, project)
        assert "new code in an old process" not in server.stderr
