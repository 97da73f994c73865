"""Importing into folders on several disks, beside sessions that run, and where something is in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from memories.core import bundle_staging, files
from memories.core.errors import BundleError
from memories.core.paths import DataFolder
from tests.core.bundles import as_exported, contents, counts, data_folder, export, fill, import_, write_transcript
from tests.core.transcript_lines import OTHER_SESSION, SESSION

MEMORY_DISK = Path("/dev/shm")
"""A file system of its own on every Linux."""


@pytest.fixture
def other(tmp_path: Path) -> DataFolder:
    """A second machine's data folder."""
    return data_folder(tmp_path / "other")


@pytest.fixture
def bundle_path(folder: DataFolder, tmp_path: Path) -> Path:
    """A bundle of a folder full of everything."""
    fill(folder)
    export(folder, tmp_path / "all.tar")
    return tmp_path / "all.tar"


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than tmp_path."""
    if not MEMORY_DISK.is_dir() or MEMORY_DISK.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip(f"NOT TESTED: needs {MEMORY_DISK} as a file system of its own")
    place = Path(tempfile.mkdtemp(dir=MEMORY_DISK))
    yield place
    shutil.rmtree(place)


def dead_process() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize("places", [("transcripts",), ("state",), ("records",), ("trash", "config")])
def test_folders_on_another_disk_are_imported_into(
    folder: DataFolder, other: DataFolder, bundle_path: Path, other_disk: Path, places: tuple[str, ...]
) -> None:
    write_transcript(other, f"{OTHER_SESSION}.jsonl", b"another that is merged\n")
    for place in places:
        shutil.move(Path(other.root, place), other_disk / place)
        Path(other.root, place).symlink_to(other_disk / place)
    write_transcript(folder, f"{OTHER_SESSION}.jsonl", b"one that is longer than the other\n")
    export(folder, bundle_path)
    expected = counts(import_(other, bundle_path, dry_run=True))
    result = import_(other, bundle_path)
    assert (counts(result), result.left) == (expected, [])
    found = as_exported(other)
    assert {name: found.get(name) for name in contents(folder)} == contents(folder)
    assert not [name for name in os.listdir(other.transcripts) if name.startswith(".")]


def test_room_is_asked_for_on_the_disk_where_the_file_is_to_be(folder: DataFolder, other_disk: Path) -> None:
    os.rmdir(folder.transcripts)
    os.symlink(other_disk, folder.transcripts)
    free = {path: os.statvfs(path).f_bavail * os.statvfs(path).f_frsize for path in (folder.root, str(other_disk))}
    room = bundle_staging.room_on_disk(folder)
    room(f"records/{'a' * 32}.json", free[folder.root] // 2)
    room(f"transcripts/{SESSION}.jsonl", free[str(other_disk)] // 2)
    with pytest.raises(BundleError, match="room"):
        room(f"transcripts/{OTHER_SESSION}.jsonl", free[str(other_disk)])


@pytest.mark.parametrize("is_here", [False, True])
def test_what_stands_in_a_session_folders_place_is_left_and_all_else_comes(
    folder: DataFolder, other: DataFolder, bundle_path: Path, is_here: bool
) -> None:
    if is_here:
        write_transcript(other, f"{SESSION}.jsonl", b"another\n")
    Path(other.transcripts, SESSION).write_text("mine", encoding="utf-8")
    result = import_(other, bundle_path)
    blocked = {name for name in contents(folder) if name.startswith(f"transcripts/{SESSION}/")}
    found = contents(other)
    assert {path for path, _ in result.left} >= blocked
    assert found.pop(f"transcripts/{SESSION}")[0] == b"mine"
    missing = set(contents(folder)) - blocked - set(found)
    assert missing == set()
    assert result.counts["transcript"]["left"] >= len(blocked)


@pytest.mark.parametrize("place", ["records", "trash", "config"])
def test_a_folder_where_a_file_belongs_is_left_and_all_else_comes(
    folder: DataFolder, other: DataFolder, bundle_path: Path, place: str
) -> None:
    name = sorted(os.listdir(Path(folder.root, place)))[0]
    Path(other.root, place, name).mkdir()
    result = import_(other, bundle_path)
    assert [path for path, _ in result.left] == [f"{place}/{name}"]
    assert set(contents(folder)) - set(contents(other)) == {f"{place}/{name}"}


def test_a_session_that_was_archived_while_its_transcript_came_is_merged_with_it(
    folder: DataFolder, other: DataFolder, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook archives beside an import; what it wrote after the import's first look must not be replaced."""
    path_of = bundle_staging.transcript_path

    def archived_meanwhile(place: DataFolder) -> str:
        write_transcript(other, f"{SESSION}.jsonl", b"what was said here\n")
        monkeypatch.undo()
        return path_of(place)

    monkeypatch.setattr(bundle_staging, "transcript_path", archived_meanwhile)
    import_(other, bundle_path)
    kept = [data for name, (data, _) in contents(other).items() if name.startswith(f"transcripts/{SESSION}")]
    assert b"what was said here\n" in kept
    assert contents(folder)[f"transcripts/{SESSION}.jsonl"][0] in kept


def test_a_file_that_takes_the_place_at_the_last_moment_is_not_replaced(
    folder: DataFolder, other: DataFolder, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def archived_meanwhile(source: str, target: str, **more: bool) -> None:
        if target.endswith(f"{SESSION}.jsonl"):
            write_transcript(other, f"{SESSION}.jsonl", b"what was said here\n")
        link(source, target, **more)

    monkeypatch.setattr(os, "link", archived_meanwhile)
    import_(other, bundle_path)
    kept = [data for name, (data, _) in contents(other).items() if name.startswith(f"transcripts/{SESSION}")]
    assert b"what was said here\n" in kept


def test_a_killed_imports_second_name_of_an_archived_file_is_not_written_over(
    other: DataFolder, bundle_path: Path
) -> None:
    """A kill between the archive's name and the removal of the temp name; then another process has the same id."""
    write_transcript(other, f"{OTHER_SESSION}.jsonl", b"all that there is")
    os.link(Path(other.transcripts, f"{OTHER_SESSION}.jsonl"), bundle_staging.transcript_path(other))
    import_(other, bundle_path)
    assert Path(other.transcripts, f"{OTHER_SESSION}.jsonl").read_bytes() == b"all that there is"


def test_transcripts_that_killed_imports_left_half_written_are_removed(other: DataFolder, bundle_path: Path) -> None:
    dead = Path(bundle_staging.transcript_path(other)).with_suffix(f".tmp-{dead_process()}")
    dead.write_bytes(b"half")
    import_(other, bundle_path)
    assert not dead.exists()
    dead.write_bytes(b"half")
    assert files.sweep_temp_files(other.transcripts) == 1


def test_sweeping_a_state_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    bundle_staging.sweep(DataFolder(str(tmp_path / "none")))
