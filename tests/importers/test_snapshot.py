from __future__ import annotations

import glob
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from memories.core.errors import ImportSourceError
from memories.core.paths import DataFolder
from memories.importers import claude_mem, snapshot
from tests.importers.sources import claude_mem as database
from tests.importers.sources import imported, outcomes, stored


@pytest.fixture(autouse=True)
def _own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Copies are made in a folder of the test's, and none is left there."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    yield
    assert os.listdir(tmp_path / "temp") == []


@pytest.fixture
def journalled(tmp_path: Path) -> Path:
    """A claude-mem database without a log: whoever writes keeps a journal beside it."""
    place = tmp_path / "source"
    place.mkdir()
    return database(place, "PRAGMA journal_mode = DELETE")


@contextmanager
def half_written(path: Path) -> Iterator[None]:
    """While another program is in a transaction, part of which is in the file already."""
    with closing(sqlite3.connect(path, isolation_level=None)) as worker:
        worker.execute("PRAGMA cache_size = 2")
        worker.execute("BEGIN")
        worker.execute("UPDATE observations SET title = 'Half done'")
        worker.execute(
            "CREATE TABLE other AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) "
            "SELECT printf('%.*c', 500, 'x') FROM n"
        )
        assert os.path.getsize(f"{path}-journal") > 512
        yield
        worker.execute("ROLLBACK")


def test_what_a_killed_program_had_not_committed_stays_out(
    folder: DataFolder, journalled: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    with half_written(journalled):
        shutil.copytree(journalled.parent, killed)
    before = {path: Path(path).read_bytes() for path in sorted(glob.glob(f"{killed}/*"))}
    result = imported(folder, "claude-mem", killed / "claude-mem.db")
    assert outcomes(result, "Observations") == {"read": 3, "new": 3}
    assert "# Half done" not in stored(folder)
    assert b"Half done" in before[f"{killed}/claude-mem.db"]
    assert {path: Path(path).read_bytes() for path in sorted(glob.glob(f"{killed}/*"))} == before
    assert len(before) == 2


def test_a_program_in_the_middle_of_writing_is_an_error_that_names_the_worker(
    journalled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "BUSY_SECONDS", 0.0)
    with half_written(journalled), pytest.raises(ImportSourceError, match="Stop claude-mem's worker"):
        claude_mem.read(str(journalled))


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_all_that_is_read_is_of_one_moment(mode: str, tmp_path: Path) -> None:
    path = database(tmp_path, f"PRAGMA journal_mode = {mode}")
    count = "SELECT count(*) FROM observations"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as worker:
        worker.execute("UPDATE observations SET title = 'x'")
        with snapshot.opened(str(path)) as connection:
            try:
                worker.execute("DELETE FROM observations")
            except sqlite3.OperationalError as error:
                assert mode == "DELETE", error  # the reader holds it off
            assert connection.execute(count).fetchone() == (3,)
        worker.execute("DELETE FROM observations")
        with snapshot.opened(str(path)) as connection:
            assert connection.execute(count).fetchone() == (0,)


@pytest.mark.parametrize("left", [[], ["-wal"], ["-wal", "-shm"], ["-shm"]])
def test_the_folder_is_as_it_was_whatever_a_log_left_there(left: list[str], tmp_path: Path) -> None:
    path = database(tmp_path)
    place = tmp_path / "left"
    place.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as worker:
        worker.execute("PRAGMA wal_checkpoint")
        worker.execute("UPDATE observations SET title = 'Only in the log' WHERE id = 2")
        for ending in ["", *left]:
            shutil.copyfile(f"{path}{ending}", place / f"claude-mem.db{ending}")
    before = {one.name: one.read_bytes() for one in place.iterdir()}
    with snapshot.opened(str(place / "claude-mem.db")) as connection:
        found = connection.execute("SELECT count(*) FROM observations WHERE title = 'Only in the log'").fetchone()
    assert found == (("-wal" in left) * 1,)
    assert {one.name: one.read_bytes() for one in place.iterdir()} == before


def test_a_database_that_changes_with_every_try_to_copy_it_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path)

    def copy_and_touch(source: object, target: object) -> None:
        os.utime(path, ns=(1, os.stat(path).st_mtime_ns + 1))

    monkeypatch.setattr(snapshot, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("shutil.copyfileobj", copy_and_touch)
    with pytest.raises(ImportSourceError, match="it changes all the time"):
        claude_mem.read(str(path))
