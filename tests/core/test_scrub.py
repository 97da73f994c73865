"""Scrubbing the mirror: no byte of what was deleted or changed stays in its files."""

from __future__ import annotations

from pathlib import Path

from memories.core import conversation_index, mirror, records, transcripts
from memories.core.paths import DataFolder
from memories.core.scrub import scrub
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, Script

WORD = "quagmirezebra"


def _bytes(folder: DataFolder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(Path(folder.root).glob("memory.db*")))


def test_nothing_of_a_changed_record_and_a_deleted_conversation_is_left_in_the_files(
    folder: DataFolder, make_record: MakeRecord
) -> None:
    for number in range(50):
        make_record(f"A memory about herons, number {number}. " * 20)
    record = make_record(f"The {WORD} stands here. " * 30)
    script = Script("/p")
    script.user(f"Tell me of the {WORD}")
    transcript = Path(transcripts.archive_path(folder, SESSION))
    transcript.write_bytes(script.dump())
    mirror.update(folder)
    conversation_index.update(folder)
    record["content"] = "Nothing of note."
    records.save(folder, record)
    transcript.unlink()
    mirror.update(folder)
    conversation_index.update(folder)
    connection = mirror.connect(folder.mirror)
    reader = mirror.connect(folder.mirror, read_only=True)
    try:
        assert WORD.encode() in _bytes(folder)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM memory").fetchone()
        connection.execute("PRAGMA busy_timeout = 10")
        assert not scrub(connection)
        reader.execute("COMMIT")
        assert scrub(connection)
        assert WORD.encode() not in _bytes(folder)
        assert WORD[:8].encode() not in _bytes(folder)
        (count,) = connection.execute("SELECT count(*) FROM memory_fts WHERE memory_fts MATCH 'heron'").fetchone()
        assert count == 50
        connection.execute("INSERT INTO memory_fts (memory_fts, rank) VALUES ('integrity-check', 1)")
    finally:
        connection.close()
        reader.close()
