"""The official suites against our server: the conformance suite over HTTP on loopback, the inspector's CLI over stdio.

docs/conformance.md says what each scenario that fails needs, and why we do not have it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from memories.core.paths import DataFolder
from tests.mcp_bridge import npm
from tests.mcp_bridge.client import ROOT

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("mcp-suites")]

CONFORMANCE = ("@modelcontextprotocol/conformance", "0.1.16")
INSPECTOR = ("@modelcontextprotocol/inspector", "2.12.0")
SUITE_SECONDS = 240
NOT_OFFERED = {
    "logging-set-level",
    "tools-call-with-logging",
    "resources-subscribe",
    "resources-unsubscribe",
}
"""Scenarios of capabilities that our server does not declare, and that no client may therefore ask for."""

NO_EXAMPLE = {"json-schema-2020-12", "elicitation-sep1034-defaults", "elicitation-sep1330-enums", "server-sse-polling"}
"""Scenarios that call example tools of which http_server has none."""

WITH_EXAMPLES = {
    "tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content",
    "tools-call-with-progress", "tools-call-sampling", "tools-call-elicitation", "resources-read-text",
    "resources-read-binary", "resources-templates-read", "prompts-get-simple", "prompts-get-with-args",
    "prompts-get-embedded-resource", "prompts-get-with-image",
}  # fmt: skip
"""Scenarios that call examples of http_server's."""

BY_ITSELF = {
    "server-initialize", "ping", "tools-list", "tools-call-simple-text", "tools-call-error",
    "server-sse-multiple-streams", "resources-list", "prompts-list", "completion-complete", "dns-rebinding-protection",
}  # fmt: skip
"""Scenarios that need no examples."""

_RESULT = re.compile(r"^(\S) (\S+): (\d+) passed, (\d+) failed", re.MULTILINE)


def _environment(folder: DataFolder, project: Path) -> dict[str, str]:
    home = Path(folder.root).parent / "home"
    ours = {
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "CLAUDE_PROJECT_DIR": str(project),
        "LLM_MEMORY_HOME": folder.root,
    }
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **ours}


@pytest.fixture
def url(folder: DataFolder, project: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of our server over HTTP; the parameter: further arguments of http_server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "tests.mcp_bridge.http_server", str(port), *request.param]
    log = Path(folder.root).parent / "http.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            argv, cwd=project, env=_environment(folder, project), stdout=file, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text("utf-8", "replace")
                assert time.monotonic() < until, log.read_text("utf-8", "replace")
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    ("url", "passing"),
    [([], BY_ITSELF), (["examples"], BY_ITSELF | WITH_EXAMPLES)],
    indirect=["url"],
    ids=["as it is", "with examples"],
)
def test_the_conformance_suite_finds_only_what_is_explained(url: str, passing: set[str], tmp_path: Path) -> None:
    program = npm.installed(*CONFORMANCE) / "dist" / "index.js"
    done = subprocess.run(
        [npm.node(), str(program), "server", "--url", url, "--suite", "all", "--output-dir", str(tmp_path / "results")],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=SUITE_SECONDS,
    )  # fmt: skip
    found = {name: int(failed) == 0 and int(passed) > 0 for _, name, passed, failed in _RESULT.findall(done.stdout)}
    assert found.keys() == BY_ITSELF | WITH_EXAMPLES | NOT_OFFERED | NO_EXAMPLE, done.stdout + done.stderr
    assert {name for name, is_passed in found.items() if is_passed} == passing, done.stdout


