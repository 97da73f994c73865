"""A data folder as months of use leave one: records of every kind, conversations, conflicts, broken files."""

from __future__ import annotations

import os
import time
from pathlib import Path

from memories.core import conversation_index, mirror, records, session_logs, state
from memories.core.paths import DataFolder
from tests.core.transcript_lines import Script
from tests.memories.conversations import session_id, talk

PROJECT = {"project": "orders-api", "project_id": "git:example.org/acme/orders-api"}
RECORD_CONFLICT = "cc" * 16 + ".sync-conflict-20260314-101010-ABCDEFG.json"
BROKEN = "ee" * 16 + ".json"


def fill(folder: DataFolder) -> dict[str, str]:
    """Write it, older than any clock tick, and index it. The uuids of what tests ask for, by name."""
    made = _records(folder)
    _transcripts(folder)
    _oddities(folder)
    for event in ("session_start", "post_tool_use"):
        state.beat(folder, event)
    state.log_hook(folder, "session_end", "not archived: Cannot read it", 0.1, None)
    past = time.time() - 3600
    for root, names, files in os.walk(folder.root, topdown=False):
        for name in [*names, *files]:
            os.utime(os.path.join(root, name), (past, past))
    mirror.update(folder)
    conversation_index.update(folder)
    return made


def _save(folder: DataFolder, content: str, kind: str = "note", **fields: object) -> str:
    record = records.new_record(type="note", content=content)
    record.update(type=kind)
    record.update(fields)
    records.save(folder, record)
    return str(record["uuid"])


def _records(folder: DataFolder) -> dict[str, str]:
    refs = f'["{session_id(1)}"]'
    first = _save(
        folder, "# Orders\n\nDeploys on Mondays.", "narrative", status="archived", transcript_ref=refs,
        created_at="2026-03-01T08:00:00", **PROJECT,
    )  # fmt: skip
    second = _save(
        folder, f"# Orders\n\n## Decisions\n- Deploys on Tuesdays [{session_id(1)[:8]}:L1]", "narrative",
        transcript_ref=refs, connections=[{"to_uuid": first, "relationship": "supersedes"}],
        created_at="2026-03-15T08:00:00", origin="laptop", **PROJECT,
    )  # fmt: skip
    records.update(folder, first, lambda record: record.update(archived_in=second) is None)
    fork = _save(folder, "# Orders, written elsewhere", "narrative", created_at="2026-03-10T08:00:00", **PROJECT)
    note = _save(
        folder, "The freeze starts **Monday** at 18:00.", tags="decision, deploy", importance=8,
        session_id=session_id(1), connections=[{"to_uuid": second, "relationship": "related_to"}], **PROJECT,
    )  # fmt: skip
    handoff = _save(folder, "Go on with the retry of uploads.", tags="handoff", session_id=session_id(2), **PROJECT)
    _save(folder, "Of no project at all", created_at="2026-02-01T12:00:00")
    for number in (1, 2):
        log = records.new_record(
            type="session_log", content=f"Session log {number}", created_at=f"2026-03-14T10:0{number}:00"
        )
        found = session_id(number)
        log.update(uuid=session_logs.log_uuid(found), session_id=found, transcript_ref=found, turns=4, **PROJECT)
        log.pop("origin")
        records.save(folder, log)
    deleted = _save(folder, "Deleted in the meantime")
    records.delete(folder, deleted)
    return {"narrative": second, "first": first, "fork": fork, "note": note, "handoff": handoff, "deleted": deleted}


def _transcripts(folder: DataFolder) -> None:
    first = talk("When do deploys go out?", "On Tuesdays.", cwd="/srv/orders-api")
    first.call("Bash", {"command": "ls -l"}, result="total 0\nuploader.py")
    first.compaction("We spoke of deploys.")
    first.answer("Anything else?")
    second = talk("Add a retry to the uploader", "Done.", number=2, cwd="/srv/orders-api")
    for script in (first, second):
        _write(folder, f"{script.session_id}.jsonl", script.dump())
    agent = talk("Look for the uploader", "It is in src/", number=3)
    for line in agent.lines:
        line["isSidechain"] = True
    _write(folder, f"{first.session_id}/subagents/agent-a1.jsonl", agent.dump())
    _write(folder, f"{first.session_id}/tool-results/one.txt", b"a long output\n")


def _oddities(folder: DataFolder) -> None:
    Path(folder.records, RECORD_CONFLICT).write_bytes(b'{"uuid": "0123"}')
    Path(folder.records, BROKEN).write_bytes(b"{ half a record")
    Path(folder.records, "notes.txt").write_bytes(b"not a record")
    Path(folder.config, "settings.sync-conflict-20260314-101010-ABCDEFG.json").write_bytes(b"{}")
    _write(folder, f"{session_id(9)}.jsonl", b"\xff\xfe{{ not json\n" + Script("/", session_id(9)).dump())
    _write(folder, f"{session_id(1)}.sync-conflict-20260314-101010-ABCDEFG.jsonl", b"{}\n")


def _write(folder: DataFolder, name: str, data: bytes) -> None:
    path = Path(folder.transcripts, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
