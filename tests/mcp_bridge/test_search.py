"""memory_search through a real server: every argument, and conversations that are indexed beside the calls."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memories.core import conversation_index, mirror, sync
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord
from tests.core.transcript_lines import Script
from tests.mcp_bridge.client import Server
from tests.mcp_bridge.conftest import StartServer
from tests.memories.conversations import archive, index, log, session_id, talk
from tests.memories.stores import remove_mirror

SHORT_WAIT = "from mcp_bridge import context\ncontext.FIRST_CALL_SECONDS = 0.1\n"
ALWAYS_SCAN = "from mcp_bridge import context\ncontext.RESYNC_SECONDS = 0.0\n"
MANY_TRIES = 200
"""Calls after which a background update that works must have shown; the first few are enough."""

STILL_INDEXING = "still being indexed"


def _conversations_lock(folder: DataFolder) -> FileLock:
    return FileLock(os.path.join(folder.state, "conversations.lock"))


def _write(folder: DataFolder, script: Script) -> None:
    """Put a session into the archive, as a file sync does: nobody indexes it."""
    Path(folder.transcripts, script.session_id + ".jsonl").write_bytes(script.dump())


def _found(server: Server, query: str, **arguments: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask("memory_search", query=query, scope="transcripts", **arguments)["results"]
    return found


def _until_found(server: Server, query: str) -> list[dict[str, Any]]:
    for _ in range(MANY_TRIES):
        answer = server.call("memory_search", query=query, scope="transcripts")
        if not answer.is_error and answer.structured["results"]:
            return list(answer.structured["results"])
    raise AssertionError("not found")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over two projects' notes and conversations, for tests that only read."""
    root = tmp_path_factory.mktemp("filled")
    folder = DataFolder(str(root / "memory"))
    folder.create()
    from memories.core import records

    def make(content: str, *, type: str = "note", **fields: Any) -> dict[str, Any]:
        record = records.new_record(type=type, content=content) | fields
        records.save(folder, record)
        return record

    make("deploy on Tuesday", tags="decision", created_at="2026-01-10T10:00:00", project="orders")
    make("deploy on Friday", status="archived", created_at="2026-02-10T10:00:00", project="orders")
    make("deploy by hand", created_at="2026-03-10T10:00:00", project="billing")
    log(make, 1, "orders")
    log(make, 2, "billing")
    archive(folder, talk("shall we deploy?", number=1, day="2026-01-10"), talk("deploy now", number=2))
    with Server(folder, root) as server:
        server.initialize()
        yield server


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({}, {"deploy on Tuesday", "deploy by hand"}),
        ({"project": "Orders"}, {"deploy on Tuesday"}),
        ({"type": "narrative"}, set()),
        ({"tags": "Decision"}, {"deploy on Tuesday"}),
        ({"tags": ["decision"]}, {"deploy on Tuesday"}),
        ({"tags": '["decision"]'}, {"deploy on Tuesday"}),
        ({"since": "2026-02"}, {"deploy by hand"}),
        ({"until": "2026-02-10"}, {"deploy on Tuesday"}),
        ({"include_archived": True}, {"deploy on Tuesday", "deploy on Friday", "deploy by hand"}),
        ({"scope": "transcripts"}, {"shall we **deploy**?", "**deploy** now"}),
        ({"scope": "transcripts", "project": "billing"}, {"**deploy** now"}),
        ({"scope": "transcripts", "until": "2026-01"}, {"shall we **deploy**?"}),
        ({"scope": "all", "since": "2026-03"}, {"deploy by hand", "**deploy** now"}),
    ],
)
def test_each_argument_does_what_its_name_says(filled: Server, arguments: dict[str, Any], found: set[str]) -> None:
    hits = filled.ask("memory_search", query="deploy", **arguments)["results"]
    texts = {hit["snippet"] if hit["type"] == "transcript" else hit["content"] for hit in hits}
    assert {text for text in texts if not text.startswith("Log of")} == found


