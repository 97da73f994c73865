"""What the tools do, through a real server: projects, sessions, duplicates, narratives, opting out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from memories.core import records, session_logs, state
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.mcp_bridge.client import Json, Server
from tests.mcp_bridge.conftest import StartServer


def _note(server: Server, content: str, **more: Any) -> Json:
    return server.ask("memory_store", content=content, type="note", **more)


def _contents(answer: Json) -> list[str]:
    return [hit["content"] for hit in answer["results"]]


def test_a_stored_memory_is_a_record_of_the_sessions_project_and_is_found(server: Server, folder: DataFolder) -> None:
    answer = _note(server, "  Deploys go out on Tuesdays only.  ", importance=8, tags=["decision", "deploy,ops"])
    assert answer == {"uuid": answer["uuid"], "status": "stored", "near_duplicates": [], "warnings": []}
    record = records.load(folder, answer["uuid"])
    assert record["content"] == "Deploys go out on Tuesdays only."
    assert (record["project"], record["importance"], record["tags"]) == ("orders", 8, "decision, deploy, ops")
    assert record["project_id"].startswith("path:")
    hit = server.ask("memory_search", query="When do we deploy?")["results"][0]
    assert hit["uuid"] == answer["uuid"]
    assert set(hit) == {
        "uuid", "type", "content", "project", "created_at", "importance", "transcript_ref", "tags", "snippet", "score",
        "matched",
    }  # fmt: skip
    assert _contents(server.ask("memory_recent")) == ["Deploys go out on Tuesdays only."]


def test_the_project_is_that_of_the_git_remote_where_there_is_one(
    start: StartServer, folder: DataFolder, project: Path
) -> None:
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    remote = ["git", "-C", str(project), "remote", "add", "origin", "git@example.org:shop/orders-api.git"]
    subprocess.run(remote, check=True)
    server = start()
    server.initialize()
    record = records.load(folder, _note(server, "Known by its remote.")["uuid"])
    assert (record["project"], record["project_id"]) == ("orders-api", "git:example.org/shop/orders-api")


def test_search_prefers_the_sessions_project_and_only_project_restricts(
    start: StartServer, make_record: MakeRecord
) -> None:
    for number in ("ten", "six"):
        make_record(f"the limit is {number}", project="billing", project_id="path:/x/billing")
    server = start()
    server.initialize()
    _note(server, "the limit is nine")
    found = _contents(server.ask("memory_search", query="limit"))
    assert found[0] == "the limit is nine"
    assert len(found) == 3
    only = _contents(server.ask("memory_search", query="limit", project="Billing"))
    assert set(only) == {"the limit is ten", "the limit is six"}
    nowhere = server.ask("memory_search", query="limit", project="unheard of")
    assert nowhere["results"] == []
    assert "orders" in nowhere["hint"]


def test_coverage_is_of_the_sessions_project_unless_one_is_named(server: Server) -> None:
    assert server.ask("narrative_coverage")["project"] == "orders"
    named = server.ask("narrative_coverage", project="billing")
    assert (named["project"], named["status"], named["narrative_uuid"]) == ("billing", "none", None)


def test_outside_any_project_a_note_is_kept_and_a_narrative_or_coverage_needs_a_name(
    start: StartServer, folder: DataFolder, tmp_path: Path
) -> None:
    server = start(where=tmp_path / "home")
    server.initialize()
    assert records.load(folder, _note(server, "A note of no project.")["uuid"])["project"] is None
    refused = server.call("memory_store", content="# Whose?", type="narrative")
    assert refused.is_error
    assert "pass project" in refused.text
    assert "pass project" in server.call("narrative_coverage").text
    assert server.ask("memory_store", content="# Of x", type="narrative", project="x")["status"] == "stored"


def test_the_session_id_is_what_session_start_noted_last_for_the_client(start: StartServer, folder: DataFolder) -> None:
    server = start(environ={"CLAUDE_CODE_SESSION_ID": "stale"})
    server.initialize()

    def session_of(content: str, **more: str) -> str | None:
        found: str | None = records.load(folder, _note(server, content, **more)["uuid"])["session_id"]
        return found

    assert session_of("before any note") == "stale"
    state.note_client(folder, os.getpid(), "first-session")
    assert session_of("in the first session") == "first-session"
    state.note_client(folder, os.getpid(), "after-clear")
    assert session_of("after /clear") == "after-clear"
    assert session_of("told otherwise", session_id="given") == "given"


def test_without_a_note_or_a_variable_there_is_no_session_id(server: Server, folder: DataFolder) -> None:
    assert records.load(folder, _note(server, "no session")["uuid"])["session_id"] is None


def test_an_exact_duplicate_is_skipped_and_names_the_record_there_is(server: Server, folder: DataFolder) -> None:
    first = _note(server, "Retry three times,\n then give up.")
    again = _note(server, "retry three times,  then GIVE up.")
    assert (again["uuid"], again["status"]) == (first["uuid"], "duplicate_skipped")
    assert first["uuid"] in again["message"]
    assert os.listdir(folder.records) == [first["uuid"] + ".json"]


def test_duplicates_are_of_one_project_and_type_only(server: Server) -> None:
    stored = [
        _note(server, "The same words."),
        _note(server, "The same words.", project="billing"),
        server.ask("memory_store", content="The same words.", type="narrative"),
    ]
    assert {answer["status"] for answer in stored} == {"stored"}
    assert _note(server, "The same words.", project="Billing")["uuid"] == stored[1]["uuid"]


def test_a_near_duplicate_is_stored_and_named(server: Server) -> None:
    first = _note(server, "The queue keeps failed jobs for seven days and then drops them.")
    near = _note(server, "The queue keeps failed jobs for seven days, then drops them.")
    assert (near["status"], near["near_duplicates"]) == ("stored", [first["uuid"]])
    assert _note(server, "Quite another thing altogether.")["near_duplicates"] == []


def test_a_deleted_or_superseded_memory_can_be_stored_again(server: Server) -> None:
    old = _note(server, "The port is 80.")
    link = [{"to_uuid": old["uuid"], "relationship": "supersedes"}]
    new = _note(server, "The port is 8080.", connections=link)
    assert _contents(server.ask("memory_search", query="port")) == ["The port is 8080."]
    assert _note(server, "The port is 80.")["status"] == "stored"
    assert server.ask("memory_delete", uuid=new["uuid"])["status"] == "deleted"
    assert _note(server, "The port is 8080.")["status"] == "stored"


def test_a_new_narrative_archives_the_old_one_and_keeps_what_it_covered(server: Server, folder: DataFolder) -> None:
    for session in ("s1", "s2", "s3"):
        Path(folder.transcripts, f"{session}.jsonl").touch()
    first = server.ask("memory_store", content="# One", type="narrative", transcript_ref=["s1", "s2"])
    second = server.ask("memory_store", content="# Two", type="narrative", transcript_ref="s2, s3")
    old, new = records.load(folder, first["uuid"]), records.load(folder, second["uuid"])
    assert (old["status"], old["archived_in"]) == ("archived", second["uuid"])
    assert new["connections"] == [{"to_uuid": first["uuid"], "relationship": "supersedes"}]
    assert json.loads(new["transcript_ref"]) == ["s1", "s2", "s3"]
    assert server.ask("narrative_coverage")["narrative_uuid"] == second["uuid"]
    assert _contents(server.ask("memory_recent", type="narrative")) == ["# Two"]
    incoming = server.ask("memory_get", uuid=first["uuid"])["connections"]["incoming"]
    assert [link["from_uuid"] for link in incoming] == [second["uuid"]]


def test_a_narrative_that_lost_an_item_is_a_tool_error_with_its_name_until_that_is_accepted(server: Server) -> None:
    server.ask("memory_store", content="## Decisions\n- Use Postgres.\n- Retry 3 times.", type="narrative")
    rewritten = {"content": "## Decisions\n- Retry three times.", "type": "narrative"}
    refused = server.call("memory_store", **rewritten)
    assert refused.is_error
    assert "[gone] Decisions: Use Postgres." in refused.text
    assert "accept_losses" in refused.text
    assert server.ask("memory_store", **rewritten, accept_losses=["Use Postgres."])["status"] == "stored"


def test_the_same_narrative_again_with_more_sessions_read_covers_them(
    start: StartServer, folder: DataFolder, make_record: MakeRecord
) -> None:
    for session in ("s1", "s2"):
        Path(folder.transcripts, f"{session}.jsonl").write_text("{}\n", encoding="utf-8")
        uuid = session_logs.log_uuid(session)
        make_record(f"Log of {session}", type="session_log", uuid=uuid, project="orders", session_id=session)
    server = start()
    server.initialize()
    first = server.ask("memory_store", content="# One", type="narrative", transcript_ref=["s1"])
    assert [one["session_id"] for one in server.ask("narrative_coverage")["unprocessed"]] == ["s2"]
    again = server.ask("memory_store", content="# One", type="narrative", transcript_ref=["s2"])
    assert (again["uuid"], again["status"]) == (first["uuid"], "duplicate_skipped")
    assert server.ask("narrative_coverage")["status"] == "current"
    assert json.loads(records.load(folder, first["uuid"])["transcript_ref"]) == ["s1", "s2"]


def test_links_are_made_once_followed_both_ways_and_shown_where_the_target_is_absent(server: Server) -> None:
    one, two = _note(server, "One.")["uuid"], _note(server, "Two.")["uuid"]
    link = {"from_uuid": one, "to_uuid": two, "relationship": "related_to"}
    for _ in range(2):
        assert server.ask("memory_connect", **link) == {"status": "connected", **link, "warnings": []}
    around = server.ask("memory_explore", uuid=two)
    assert {node["uuid"] for node in around["nodes"]} == {one, two}
    assert around["edges"] == [link]
    absent = _note(server, "Three.", connections=[{"to_uuid": "f" * 32, "relationship": "related_to"}])
    assert "f" * 32 in absent["warnings"][0]
    outgoing = server.ask("memory_get", uuid=absent["uuid"])["connections"]["outgoing"]
    assert outgoing == [{"to_uuid": "f" * 32, "relationship": "related_to", "memory": None}]


def test_a_disabled_project_refuses_to_store_and_says_why(
    start: StartServer, folder: DataFolder, project: Path
) -> None:
    (project / ".llm-memory.json").write_text('{"enabled": false}', encoding="utf-8")
    server = start()
    server.initialize()
    refused = server.call("memory_store", content="Not to be kept.", type="note")
    assert refused.is_error
    assert "switched off in this project" in refused.text
    assert ".llm-memory.json" in refused.text
    assert server.call("memory_store", content="Nor this.", type="note", project="other").is_error
    assert os.listdir(folder.records) == []


@pytest.mark.parametrize("name", ["LLM_MEMORY_DISABLE", "LLM_MEMORY_GUARD"])
def test_a_session_with_memory_switched_off_refuses_to_store(start: StartServer, folder: DataFolder, name: str) -> None:
    server = start(environ={name: "1"})
    server.initialize()
    refused = server.call("memory_store", content="Not to be kept.", type="note")
    assert refused.is_error
    assert "LLM_MEMORY_DISABLE" in refused.text
    assert os.listdir(folder.records) == []
