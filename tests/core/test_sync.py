"""A whole sync: complete when it returns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.core import mirror, sync
from memories.core.errors import LockTimeoutError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, short_session

NO_PROCESS = 2**22 + 1  # beyond Linux's highest process id


def test_transcripts_logs_and_mirror_are_done_when_it_returns(
    folder: DataFolder, make_record: MakeRecord, tmp_path: Path
) -> None:
    make_record("a note")
    short_session("/srv/shop").write(tmp_path / "projects")
    seen: list[tuple[str, int, int]] = []
    result = sync.run(
        folder,
        str(tmp_path / "projects"),
        dict(DEFAULTS),
        wait_seconds=0,
        progress=lambda what, done, total: seen.append((what, done, total)),
    )
    assert result.swept is not None
    assert (result.swept.archived, result.swept.logged, result.mirrored.total) == ([SESSION], 1, 2)
    assert ("transcripts", 1, 1) in seen
    assert ("records", 2, 2) in seen


def test_without_a_source_transcripts_are_left_alone(folder: DataFolder, make_record: MakeRecord) -> None:
    make_record("a note")
    result = sync.run(folder, None, dict(DEFAULTS), wait_seconds=0)
    assert result.swept is None
    assert result.mirrored.total == 1


def test_a_data_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    folder = DataFolder(str(tmp_path / "new"))
    sync.run(folder, str(tmp_path / "no-projects"), dict(DEFAULTS), wait_seconds=0)
    mirror.connect(folder.mirror).close()


def test_a_data_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Check LLM_MEMORY_HOME"):
        sync.run(DataFolder(str(tmp_path / "file")), None, dict(DEFAULTS), wait_seconds=0)


def test_one_sync_at_a_time(folder: DataFolder) -> None:
    with FileLock(os.path.join(folder.state, "sync.lock")), pytest.raises(LockTimeoutError):
        sync.run(folder, None, dict(DEFAULTS), wait_seconds=0)


def test_what_dead_processes_left_half_written_is_swept(folder: DataFolder) -> None:
    for place in (folder.records, folder.trash, folder.transcripts, folder.config, folder.state):
        Path(place, f".x.json.tmp-{NO_PROCESS}").touch()
    sync.run(folder, None, dict(DEFAULTS), wait_seconds=0)
    left = [name for _, _, names in os.walk(folder.root) for name in names if ".tmp-" in name]
    assert left == []
