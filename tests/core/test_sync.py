"""A whole sync: complete when it returns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core import mirror, sync
from memories.core.errors import LockTimeoutError, StorageError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.conftest import MakeRecord
from tests.core.transcript_lines import SESSION, short_session
from tests.hooks.conftest import ROOT, WITHOUT_ROOTS_POWERS, can_be_refused

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


def test_copies_are_merged_before_the_sweep_which_then_finds_its_session_held(
    folder: DataFolder, tmp_path: Path
) -> None:
    """Else each machine would write the session's log once more after the merge, in its own way."""
    base, here, there = (short_session("/srv/shop") for _ in range(3))
    here.user("and on this machine: the tests")
    there.user("and on the other: the docs, which takes longer to say")
    source = Path(base.write(tmp_path / "projects"))
    sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0)
    source.write_bytes(here.dump())
    sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0)
    archive = Path(folder.transcripts, source.name)
    archive.rename(archive.with_name(f"{SESSION}.sync-conflict-20260314-091244-ABCDEFG.jsonl"))
    archive.write_bytes(base.dump())  # the other machine's is still on its way
    result = sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0)
    assert result.merged.transcripts == 1
    assert result.swept is not None
    assert (result.swept.archived, result.swept.logged) == ([], 0)
    assert archive.read_bytes() == here.dump()
    archive.rename(archive.with_name(f"{SESSION} (1).jsonl"))
    archive.write_bytes(there.dump())
    result = sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0)
    assert result.swept is not None
    assert (result.merged.transcripts, result.swept.archived, result.swept.logged) == (1, [], 0)
    assert archive.read_bytes() == there.dump()


_SYNC = """
import sys
from memories.core import errors, paths, settings, sync
try:
    sync.run(paths.DataFolder(sys.argv[1]), sys.argv[2], dict(settings.DEFAULTS), wait_seconds=0)
except errors.StorageError as error:
    print(error)
"""


@can_be_refused
@pytest.mark.parametrize("place", ["trash", "config"])
def test_transcripts_are_archived_although_a_folder_cannot_be_read(
    folder: DataFolder, tmp_path: Path, place: str
) -> None:
    short_session("/srv/shop").write(tmp_path / "projects")
    os.chmod(Path(folder.root, place), 0)
    prefix = WITHOUT_ROOTS_POWERS if os.geteuid() == 0 else ()
    subprocess.run(
        [*prefix, sys.executable, "-c", _SYNC, folder.root, str(tmp_path / "projects")],
        check=True, cwd=ROOT,
    )  # fmt: skip
    os.chmod(Path(folder.root, place), 0o700)
    assert Path(folder.transcripts, f"{SESSION}.jsonl").exists()


def test_transcripts_are_archived_although_nothing_can_be_merged(folder: DataFolder, tmp_path: Path) -> None:
    short_session("/srv/shop").write(tmp_path / "projects")
    Path(folder.state, "merge.lock").mkdir()
    result = sync.run(folder, str(tmp_path / "projects"), dict(DEFAULTS), wait_seconds=0)
    assert [path for path, _ in result.merged.left] == ["state/merge.lock"]
    assert result.swept is not None
    assert (result.swept.archived, result.mirrored.total) == ([SESSION], 1)


def test_a_sync_tells_how_far_its_merging_is(folder: DataFolder, make_record: MakeRecord) -> None:
    path = Path(folder.records, f"{make_record('a note')['uuid']}.json")
    path.with_name(f"{path.stem}.sync-conflict-20260314-091244-ABCDEFG.json").write_bytes(path.read_bytes())
    seen: list[tuple[str, int, int]] = []
    sync.run(folder, None, dict(DEFAULTS), wait_seconds=0, progress=lambda *told: seen.append(told))
    assert ("merging", 1, 1) in seen


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
    below = Path(folder.transcripts, "7b1e2f04-0000-4000-8000-00000000c0de", "tool-results")
    below.mkdir(parents=True)
    (below / f".one.txt.tmp-{NO_PROCESS}").touch()
    sync.run(folder, None, dict(DEFAULTS), wait_seconds=0)
    left = [name for _, _, names in os.walk(folder.root) for name in names if ".tmp-" in name]
    assert left == []
