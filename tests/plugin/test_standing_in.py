"""The server without tools: what it answers, and how it gives place to the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from plugin.standing_in import LISTS, StandIn

ROOT = Path(__file__).resolve().parents[2]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
REAL = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": {"heard": message["method"]}}), flush=True)
"""
"""A stand-in's successor: says what it was asked, notifications too."""
SERVE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from plugin import standing_in
standing_in.POLL_SECONDS = 0.02
real = lambda: [sys.executable, "-c", sys.argv[3]] if os.path.exists(sys.argv[2]) else None
sys.exit(standing_in.serve("Being set up.", real))
"""


def asked(method: str, **params: Any) -> dict[str, Any] | None:
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    return StandIn("Being set up.").answer(json.dumps(message).encode())


def test_the_handshake_is_answered_in_the_clients_own_version() -> None:
    answer = asked("initialize", protocolVersion="2025-03-26")
    assert answer is not None
    assert answer["id"] == 7
    assert answer["result"]["protocolVersion"] == "2025-03-26"
    assert answer["result"]["instructions"] == "Being set up."
    assert all(answer["result"]["capabilities"][name]["listChanged"] for name in LISTS)


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("ping", {}),
        *((f"{name}/list", {name: []}) for name in LISTS),
        ("resources/templates/list", {"resourceTemplates": []}),
    ],
)
def test_there_is_nothing_yet(method: str, result: dict[str, Any]) -> None:
    assert asked(method) == {"jsonrpc": "2.0", "id": 7, "result": result}


def test_a_tool_that_is_called_all_the_same_says_why_not() -> None:
    answer = asked("tools/call", name="memory_search")
    assert answer is not None
    assert answer["result"]["isError"] is True
    assert answer["result"]["content"][0]["text"] == "Being set up."


def test_what_it_does_not_know_it_refuses_by_the_protocol() -> None:
    answer = asked("server/discover")
    assert answer is not None
    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"3", b'{"id": 1}', b'{"method": "notifications/x"}', b"[" * 9000])
def test_what_asks_nothing_gets_no_answer(line: bytes) -> None:
    assert StandIn("").answer(line) is None


class Served:
    """A stand-in as a process. go: the file at whose presence the real server can start."""

    def __init__(self, go: Path) -> None:
        self.go = go
        command = [sys.executable, "-I", "-S", "-B", "-c", SERVE, str(ROOT), str(go), REAL]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe

    def say(self, message: dict[str, Any]) -> None:
        stdin = self._pipe(self.process.stdin)
        stdin.write(json.dumps(message).encode() + b"\n")
        stdin.flush()

    def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self._pipe(self.process.stdout).readline())
        return heard

    def end(self) -> int:
        self._pipe(self.process.stdin).close()
        rest = self._pipe(self.process.stdout).read()
        assert rest == b""
        return self.process.wait(20)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A stand-in that has answered the handshake."""
    found = Served(tmp_path / "go")
    found.say(INITIALIZE)
    assert found.hear()["result"]["serverInfo"]["name"] == "llm_memory"
    yield found
    found.process.kill()
    found.process.wait()
    for pipe in (found.process.stdin, found.process.stdout):
        if pipe is not None:
            pipe.close()


def test_the_real_server_takes_over_within_the_clients_session(served: Served) -> None:
    served.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
    served.go.touch()
    assert [served.hear()["method"] for _ in LISTS] == [f"notifications/{name}/list_changed" for name in LISTS]
    assert served.hear()["result"] == {"heard": "notifications/initialized"}
    served.say({"jsonrpc": "2.0", "id": 8, "method": "tools/list"})
    assert served.hear() == {"jsonrpc": "2.0", "id": 8, "result": {"heard": "tools/list"}}
    assert served.end() == 0


def test_nothing_is_handed_over_before_the_client_has_finished_its_handshake(served: Served) -> None:
    served.go.touch()
    served.say({"jsonrpc": "2.0", "id": 8, "method": "tools/list"})
    assert served.hear() == {"jsonrpc": "2.0", "id": 8, "result": {"tools": []}}
    assert served.end() == 0


def test_a_client_that_goes_ends_the_stand_in(served: Served) -> None:
    assert served.end() == 0
