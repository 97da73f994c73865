"""Many servers on one data folder: every acknowledged store is a readable record and in the index."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from memories.core import mirror, records
from memories.core.paths import DataFolder
from tests.mcp_bridge.client import Server, ToolAnswer


@pytest.mark.parametrize(("servers", "stores"), [(4, 25), pytest.param(20, 50, marks=pytest.mark.long)])
def test_every_acknowledged_store_of_many_servers_at_once_is_kept(
    folder: DataFolder, project: Path, servers: int, stores: int
) -> None:
    acknowledged: dict[str, str] = {}
    with ExitStack() as stack:
        running = [stack.enter_context(Server(folder, project)) for _ in range(servers)]
        for server in running:
            server.initialize()
        for turn in range(stores):
            texts = [f"server {number} stores memory {turn}: {os.urandom(8).hex()}" for number in range(servers)]
            calls = [
                server.begin_call("memory_store", content=text, type="note")
                for server, text in zip(running, texts, strict=True)
            ]
            for server, call, text in zip(running, calls, texts, strict=True):
                answer = ToolAnswer(server.answer(call)["result"])
                assert not answer.is_error, answer.text
                assert answer.structured["status"] == "stored"
                acknowledged[answer.structured["uuid"]] = text
    assert len(acknowledged) == servers * stores
    assert {uuid: records.load(folder, uuid)["content"] for uuid in acknowledged} == acknowledged
    connection = mirror.connect(folder.mirror)
    rows = dict(connection.execute("SELECT uuid, content FROM memory").fetchall())
    connection.close()
    assert rows == acknowledged


def test_narratives_of_several_servers_at_once_leave_one_shown_and_none_lost(folder: DataFolder, project: Path) -> None:
    for number in range(3):
        Path(folder.transcripts, f"s{number}.jsonl").touch()
    with ExitStack() as stack:
        running = [stack.enter_context(Server(folder, project)) for _ in range(3)]
        for server in running:
            server.initialize()
            server.ask("memory_recent")
        calls = [
            server.begin_call(
                "memory_store", content=f"# Version {number}", type="narrative", transcript_ref=[f"s{number}"]
            )
            for number, server in enumerate(running)
        ]
        answers = [ToolAnswer(server.answer(call)["result"]) for server, call in zip(running, calls, strict=True)]
        assert [answer.is_error for answer in answers] == [False] * 3
        shown = running[0].ask("memory_recent", type="narrative")["results"]
    kept = [records.load(folder, answer.structured["uuid"]) for answer in answers]
    assert [record["status"] for record in kept].count("active") == 1
    assert [hit["uuid"] for hit in shown] == [record["uuid"] for record in kept if record["status"] == "active"]
    assert set(records.session_refs(shown[0]["transcript_ref"])) == {"s0", "s1", "s2"}


def test_the_same_note_of_several_servers_at_once_is_stored_once(folder: DataFolder, project: Path) -> None:
    with ExitStack() as stack:
        running = [stack.enter_context(Server(folder, project)) for _ in range(4)]
        for server in running:
            server.initialize()
            server.ask("memory_recent")
        calls = [server.begin_call("memory_store", content="Said once.", type="note") for server in running]
        answers = [ToolAnswer(server.answer(call)["result"]) for server, call in zip(running, calls, strict=True)]
    assert sorted(answer.structured["status"] for answer in answers) == ["duplicate_skipped"] * 3 + ["stored"]
    assert len({answer.structured["uuid"] for answer in answers}) == 1
