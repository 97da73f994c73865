"""The server's start, end and background update: the handshake waits for nothing, and nothing outlives the server."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from memories.core import mirror, records
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.mcp_bridge.client import Server
from tests.mcp_bridge.conftest import StartServer

SHORT_WAIT = "from mcp_bridge import context\ncontext.FIRST_CALL_SECONDS = 0.1\n"
ALWAYS_SCAN = "from mcp_bridge import context\ncontext.RESYNC_SECONDS = 0.0\n"
MANY_TRIES = 200
"""Calls after which a background update that works must have shown; the first few are enough."""


def _mirror_lock(folder: DataFolder) -> FileLock:
    return FileLock(os.path.join(folder.state, "mirror.lock"))


def _write_records(folder: DataFolder, count: int) -> None:
    """Record files without the fsync of records.save, which costs seconds for thousands."""
    for number in range(count):
        record = records.new_record(type="note", content=f"memory number {number}")
        Path(records.record_path(folder, record["uuid"])).write_text(json.dumps(record), encoding="utf-8")


def test_the_handshake_does_not_wait_for_the_index_and_a_call_waits_a_bounded_time(
    start: StartServer, folder: DataFolder
) -> None:
    _write_records(folder, 3000)
    server = start(script=SHORT_WAIT)
    with _mirror_lock(folder):
        assert server.initialize()["serverInfo"]
        assert len(server.request("tools/list")["result"]["tools"]) == 10
        answer = server.call("memory_recent")
        assert answer.is_error
        assert "index is missing" in answer.text
        assert "sync" in answer.text
        stored = server.ask("memory_store", content="Stored before there is an index.", type="note")
        assert [warning.split(":")[0] for warning in stored["warnings"]] == [
            "Not checked for duplicates",
            "Stored, but not searchable yet",
        ]
        assert not os.path.exists(folder.mirror)
    for _ in range(MANY_TRIES):
        answer = server.call("memory_search", query="searchable index stored before")
        if not answer.is_error:
            break
    assert answer.structured["results"][0]["uuid"] == stored["uuid"]
    assert len(server.ask("memory_recent", limit=100)["results"]) == 100


def test_a_call_waits_for_the_first_index_to_be_whole(start: StartServer, folder: DataFolder) -> None:
    _write_records(folder, 500)
    server = start()
    server.initialize()
    assert server.ask("memory_search", query="memory number 499")["results"][0]["content"] == "memory number 499"


def test_another_process_at_the_lock_delays_only_the_first_calls_where_an_index_can_be_read(
    start: StartServer, folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("known before")
    mirror.update(folder)
    server = start(
        script=SHORT_WAIT
        + """
wait = context.BackgroundSync.wait
def noted(self, seconds):
    if seconds > 0:
        sys.stderr.write("waited\\n")
    wait(self, seconds)
context.BackgroundSync.wait = noted
"""
    )
    with _mirror_lock(folder):
        server.initialize()
        for _ in range(5):
            assert len(server.ask("memory_recent")["results"]) == 1
    assert server.stderr.count("waited") <= 2


def test_records_edited_added_and_removed_by_hand_are_followed_while_the_server_runs(
    start: StartServer, folder: DataFolder, make_record: MakeRecord
) -> None:
    edited, removed = make_record("before the edit"), make_record("to be removed")
    server = start(script=ALWAYS_SCAN)
    server.initialize()
    assert len(server.ask("memory_recent")["results"]) == 2
    path = Path(records.record_path(folder, edited["uuid"]))
    path.write_text(path.read_text(encoding="utf-8").replace("before the edit", "after the edit"), encoding="utf-8")
    os.unlink(records.record_path(folder, removed["uuid"]))
    added = make_record("added by a file sync")
    for _ in range(MANY_TRIES):
        found = {hit["content"] for hit in server.ask("memory_recent")["results"]}
        if found == {"after the edit", "added by a file sync"}:
            break
    assert found == {"after the edit", "added by a file sync"}
    assert server.ask("memory_search", query="edit")["results"][0]["uuid"] == edited["uuid"]
    assert server.ask("memory_get", uuid=added["uuid"])["content"] == "added by a file sync"


def _start_a_waiting_call(server: Server) -> None:
    """A call that is under way when this returns: it waits for an index that cannot be built."""
    server.begin_call("memory_recent")
    server.request("ping")


@pytest.mark.parametrize("after", [None, signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_cleanly_with_its_client(server: Server, folder: DataFolder, after: signal.Signals) -> None:
    server.ask("memory_store", content="Kept.", type="note")
    if after is None:
        server.close_stdin()
    assert server.exit_code(after) == 0
    assert server.stderr == ""
    assert [name for name in os.listdir(folder.records) if name.startswith(".")] == []


@pytest.mark.parametrize("after", [None, signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_cleanly_while_a_call_is_running(
    start: StartServer, folder: DataFolder, after: signal.Signals
) -> None:
    server = start(script="from mcp_bridge import context\ncontext.FIRST_CALL_SECONDS = 1.0\n")
    with _mirror_lock(folder):
        server.initialize()
        _start_a_waiting_call(server)
        if after is None:
            server.close_stdin()
        assert server.exit_code(after) == 0
    assert server.stderr == ""


def test_a_client_that_leaves_before_the_handshake_ends_the_server(start: StartServer) -> None:
    server = start(script='sys.stderr.write("ready")')
    server.close_stdin()
    assert server.exit_code() == 0
    assert server.stderr == "ready"


def test_a_client_that_is_killed_in_the_middle_of_a_call_leaves_no_server(
    start: StartServer, folder: DataFolder
) -> None:
    server = start(script=SHORT_WAIT)
    with _mirror_lock(folder):
        server.initialize()
        _start_a_waiting_call(server)
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.close_stdin()
        server.exit_code()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_server_starts_no_other_process(server: Server) -> None:
    server.ask("memory_store", content="Kept.", type="note")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    assert children.read_text(encoding="ascii") == ""
