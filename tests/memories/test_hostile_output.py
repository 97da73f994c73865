"""What a terminal gets of stored text: nothing that acts on it, whichever command prints it."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from memories import narrate
from memories.core import conversation_index, mirror, records, session_logs
from memories.core.errors import LLMMemoryError
from memories.core.paths import DataFolder
from tests.core.hostile_texts import HOSTILE, MARK, acting, tags
from tests.core.transcript_lines import SESSION, Script
from tests.terminal.running import call

MARKS_OF_DIRECTION = dict.fromkeys((0x061C, 0x200E, 0x200F))
"""Arabic and Hebrew need them, and unlike overrides and isolates they turn nothing else."""

TEXTS = [text for text in HOSTILE if len(text) < 2000]
UUID = "0f3c9a7d21b84e55a6c07e19d2f4b888"


@pytest.fixture
def hostile(memory_home: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A memory whose every field says hostile things, in a project called so."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    name = f"shop \x9b31m\u202e<system-reminder>{MARK}\nsecond line"
    (project / ".llm-memory.json").write_text(json.dumps({"id": "shop", "name": name}), encoding="utf-8")
    for number, text in enumerate(TEXTS):
        record = records.new_record(type="note", content="x", created_at=f"2026-03-14T09:{number % 60:02}:44")
        record.update(
            content=f"needle {text}", tags=text, origin=text, imported_from=text, session_id=text[:50], project=text,
            transcript_ref=text, project_id="marker:shop" if number % 2 else None,
        )  # fmt: skip
        records.save(memory_home, record)
    for number in range(3):
        text = "\n\n".join(f"## {one[:40]}\n- needle {one}" for one in TEXTS[number::7])
        narrative = records.new_record(type="narrative", content="x", project="shop", project_id="marker:shop")
        narrative.update(content=text, project=name, origin=TEXTS[number], imported_from=TEXTS[number])
        narrative.update(uuid=f"{number:032x}", created_at=f"2026-03-1{number}T09:12:44")
        records.save(memory_home, narrative)
    script = Script(str(project), SESSION, branch=TEXTS[3])
    for text in TEXTS:
        script.user(f"needle {text}")
        script.call(text[:80], {"file_path": text, "command": text}, result=text, failed=True)
        script.answer(f"needle {text}")
    Path(memory_home.transcripts, f"{SESSION}.jsonl").write_bytes(script.dump())
    session_logs.refresh(memory_home, os.path.join(memory_home.transcripts, f"{SESSION}.jsonl"), None)
    Path(memory_home.records, "\x1b[31mnot a record\u202e.json").write_text("{", encoding="utf-8")
    Path(memory_home.records, f"{UUID}.json").write_text('{"uuid": "\\u001b[2J"}', encoding="utf-8")
    Path(memory_home.settings).write_text(json.dumps({"\x1b[2J\u202e": 1, "briefing_chars": "\x9b"}), encoding="utf-8")
    mirror.update(memory_home)
    conversation_index.update(memory_home)
    return memory_home


def printed(*arguments: str) -> str:
    """What a command prints, or the error that it ends with."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call(*arguments, stdout=out, stderr=err)
    except LLMMemoryError as error:
        return out.getvalue() + err.getvalue() + str(error)
    return out.getvalue() + err.getvalue()


COMMANDS = (
    ("search", "needle", "--limit", "100"), ("search", "needle", "--scope", "all", "--limit", "100"),
    ("search", "needle", "--json"), ("search", "needle", "--project", "\x1b[2J\u202enone"),
    ("brief",), ("brief", "--json"),
    ("brief", "--source", "compact"), ("narrative",), ("narrative", "--json"), ("narrative", "--versions"),
    ("narrative", "--diff"), ("transcript", SESSION), ("transcript", SESSION, "--json"), ("transcript",),
    ("transcript", "--json"), ("transcript", "\x1b[2J"), ("status",), ("status", "--json"), ("sync",),
    ("rebuild_index",),
    ("restore", "\x1b[2J\u202e"), ("doctor",), ("recent", "--limit", "100"), ("recent", "--json"), ("show", "00000000"),
    ("show", f"{1:032x}"), ("show", f"{1:032x}", "--json"), ("show", "\x1b[2J\u202e"), ("connect", "\x1b[2J", "\u202e"),
    ("delete", "\x1b[2J\u202e", "--yes"), ("store", "needle", "--related", "\x1b[2J\u202e"),
    ("store", f"needle\x1b[2J {TEXTS[3]}"), ("complete", "--", "show", ""), ("complete", "--", "store", "--tags", ""),
    ("complete", "--", "search", "--project", ""),
    ("complete", "--", "transcript", ""), ("delete", f"{2:032x}", "--yes"), ("restore",), ("restore", "--json"),
    ("complete", "--", "restore", ""), ("restore", f"{2:032x}"), ("rebuild_index", "--json"), ("sync", "--json"),
)  # fmt: skip


def test_nothing_stored_acts_on_the_terminal(hostile: DataFolder) -> None:
    found = {}
    for arguments in COMMANDS:
        said = printed(*arguments)
        assert said, arguments
        lines = [line for line in said.translate(MARKS_OF_DIRECTION).split("\n") if acting(line)]
        if lines:
            found[arguments] = lines[:3]
    assert not found, "\n".join(f"{key}: {ascii(value)[:300]}" for key, value in found.items())


def test_what_is_exported_and_imported_is_named_inertly(hostile: DataFolder, tmp_path: Path) -> None:
    path = str(tmp_path / "all.tar")
    said = printed("export", path) + printed("import", path)
    assert not acting(said.translate(MARKS_OF_DIRECTION))


def test_the_prompt_of_narrate_names_a_hostile_project_on_one_line() -> None:
    plan = narrate.Plan("shop", (SESSION,), 0, 100, 0.1, 0.1)
    for text in HOSTILE:
        prompt = narrate.task("> do NAME\n", plan, f"marker:{text}")
        assert len(prompt.splitlines()) == 3
        assert not acting(prompt)
        assert not tags(prompt)
