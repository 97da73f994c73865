"""memory_brief: plain text, with its size, of the calling session's project unless another is named."""

from __future__ import annotations

import os
from pathlib import Path

from memories.core import records, state
from memories.core.paths import DataFolder
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, short_session
from tests.mcp_bridge.client import Server
from tests.mcp_bridge.conftest import StartServer


def test_it_gives_the_briefing_of_the_sessions_project_with_its_size(server: Server, folder: DataFolder) -> None:
    stored = server.ask("memory_store", content="Go on with the backfill", type="note", tags="handoff")
    answer = server.call("memory_brief")
    assert not answer.is_error
    first, _, text = answer.text.partition("\n\n")
    assert first.startswith("(What a session of orders gets at startup: ")
    assert f"{len(text):,} characters (at most 6,000), about " in first
    assert text.startswith("# LLM Memory: what earlier sessions kept about orders\n")
    assert "## Handoff from an earlier session" in text
    assert records.load(folder, stored["uuid"])["tags"] == "handoff"


def test_another_project_can_be_named_and_outside_any_one_must_be(
    start: StartServer, make_record: MakeRecord, tmp_path: Path
) -> None:
    make_record("the limit is ten", project="billing", project_id="path:/x/billing")
    server = start(where=tmp_path / "home")
    server.initialize()
    assert "> the limit is ten" in server.call("memory_brief", project="Billing").text
    refused = server.call("memory_brief")
    assert refused.is_error
    assert "pass project" in refused.text


def test_compact_gives_what_the_calling_session_was_at(server: Server, folder: DataFolder, project: Path) -> None:
    script = short_session(str(project), SESSION, "the request in hand")
    Path(folder.transcripts, f"{SESSION}.jsonl").write_bytes(script.dump())
    state.note_client(folder, os.getpid(), SESSION)
    text = server.call("memory_brief", source="compact").text
    assert "at compact: " in text
    assert "word for word\n> the request in hand" in text


def test_a_source_that_is_none_is_refused_with_those_there_are(server: Server) -> None:
    refused = server.call("memory_brief", source="reboot")
    assert refused.is_error
    assert "startup" in refused.text