def test_pages_by_limit_and_offset_hold_each_hit_once(filled: Server) -> None:
    whole = filled.ask("memory_search", query="deploy", scope="all")["results"]
    pages = [filled.ask("memory_search", query="deploy", scope="all", limit=1, offset=place) for place in range(4)]
    assert [page["results"][0] for page in pages] == whole


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scope": "everywhere"}, "scope: Input should be 'memories', 'transcripts' or 'all'"),
        ({"since": "last week"}, "'last week' is not a time. Use YYYY, YYYY-MM"),
        ({"until": "2026-02-31"}, "is not a time"),
        ({"since": "2026", "until": "2025"}, "Exchange them"),
        ({"scope": "transcripts", "tags": ["x"]}, "Leave them out, or search memories"),
        ({"scope": "transcripts", "type": "note"}, "Leave them out, or search memories"),
        ({"offset": 1001}, "offset: Input should be less than or equal to 1000"),
        ({"offset": -1}, "offset: Input should be greater than or equal to 0"),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"tags": {"a": 1}}, "tags"),
        ({"include_archived": "perhaps"}, "include_archived: Input should be a valid boolean"),
    ],
)
def test_wrong_arguments_are_refused_with_what_to_do(filled: Server, arguments: dict[str, Any], says: str) -> None:
    answer = filled.call("memory_search", query="deploy", **arguments)
    assert answer.is_error
    assert says in answer.text


def test_a_hit_leads_to_the_page_around_it(filled: Server) -> None:
    (hit,) = _found(filled, "deploy", until="2026-01")
    page = filled.call("transcript_read", session_id=hit["session_id"], around=hit["line"])
    assert f">> [{hit['line']}] 2026-01-10 09:00 user\n> shall we deploy?" in page.text


def test_what_a_sync_brought_is_found_at_once(server: Server, folder: DataFolder, tmp_path: Path) -> None:
    assert "`llm-memory sync`" in server.ask("memory_search", query="needle", scope="transcripts")["hint"]
    talk("where is the needle?", cwd=str(tmp_path / "orders")).write(tmp_path / "projects")
    sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0.0)
    hits = server.ask("memory_search", query="needle", scope="transcripts", project="orders")["results"]
    assert [hit["session_id"] for hit in hits] == [session_id(1)]


def test_conversations_that_a_file_sync_brings_are_followed_while_the_server_runs(
    start: StartServer, folder: DataFolder
) -> None:
    server = start(script=ALWAYS_SCAN)
    server.initialize()
    assert _found(server, "needle") == []
    _write(folder, talk("the needle came from elsewhere"))
    assert _until_found(server, "needle")[0]["line"] == 1


def test_the_first_search_of_conversations_waits_for_what_is_new_in_the_archive(
    start: StartServer, folder: DataFolder
) -> None:
    _write(folder, talk("the needle came before"))
    server = start()
    server.initialize()
    answer = server.ask("memory_search", query="needle", scope="transcripts")
    assert len(answer["results"]) == 1
    assert answer["hint"] is None


def test_while_another_process_indexes_searches_are_answered_and_say_so(
    start: StartServer, folder: DataFolder, make_record: MakeRecord
) -> None:
    make_record("needle in a note")
    archive(folder, talk("the needle is known"))
    _write(folder, talk("the needle is new", number=2))
    server = start(script=SHORT_WAIT)
    with _conversations_lock(folder):
        assert server.initialize()["serverInfo"]
        answer = server.ask("memory_search", query="needle", scope="transcripts")
        assert [hit["session_id"] for hit in answer["results"]] == [session_id(1)]
        assert STILL_INDEXING in answer["hint"]
        assert STILL_INDEXING not in (server.ask("memory_search", query="needle")["hint"] or "")
        assert server.ask("memory_store", content="Stored meanwhile.", type="note")["warnings"] == []
    for _ in range(MANY_TRIES):
        answer = server.ask("memory_search", query="needle", scope="transcripts")
        if len(answer["results"]) == 2 and answer["hint"] is None:
            break
    assert (len(answer["results"]), answer["hint"]) == (2, None)


def test_only_one_thread_indexes_however_often_the_records_are_looked_at(
    start: StartServer, folder: DataFolder
) -> None:
    server = start(
        script=ALWAYS_SCAN
        + """
import threading
from mcp_bridge import calls
searching = calls.Calls.searching
def counted(self, where, search):
    sys.stderr.write(f"{sum(one.name == 'conversations' for one in threading.enumerate())}\\n")
    return searching(self, where, search)
calls.Calls.searching = counted
"""
    )
    with _conversations_lock(folder):
        server.initialize()
        for _ in range(10):
            server.ask("memory_search", query="needle")
    assert set(server.stderr.split()) <= {"0", "1"}
    assert "1" in server.stderr


STOPS_AT_A_GATE = """
import math
from memories.core.locks import FileLock
def stop(root):
    open(root + "/stopped", "w").close()
    with FileLock(root + "/gate", math.inf):
        pass
"""


