"""The index holds no secret, whatever the files hold, and keeps up with rules and patterns."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from memories.core import conversation_index, conversation_rows, mirror, records, redaction, transcripts
from memories.core.errors import MirrorUnavailableError
from memories.core.paths import DataFolder
from memories.core.redact import Redactor
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, Script

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
HIDDEN = "[redacted: github-token]"


def use_patterns(folder: DataFolder, *patterns: str) -> None:
    """Write the user's patterns into the settings."""
    Path(folder.settings).write_text(json.dumps({"redact_patterns": patterns}), encoding="utf-8")


def archive(folder: DataFolder, *said: str) -> None:
    """Archive a session in which the user says these."""
    script = Script("/p", SESSION)
    for text in said:
        script.user(text)
    Path(transcripts.archive_path(folder, SESSION)).write_bytes(script.dump())


def update(folder: DataFolder) -> bool:
    """Bring records and conversations up to date; whether the mirror was made anew."""
    rebuilt = mirror.update(folder).rebuilt
    conversation_index.update(folder)
    return rebuilt


def rows(folder: DataFolder, sql: str) -> list[tuple[Any, ...]]:
    """What the mirror answers."""
    connection = sqlite3.connect(folder.mirror)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_a_row_is_made_from_redacted_text(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record(f"# Key {TOKEN}\n\nmore <private>plan</private>", project=f"p {TOKEN}", tags=TOKEN)
    mirror.update(folder)
    found = rows(folder, "SELECT content, title, project, tags FROM memory")
    assert found == [(f"# Key {HIDDEN}\n\nmore [private]", f"Key {HIDDEN}", f"p {HIDDEN}", HIDDEN)]
    assert rows(folder, "SELECT count(*) FROM memory_fts WHERE memory_fts MATCH 'a1B2c3D4e5F6 OR plan'") == [(0,)]


def test_no_byte_of_a_secret_is_in_the_index(folder: DataFolder, make_record: MakeRecord) -> None:
    uuid = make_record(f"Key {TOKEN}")["uuid"]
    archive(folder, f"my key {TOKEN}")
    update(folder)
    mirror.apply_records(folder, [uuid])
    for path in Path(folder.root).glob("memory.db*"):
        assert TOKEN[4:].encode() not in path.read_bytes()


def test_why_a_file_is_not_read_is_told_without_its_secrets(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record("x") | {"type": TOKEN}
    Path(folder.records, f"{record['uuid']}.json").write_text(json.dumps(record), encoding="utf-8")
    problem = mirror.update(folder).skipped[0][1]
    assert HIDDEN in problem
    assert TOKEN not in problem


def test_a_new_pattern_makes_the_index_anew_and_once(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("at blue-17")
    archive(folder, "we met at blue-18")
    assert update(folder)
    assert not update(folder)
    use_patterns(folder, "blue-\\d+")
    assert update(folder)
    assert rows(folder, "SELECT content FROM memory UNION SELECT text FROM turn ORDER BY 1") == [
        ("at [redacted: own-pattern]",),
        ("we met at [redacted: own-pattern]",),
    ]
    assert not update(folder)
    use_patterns(folder)
    assert update(folder)
    assert rows(folder, "SELECT content FROM memory") == [("at blue-17",)]


def test_a_slip_in_the_settings_shows_nothing_and_makes_nothing_anew(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    use_patterns(folder, "blue-\\d+")
    make_record("at blue-17")
    update(folder)
    Path(folder.settings).write_text('{"redact_patterns": ["blue', encoding="utf-8")
    uuid = make_record("at blue-18")["uuid"]
    assert not update(folder)
    mirror.apply_records(folder, [uuid])
    assert set(rows(folder, "SELECT content FROM memory")) == {("at [redacted: own-pattern]",)}


def test_an_index_of_other_rules_is_not_opened_by_who_asks_for_these(folder: DataFolder) -> None:
    mirror.update(folder)
    mirror.connect(folder.mirror, redactor=Redactor()).close()
    mirror.connect(folder.mirror).close()
    with pytest.raises(MirrorUnavailableError, match="llm-memory sync"):
        mirror.connect(folder.mirror, redactor=Redactor(("blue",)))


def test_conversations_are_not_indexed_by_other_rules_than_the_mirrors(folder: DataFolder) -> None:
    archive(folder, "at blue-17")
    mirror.update(folder)
    use_patterns(folder, "blue-\\d+")
    with pytest.raises(MirrorUnavailableError):
        conversation_index.update(folder)
    assert rows(folder, "SELECT count(*) FROM turn") == [(0,)]


def test_rows_that_were_read_before_a_rebuild_for_other_rules_are_not_written(folder: DataFolder) -> None:
    mirror.update(folder)
    before = redaction.of(folder)
    connection = mirror.connect(folder.mirror, redactor=before)
    try:
        reading = conversation_rows.Reading(connection, f"{SESSION}.jsonl")
        use_patterns(folder, "blue-\\d+")
        mirror.update(folder)
        with pytest.raises(MirrorUnavailableError):
            conversation_rows.write(connection, [reading], before)
        assert not connection.in_transaction
    finally:
        connection.close()
    assert rows(folder, "SELECT count(*) FROM session") == [(0,)]


def test_a_secret_that_ends_behind_the_cut_of_a_row_leaves_no_half(folder: DataFolder) -> None:
    for before in range(5960, 6005, 4):
        archive(folder, "w " * (before // 2) + TOKEN + " and more" * 200)
        update(folder)
        found = rows(folder, "SELECT text FROM turn ORDER BY id")
        assert len(found) > 1
        assert "".join(text for (text,) in found).count(HIDDEN) == 1
        assert not any("ghp_" in text or "e5F6" in text for (text,) in found)


def test_a_fork_that_repeats_a_message_with_a_secret_is_indexed_once(folder: DataFolder) -> None:
    archive(folder, f"my key {TOKEN}", "thanks")
    content = Path(transcripts.archive_path(folder, SESSION)).read_bytes()
    other = SESSION.replace("c0de", "beef")
    Path(transcripts.archive_path(folder, other)).write_bytes(content)
    update(folder)
    assert rows(folder, "SELECT text FROM turn ORDER BY id") == [(f"my key {HIDDEN}",), ("thanks",)]


def test_an_edit_that_takes_a_secret_out_brings_the_row_up_to_date(folder: DataFolder, make_record: MakeRecord) -> None:
    record = make_record(f"Key {TOKEN}")
    mirror.update(folder)
    records.save(folder, record | {"content": "No key"})
    mirror.update(folder)
    assert rows(folder, "SELECT content FROM memory") == [("No key",)]
