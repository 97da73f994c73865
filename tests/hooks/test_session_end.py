"""SessionEnd and PreCompact: the transcript is kept byte for byte, its log is written and found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.core import mirror, records, session_logs, state
from memories.core.paths import DataFolder
from tests.core.transcript_lines import SESSION, short_session
from tests.hooks.conftest import Hooks


def _row(folder: DataFolder) -> tuple[str, str] | None:
    connection = mirror.connect(folder.mirror)
    try:
        found = connection.execute(
            "SELECT project, content FROM memory WHERE uuid = ?", (session_logs.log_uuid(SESSION),)
        ).fetchone()
        return None if found is None else (found[0], found[1])
    finally:
        connection.close()


@pytest.mark.parametrize("event", ["session_end", "pre_compact"])
def test_the_transcript_and_what_lies_beside_it_are_archived_byte_for_byte(hooks: Hooks, event: str) -> None:
    hooks.start()
    path = Path(short_session(str(hooks.project)).write(hooks.projects_dir))
    beside = path.with_suffix("") / "subagents" / "agent-a1.jsonl"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b'{"type":"user","isSidechain":true}\n')
    hooks.run(event, hooks.payload(path, reason="prompt_input_exit", trigger="auto"))
    kept = Path(hooks.folder.transcripts)
    assert (kept / path.name).read_bytes() == path.read_bytes()
    assert (kept / SESSION / "subagents" / beside.name).read_bytes() == beside.read_bytes()
    assert records.load(hooks.folder, session_logs.log_uuid(SESSION))["project"] == "orders-api"
    assert " archived " in hooks.log


def test_the_session_log_is_in_the_mirror_at_once(hooks: Hooks) -> None:
    hooks.start()
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    assert hooks.run("session_end", hooks.payload(path, reason="other")).stdout == ""
    found = _row(hooks.folder)
    assert found is not None
    assert found[0] == "orders-api"
    assert "Add a retry to the uploader" in found[1]


def test_without_a_mirror_the_archive_is_made_and_none_is_built(hooks: Hooks) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    hooks.run("session_end", hooks.payload(path))
    assert os.listdir(hooks.folder.transcripts) == [f"{SESSION}.jsonl"]
    assert not os.path.exists(hooks.folder.mirror)
    assert "the index follows at the next start" in hooks.log


def test_a_session_that_goes_on_after_a_compaction_is_refreshed_at_its_end(hooks: Hooks) -> None:
    hooks.start()
    script = short_session(str(hooks.project))
    path = Path(script.write(hooks.projects_dir))
    hooks.run("pre_compact", hooks.payload(path, trigger="auto"))
    script.compaction("a summary")
    script.user("Now the docs")
    script.answer("The docs are done.")
    script.write(hooks.projects_dir)
    hooks.run("session_end", hooks.payload(path))
    assert (Path(hooks.folder.transcripts) / path.name).read_bytes() == path.read_bytes()
    found = _row(hooks.folder)
    assert found is not None
    assert "The docs are done." in found[1]


def test_a_session_in_which_nothing_was_said_leaves_nothing(hooks: Hooks) -> None:
    path = hooks.projects_dir / "-p" / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(f'{{"type": "mode", "cwd": "{hooks.project}"}}\n', encoding="utf-8")
    hooks.run("session_end", hooks.payload(path))
    assert (os.listdir(hooks.folder.transcripts), os.listdir(hooks.folder.records)) == ([], [])


def test_the_summarizer_gets_short_plain_guidance(hooks: Hooks) -> None:
    path = short_session(str(hooks.project)).write(hooks.projects_dir)
    told = hooks.run("pre_compact", hooks.payload(path, trigger="manual", custom_instructions="keep decisions")).stdout
    assert 0 < len(told) < 400
    assert told[0] not in "{["
    for word in ("decisions", "corrections", "open items", "transcript stays archived"):
        assert word in told


def test_pre_compact_notes_the_compaction(hooks: Hooks) -> None:
    hooks.run("pre_compact", hooks.payload("/nowhere.jsonl", trigger="auto"))
    assert state.session_state(hooks.folder, SESSION)["compacted"] is True


@pytest.mark.parametrize("name", ["notes.jsonl", f"{SESSION}.txt"])
def test_a_path_that_is_no_transcript_is_not_archived(hooks: Hooks, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(short_session(str(hooks.project)).dump())
    hooks.run("session_end", hooks.payload(tmp_path / name))
    assert os.listdir(hooks.folder.transcripts) == []


@pytest.mark.parametrize("event", ["session_end", "pre_compact"])
def test_a_symbolic_link_is_not_followed(hooks: Hooks, tmp_path: Path, event: str) -> None:
    (tmp_path / "elsewhere").write_bytes(short_session(str(hooks.project)).dump())
    link = tmp_path / f"{SESSION}.jsonl"
    link.symlink_to(tmp_path / "elsewhere")
    hooks.run(event, hooks.payload(link))
    assert os.listdir(hooks.folder.transcripts) == []
