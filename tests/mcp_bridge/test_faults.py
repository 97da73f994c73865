"""Errors and odd input, through a real server: what goes wrong is said with a next step, and the server stays up."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memories.core import records
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.mcp_bridge.client import Server, ToolAnswer
from tests.mcp_bridge.conftest import StartServer

NOTE = {"content": "Some text.", "type": "note"}
ABSENT = "f" * 32


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that only make it refuse."""
    root = tmp_path_factory.mktemp("shared")
    with Server(DataFolder(str(root / "memory")), root) as server:
        server.initialize()
        yield server


def _plain(answer: ToolAnswer) -> str:
    """An error's text, which must be fit for a model to read."""
    assert answer.is_error
    for noise in ("Traceback", "pydantic", "http", "Error executing tool", "File "):
        assert noise not in answer.text
    return answer.text


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("memory_forget", {}, "There is no tool memory_forget. Use one of memory_store"),
        ("memory_store", {}, "content: Field required; type: Field required. Correct the arguments."),
        ("memory_store", NOTE | {"content": 5}, "content: Input should be a valid string. Correct"),
        ("memory_store", NOTE | {"content": None}, "content: Input should be a valid string. Correct"),
        ("memory_store", NOTE | {"content": " \n\t"}, "content must be text that is not empty"),
        ("memory_store", NOTE | {"content": "y" * 5_000_000}, "5,000,000 characters are too many for one memory"),
        ("memory_store", NOTE | {"type": "idea"}, "type: Input should be 'narrative', 'note' or 'session_log'"),
        ("memory_store", NOTE | {"importance": 11}, "importance: Input should be less than or equal to 10"),
        ("memory_store", NOTE | {"importance": "high"}, "importance: Input should be a valid integer"),
        ("memory_store", NOTE | {"transcript_ref": {"a": 1}}, "transcript_ref"),
        ("memory_store", NOTE | {"connections": "none"}, "connections: Input should be a valid list"),
        ("memory_store", NOTE | {"connections": [{"to_uuid": "x"}]}, "Each connection needs to_uuid"),
        ("memory_store", NOTE | {"connections": [{"to_uuid": None}]}, "connections.0.to_uuid: Input should be"),
        ("memory_search", {"query": "x", "limit": 101}, "limit: Input should be less than or equal to 100"),
        ("memory_search", {"query": "x", "type": "idea"}, "type: Input should be"),
        ("memory_recent", {"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ("memory_get", {"uuid": "../../etc/passwd"}, "32 lowercase hex digits. memory_search finds ids"),
        ("memory_get", {"uuid": ABSENT}, "memory_search or memory_recent lists the ids"),
        ("memory_explore", {"uuid": ABSENT}, "memory_search or memory_recent lists the ids"),
        ("memory_explore", {"uuid": ABSENT, "depth": 4}, "depth: Input should be less than or equal to 3"),
        ("memory_delete", {"uuid": ABSENT}, "memory_search or memory_recent lists the ids"),
        (
            "memory_connect",
            {"from_uuid": ABSENT, "to_uuid": "e" * 32, "relationship": "related_to"},
            "memory_search or memory_recent lists the ids",
        ),
        (
            "memory_connect",
            {"from_uuid": ABSENT, "to_uuid": ABSENT, "relationship": "supersedes"},
            "pass two different uuids",
        ),
        (
            "memory_connect",
            {"from_uuid": ABSENT, "to_uuid": "e" * 32, "relationship": "likes"},
            "relationship: Input should be 'supersedes' or 'related_to'",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    shared: Server, tool: str, arguments: dict[str, Any], says: str
) -> None:
    assert says in _plain(shared.call(tool, **arguments))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("nul \0 inside", "nul \0 inside"),
        ("emoji 😀, astral 𝔘, combining é, right-to-left ש", "emoji 😀, astral 𝔘, combining é, right-to-left ש"),
        ("half \ud83d of an emoji", "half ? of an emoji"),
        ("the other \udc00 half", "the other ? half"),
        ("no surrogate: \\ud83d spelled out", "no surrogate: \\ud83d spelled out"),
        ("word " * 200_000, ("word " * 200_000).strip()),
        ('["looks", "like JSON"]', '["looks", "like JSON"]'),
    ],
)
def test_any_text_is_kept_as_far_as_a_file_can_hold_it(
    server: Server, folder: DataFolder, given: str, kept: str
) -> None:
    uuid = server.ask("memory_store", content=given, type="note")["uuid"]
    assert records.load(folder, uuid)["content"] == kept
    assert server.ask("memory_get", uuid=uuid)["content"] == kept


def test_arguments_as_models_spell_them_are_understood(server: Server, folder: DataFolder) -> None:
    target = server.ask("memory_store", **NOTE)["uuid"]
    link = {"to_uuid": target, "relationship": "related_to"}
    uuid = server.ask(
        "memory_store", content="Other text.", type="note", importance="7", project=None, tags='["a", "b"]',
        transcript_ref='["s1", "s2"]', connections=json.dumps([link]),
    )["uuid"]  # fmt: skip
    record = records.load(folder, uuid)
    assert (record["importance"], record["project"], record["tags"]) == (7, "orders", "a, b")
    assert record["connections"] == [link]
    assert json.loads(record["transcript_ref"]) == ["s1", "s2"]


def test_a_line_that_is_no_message_does_not_end_the_server(server: Server) -> None:
    for line in (b"", b"{broken", b"[]", b"\xff\xfe", b'"\\ud800', b'{"jsonrpc": "2.0"}'):
        server.send(line)
    assert server.ask("memory_recent")["results"] == []


