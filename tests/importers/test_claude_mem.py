from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memories.core.errors import ImportSourceError
from memories.core.paths import DataFolder
from memories.importers import claude_mem
from tests.importers.sources import SESSION, imported, outcomes, stored
from tests.importers.sources import claude_mem as database


def test_what_the_real_product_wrote_comes_as_notes(folder: DataFolder, tmp_path: Path) -> None:
    result = imported(folder, "claude-mem", database(tmp_path))
    assert outcomes(result, "Observations") == {"read": 3, "new": 3}
    assert outcomes(result, "Session summaries") == {"read": 1, "new": 1}
    assert result.notes == ["2 prompts stay there: the transcripts have them"]
    assert result.secrets == 1
    found = stored(folder)
    bug = found["# Order numbers collided under load"]
    assert bug["content"] == (
        "# Order numbers collided under load\n\n"
        "Two workers read the same counter before either wrote it back\n\n"
        "The counter row was read, incremented in Python and written back. Two workers that read before either wrote "
        "gave the same number.\n\n"
        "- numbering.py read the counter outside of the transaction\n- Seen with 8 workers, never with one\n\n"
        "Files read: src/numbering.py\nFiles changed: src/numbering.py, tests/test_numbering.py"
    )
    assert bug["tags"] == "bugfix, problem-solution, gotcha"
    assert bug["project"] == "orders-api"
    assert "project_id" not in bug
    assert bug["session_id"] == SESSION
    assert bug["created_at"] == "2026-03-06T09:12:44"
    assert bug["imported_from"] == "claude-mem"
    summary = found["# Find out why two orders get the same number"]
    assert summary["type"] == "note"
    assert summary["tags"] == "session-summary"
    assert "## Next steps\n\nMigrate the old orders" in summary["content"]


def test_importing_again_changes_nothing(folder: DataFolder, tmp_path: Path) -> None:
    path = database(tmp_path)
    imported(folder, "claude-mem", path)
    before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder.records)}
    result = imported(folder, "claude-mem", path)
    assert outcomes(result, "Observations") == {"read": 3, "already here": 3}
    assert {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(folder.records)} == before


def test_a_worker_that_writes_meanwhile_is_neither_locked_out_nor_missed(folder: DataFolder, tmp_path: Path) -> None:
    path = database(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as worker:
        worker.execute("UPDATE observations SET title = 'Newest words' WHERE id = 2")  # in the -wal only
        assert os.path.getsize(f"{path}-wal") > 0
        worker.execute("BEGIN IMMEDIATE")
        worker.execute("UPDATE observations SET title = 'Not done yet' WHERE id = 2")
        imported(folder, "claude-mem", path)
        worker.execute("COMMIT")
    assert "# Newest words" in stored(folder)


def test_nothing_is_written_beside_the_database(folder: DataFolder, tmp_path: Path) -> None:
    place = tmp_path / "source"
    place.mkdir()
    path = database(place)
    before = [(entry.name, entry.stat().st_mtime_ns) for entry in os.scandir(place)]
    imported(folder, "claude-mem", path)
    assert [(entry.name, entry.stat().st_mtime_ns) for entry in os.scandir(place)] == before == before[:1]


def test_a_log_that_a_crash_left_is_read_from_a_copy(folder: DataFolder, tmp_path: Path) -> None:
    path = database(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as worker:
        worker.execute("UPDATE observations SET title = 'Only in the log' WHERE id = 2")
        for ending in ("", "-wal"):
            (copy / f"claude-mem.db{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
    imported(folder, "claude-mem", copy / "claude-mem.db")
    assert "# Only in the log" in stored(folder)
    assert sorted(os.listdir(copy)) == ["claude-mem.db", "claude-mem.db-wal"]


def test_an_older_version_without_most_columns_is_read(folder: DataFolder, tmp_path: Path) -> None:
    path = tmp_path / "claude-mem.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE observations (id INTEGER PRIMARY KEY, sdk_session_id TEXT, project TEXT, text TEXT,"
            " type TEXT, created_at TEXT); INSERT INTO observations VALUES"
            f" (1, '{SESSION}', 'shop', 'Plain words', 'change', '2025-09-01T10:00:00Z'),"
            " (2, 's', '', '', 'change', ''), (3, 's', '', X'ff00', 'change', ''), (4, 's', '', 'No time', '', '');"
        )
    result = imported(folder, "claude-mem", path, project="mine")
    assert result.skipped == [("observations 2", "holds no text"), ("observations 3", "holds no text")]
    assert stored(folder)["Plain words"]["created_at"] == "2025-09-01T10:00:00"
    assert stored(folder)["Plain words"]["session_id"] == SESSION
    assert stored(folder)["No time"]["project"] == "mine"


def test_words_that_are_no_utf_8_or_too_many_do_not_stop_the_rest(folder: DataFolder, tmp_path: Path) -> None:
    path = database(
        tmp_path,
        "UPDATE observations SET narrative = CAST(X'61ff62' AS TEXT) WHERE id = 1",
        "UPDATE observations SET narrative = printf('%.*c', 1000001, 'x') WHERE id = 2",
    )
    result = imported(folder, "claude-mem", path)
    assert "a\ufffdb" in stored(folder)["# Order numbers collided under load"]["content"]
    ((where, reason),) = result.skipped
    assert where == "observations 2"
    assert reason.endswith("characters; a memory has at most 1,000,000")


@pytest.mark.parametrize(
    "data", [b"", b"SQLite format 3\0" + b"\xff" * 5000, b"no database at all"], ids=["empty", "damaged", "words"]
)
def test_a_file_that_is_no_database_of_it_is_one_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "claude-mem.db"
    path.write_bytes(data)
    with pytest.raises(ImportSourceError) as found:
        claude_mem.read(str(path))
    assert "worker" not in str(found.value)


def test_a_view_in_a_tables_place_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "claude-mem.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE VIEW observations AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) "
            "SELECT id FROM n"
        )
    with pytest.raises(ImportSourceError, match="not claude-mem's database"):
        claude_mem.read(str(path))