class Inspector:
    """The inspector's CLI, which starts our server over stdio for each call."""

    def __init__(
        self,
        folder: DataFolder,
        project: Path,
        server: Sequence[str] = (sys.executable, "-I", str(ROOT / "manage.py"), "mcp"),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """project: where it runs. server: its command line. environ: in place of a CLAUDE_PROJECT_DIR of project."""
        program = npm.installed(*INSPECTOR) / "clients" / "launcher" / "build" / "index.js"
        self._head = [npm.node(), str(program), "--cli"]
        self._env = _environment(folder, project)
        if environ is not None:
            del self._env["CLAUDE_PROJECT_DIR"]
            self._env |= environ
        self._cwd = project
        self._server = list(server)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """(exit status, stdout, stderr)."""
        named = [f"{name}={value}" for name, value in self._env.items() if name.startswith(("HOME", "CLAUDE", "LLM"))]
        passed = [one for pair in named for one in ("-e", pair)]
        server = ["--", *self._server]
        done = subprocess.run(
            [*self._head, *passed, *arguments, *server],
            cwd=self._cwd, env=self._env, capture_output=True, text=True, check=False, timeout=SUITE_SECONDS,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def ask(self, *arguments: str) -> Any:
        """The answer to a call that must succeed."""
        status, out, errors = self.run(*arguments)
        assert status == 0, out + errors
        return json.loads(out)

    def call(self, tool: str, *pairs: str) -> Any:
        """The answer of a tool that must succeed."""
        arguments = ["--tool-arg", *pairs] if pairs else []
        found = self.ask("--method", "tools/call", "--tool-name", tool, *arguments)
        assert not found.get("isError"), found
        return found.get("structuredContent") or found["content"][0]["text"]


@pytest.fixture
def inspector(folder: DataFolder, project: Path) -> Inspector:
    """The inspector on a server with an empty data folder."""
    return Inspector(folder, project)


def test_the_inspector_lists_what_the_server_has_and_finds_no_schema_that_some_client_cannot_read(
    inspector: Inspector,
) -> None:
    status, out, errors = inspector.run("--method", "tools/list", "--strict")
    assert (status, errors) == (0, ""), errors
    assert len(json.loads(out)["tools"]) == 10
    assert inspector.ask("--method", "resources/list")["resources"] == []
    templates = inspector.ask("--method", "resources/templates/list")["resourceTemplates"]
    assert [one["uriTemplate"] for one in templates] == ["memory://{uuid}", "narrative://{project}"]
    assert [one["name"] for one in inspector.ask("--method", "prompts/list")["prompts"]] == [
        "recall",
        "remember",
        "narrative",
    ]


def test_the_inspector_reads_what_is_listed_and_gets_a_prompt(inspector: Inspector) -> None:
    uuid = inspector.call("memory_store", "content=Deploys go out on Tuesdays.", "type=note")["uuid"]
    (listed,) = inspector.ask("--method", "resources/list")["resources"]
    assert (listed["uri"], listed["title"]) == (f"memory://{uuid}", "Deploys go out on Tuesdays.")
    (content,) = inspector.ask("--method", "resources/read", "--uri", listed["uri"])["contents"]
    assert content["text"].endswith("> Deploys go out on Tuesdays.\n")
    found = inspector.ask("--method", "prompts/get", "--prompt-name", "recall", "--prompt-args", "topic=deploys")
    assert found["messages"][0]["content"]["text"].startswith("Recall from LLM Memory: deploys\n")
    status, _, errors = inspector.run("--method", "resources/read", "--uri", "memory://" + "0" * 32)
    assert status != 0
    assert "memory_search or memory_recent lists the ids there are" in errors


def test_the_inspector_calls_every_tool(inspector: Inspector) -> None:
    first = inspector.call("memory_store", "content=Deploys go out on Tuesdays.", "type=note")["uuid"]
    second = inspector.call("memory_store", "content=The freeze starts on Monday.", "type=note", "importance=8")["uuid"]
    linked = inspector.call("memory_connect", f"from_uuid={second}", f"to_uuid={first}", "relationship=related_to")
    assert linked["status"] == "connected"
    assert [hit["uuid"] for hit in inspector.call("memory_search", "query=deploys")["results"]] == [first]
    assert len(inspector.call("memory_recent", "limit=5")["results"]) == 2
    assert inspector.call("memory_get", f"uuid={second}")["importance"] == 8
    assert len(inspector.call("memory_explore", f"uuid={first}", "depth=2")["nodes"]) == 2
    assert inspector.call("narrative_coverage")["processed"] == 0
    assert "Deploys go out" in inspector.call("memory_brief")
    assert inspector.call("memory_delete", f"uuid={first}")["status"] == "deleted"
    status, out, _ = inspector.run(
        "--method", "tools/call", "--tool-name", "transcript_read", "--tool-arg", "session_id=nowhere"
    )
    assert status != 0
    assert json.loads(out)["isError"] is True


def test_the_inspector_gets_an_error_of_the_tool_for_bad_arguments(inspector: Inspector) -> None:
    status, out, _ = inspector.run("--method", "tools/call", "--tool-name", "memory_get")
    assert status != 0
    answer = json.loads(out)
    assert answer["isError"] is True
    assert "uuid: Field required" in answer["content"][0]["text"]
    status, _, errors = inspector.run("--method", "tools/call", "--tool-name", "unheard_of")
    assert status != 0
    assert "not found" in errors