def test_a_record_file_with_odd_values_can_be_read_and_one_too_odd_says_so(
    start: StartServer, folder: DataFolder, make_record: MakeRecord
) -> None:
    odd, deep = make_record("odd")["uuid"], make_record("deep")["uuid"]
    path = Path(records.record_path(folder, odd))
    broken = {"tags": "half \ud800", "nan": float("nan"), "key \udfff": 10**400}
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | broken), encoding="utf-8")
    path = Path(records.record_path(folder, deep))
    nested = "[" * 400 + "]" * 400
    path.write_text(path.read_text(encoding="utf-8").rstrip()[:-1] + f', "nested": {nested}}}', encoding="utf-8")
    server = start()
    server.initialize()
    found = server.ask("memory_get", uuid=odd)
    assert (found["tags"], found["nan"], found["key ?"]) == ("half ?", None, 10**400)
    assert b"NaN" not in server.lines[-1]
    assert "doctor" in _plain(server.call("memory_get", uuid=deep))
    assert len(server.ask("memory_recent")["results"]) == 2


def test_a_crash_in_one_tool_is_said_and_leaves_the_others_working(start: StartServer) -> None:
    server = start(
        script="""
from memories import selectors
def crash(*args, **options):
    raise ZeroDivisionError("secret detail")
selectors.memory_explore = crash
"""
    )
    server.initialize()
    said = _plain(server.call("memory_explore", uuid=ABSENT))
    assert "ZeroDivisionError" in said
    assert "llm-memory doctor" in said
    assert "secret detail" not in said
    assert "secret detail" in server.stderr
    assert server.ask("memory_store", **NOTE)["status"] == "stored"


def _remove_mirror(folder: DataFolder) -> None:
    for suffix in ("-wal", "-shm", ""):
        if os.path.exists(folder.mirror + suffix):
            os.unlink(folder.mirror + suffix)


def test_an_index_deleted_while_the_server_runs_is_built_again(server: Server, folder: DataFolder) -> None:
    server.ask("memory_store", **NOTE)
    _remove_mirror(folder)
    assert server.ask("memory_search", query="text")["results"][0]["content"] == "Some text."
    _remove_mirror(folder)
    assert server.ask("memory_store", content="More text.", type="note")["warnings"] == []
    assert len(server.ask("memory_recent")["results"]) == 2


def test_an_index_that_turned_into_noise_is_built_again(server: Server, folder: DataFolder) -> None:
    server.ask("memory_store", **NOTE)
    _remove_mirror(folder)
    Path(folder.mirror).write_bytes(os.urandom(50_000))
    assert server.ask("memory_recent")["results"][0]["content"] == "Some text."


def test_a_folder_in_the_place_of_the_index_is_said_stores_go_on_and_all_works_once_it_is_gone(
    server: Server, folder: DataFolder
) -> None:
    server.ask("memory_store", **NOTE)
    _remove_mirror(folder)
    os.mkdir(folder.mirror)
    said = _plain(server.call("memory_recent"))
    assert "cannot be read" in said
    assert "sync" in said
    stored = server.ask("memory_store", content="Stored all the same.", type="note")
    assert stored["status"] == "stored"
    assert any("not searchable yet" in warning for warning in stored["warnings"])
    os.rmdir(folder.mirror)
    assert len(server.ask("memory_recent")["results"]) == 2


def _damage_the_full_text(folder: DataFolder) -> None:
    """Break the pages of the full-text index, which a look at the file's header does not show."""
    connection = sqlite3.connect(folder.mirror)
    with connection:
        connection.execute("UPDATE memory_fts_data SET block = randomblob(64) WHERE id > 10")
    connection.close()


def test_an_index_damaged_in_the_middle_is_said_made_again_and_costs_no_store(
    start: StartServer, folder: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(20):
        make_record(f"filler {number} lorem ipsum")
    server = start()
    server.initialize()
    assert len(server.ask("memory_recent", limit=1)["results"]) == 1
    _damage_the_full_text(folder)
    stored = server.ask("memory_store", content="Stored beside the damage.", type="note")
    assert records.load(folder, stored["uuid"])["content"] == "Stored beside the damage."
    said = _plain(server.call("memory_search", query="lorem"))
    assert "made again" in said
    assert len(server.ask("memory_search", query="lorem", limit=100)["results"]) == 20
    assert server.ask("memory_search", query="damage")["results"][0]["uuid"] == stored["uuid"]


@pytest.mark.parametrize("from_the_start", [True, False])
def test_a_folder_that_others_can_change_is_refused_by_every_call_until_it_is_mended(
    start: StartServer, folder: DataFolder, from_the_start: bool
) -> None:
    if from_the_start:
        os.chmod(folder.root, 0o777)  # noqa: S103
        server = start()
        server.initialize()
        assert [os.listdir(place) for place in folder.parts()[1:]] == [[]] * 5
    else:
        server = start()
        server.initialize()
        server.ask("memory_store", **NOTE)
        os.chmod(folder.root, 0o777)  # noqa: S103
    for tool, arguments in (("memory_store", NOTE), ("memory_search", {"query": "text"}), ("memory_brief", {})):
        said = _plain(server.call(tool, **arguments))
        assert f"{folder.root} can be written by other users" in said
        assert f"run chmod 700 {folder.root}" in said
    os.chmod(folder.root, 0o700)
    assert server.ask("memory_store", content="Another text.", type="note")["status"] == "stored"
    assert len(server.ask("memory_search", query="another text")["results"]) >= 1
    assert "Traceback" not in server.stderr
