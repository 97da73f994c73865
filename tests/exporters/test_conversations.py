from __future__ import annotations

import json
from pathlib import Path

import pytest

from memories.core import archived_sessions, transcript_reading
from memories.core.paths import DataFolder
from memories.exporters import conversations
from tests.core.transcript_lines import SESSION, Script
from tests.exporters.exporting import SECRET, work
from tests.memories.conversations import archive, session_id


def long_session() -> Script:
    """Calls that are answered long after, over many pages."""
    script = Script("/p")
    for number in range(30):
        script.assistant(
            {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": f"c{number}"}}
        )
    for number in range(30):
        script.user(f"request {number} " + "please " * 300)
        script.answer(f"answer {number} " + "done " * 300)
        script.user(
            [{"type": "tool_result", "tool_use_id": f"toolu_{29 - number}", "content": f"output {29 - number}."}]
        )
    return script


def test_every_line_comes_once_and_each_output_with_its_call(folder: DataFolder) -> None:
    archive(folder, long_session())
    found = archived_sessions.find(folder, SESSION)
    lines = list(conversations.lines(found))
    numbers = [line.number for line in lines]
    assert numbers == sorted(set(numbers))
    blocks = [block for line in lines for block in line.blocks]
    calls = [block for block in blocks if block.kind == "tool"]
    assert [call.answer.text for call in calls if call.answer] == [f"output {number}." for number in range(30)]
    assert not [block for block in blocks if block.kind == "output"]
    assert sum(block.kind == "user" for block in blocks) == 30
    assert transcript_reading.page_from(found, (1, 0)).after is not None


def test_an_output_without_its_call_is_shown(folder: DataFolder) -> None:
    script = Script("/p")
    script.user([{"type": "tool_result", "tool_use_id": "toolu_none", "content": "alone"}])
    archive(folder, script)
    (line,) = conversations.lines(archived_sessions.find(folder, SESSION))
    assert [block.text for block in line.blocks] == ["alone"]


def test_lines_are_redacted_and_broken_ones_named(folder: DataFolder) -> None:
    script = work(output=f"key {SECRET}")
    path = Path(folder.transcripts, f"{session_id(1)}.jsonl")
    path.write_bytes(script.dump() + b'{"type":"user", half\n')
    text = "\n".join(
        text
        for line in conversations.lines(archived_sessions.find(folder, session_id(1)))
        for block in line.blocks
        for text in (*block.texts(), *(block.answer.texts() if block.answer else []))
    )
    assert SECRET not in text
    assert "[redacted: github-token]" in text
    assert "This line cannot be read" in text


def test_what_is_beyond_all_bounds_is_cut_and_said() -> None:
    said = conversations.shown("a" * (conversations.MAX_CHARS + 1234))
    assert said.endswith("\n… 1,234 more characters are in the transcript.")
    assert conversations.shown("  indented\x1b[2J\r\n") == "  indented[2J"


def test_the_state_changes_with_files_and_rules(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(folder, work(1))
    found = [archived_sessions.find(folder, session_id(1))]
    before = conversations.state(found)
    assert conversations.state([archived_sessions.find(folder, session_id(1))]) == before
    Path(folder.settings).write_text(json.dumps({"redact_patterns": ["internal-[0-9]+"]}), encoding="utf-8")
    assert conversations.state([archived_sessions.find(folder, session_id(1))]) != before