def _wait_until_stopped(server: Server, folder: DataFolder) -> None:
    for _ in range(100 * MANY_TRIES):
        if os.path.exists(folder.root + "/stopped"):
            return
        server.request("ping")
    raise AssertionError(f"never came there; stderr: {server.stderr}")


def test_an_index_deleted_while_conversations_are_indexed_is_built_again_with_them(
    start: StartServer, folder: DataFolder
) -> None:
    _write(folder, talk("the needle"))
    with FileLock(folder.root + "/gate"):
        server = start(
            script=SHORT_WAIT
            + STOPS_AT_A_GATE
            + """
from memories.core import conversation_index
update = conversation_index._Update.run
def run(self):
    stop(self._folder.root)
    return update(self)
conversation_index._Update.run = run
"""
        )
        server.initialize()
        _wait_until_stopped(server, folder)
        remove_mirror(folder)
        assert STILL_INDEXING in server.ask("memory_search", query="needle", scope="transcripts")["hint"]
    assert len(_until_found(server, "needle")) == 1


def test_a_server_that_is_killed_in_the_middle_of_writing_leaves_nothing_half_written(
    start: StartServer, folder: DataFolder
) -> None:
    _write(folder, talk("the needle", "is here"))
    with FileLock(folder.root + "/gate"):
        server = start(
            script=STOPS_AT_A_GATE
            + f"""
from memories.core import conversation_rows
def leave(self, *error):
    stop({folder.root!r})
conversation_rows.Transaction.__exit__ = leave
"""
        )
        server.initialize()
        _wait_until_stopped(server, folder)
        server.process.kill()
        server.process.wait()
    connection = mirror.connect(folder.mirror)
    assert connection.execute("SELECT count(*) FROM turn").fetchone() == (0,)
    connection.close()
    assert conversation_index.update(folder, wait_seconds=60.0).turns == 2


def _empty_index(folder: DataFolder) -> None:
    remove_mirror(folder)
    mirror.update(folder, wait_seconds=60)  # the server may be at it


def _missing_tables(folder: DataFolder) -> None:
    _change(folder, "DROP TABLE turn_fts", "DROP TABLE turn", "DROP TABLE session")


def _damaged_text(folder: DataFolder) -> None:
    _change(folder, "UPDATE turn_fts_data SET block = randomblob(64) WHERE id > 10")


def _change(folder: DataFolder, *statements: str) -> None:
    connection = sqlite3.connect(folder.mirror)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("harm", [_empty_index, _missing_tables, _damaged_text])
@pytest.mark.parametrize("where", ["memories", "transcripts"])
def test_whatever_becomes_of_the_conversations_index_it_is_made_again(
    start: StartServer, folder: DataFolder, make_record: MakeRecord, harm: Any, where: str
) -> None:
    make_record("A note on the gateway")
    archive(folder, *[talk(f"needle {number}", number=number) for number in range(30)])
    server = start(script=ALWAYS_SCAN)
    server.initialize()
    assert len(_found(server, "needle", limit=100)) == 30
    harm(folder)
    answer = server.call("memory_search", query="gateway needle", scope=where)
    if answer.is_error:
        assert "made again from the records and transcripts" in answer.text
        assert "Try once more" in answer.text
    for _ in range(MANY_TRIES):
        answer = server.call("memory_search", query="needle", scope="transcripts", limit=100)
        if not answer.is_error and len(answer.structured["results"]) == 30:
            break
    assert len(answer.structured["results"]) == 30
    assert server.ask("memory_search", query="gateway")["results"][0]["content"] == "A note on the gateway"


def test_hits_of_odd_text_arrive_as_valid_json(server: Server, folder: DataFolder) -> None:
    script = talk("half \ud83d of a needle \x1b[31m\x00 漢字")
    archive(folder, script)
    (hit,) = _found(server, "needle")
    assert hit["snippet"] == "half ? of a **needle** [31m 漢字"
    assert json.loads(server.lines[-1])
    assert _found(server, "漢字 \ud83d \0")[0]["line"] == 1


def test_a_conversation_that_was_taken_out_of_the_archive_is_not_found_any_more(
    server: Server, folder: DataFolder
) -> None:
    archive(folder, talk("the needle"), talk("another needle", number=2))
    assert len(_found(server, "needle")) == 2
    os.unlink(Path(folder.transcripts, session_id(1) + ".jsonl"))
    index(folder)
    assert [hit["session_id"] for hit in _found(server, "needle")] == [session_id(2)]
