"""Atomic writes: the old content or the new, never a part; nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core import files
from memories.core.errors import StorageError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder."""
    found = tmp_path / "place"
    found.mkdir()
    return found


NO_PROCESS = 2**22 + 1  # beyond Linux's highest process id


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_private(place: Path, durable: bool) -> None:
    path = place / "note.json"
    files.write_atomic(str(path), b"old" * 100)
    files.write_atomic(str(path), b"new", durable=durable)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(place) == ["note.json"]


def test_a_refused_write_leaves_the_old_content_and_no_temp_file(place: Path) -> None:
    (place / "target").mkdir()
    with pytest.raises(StorageError, match=r"Cannot write .*target.*Check free space and permissions"):
        files.write_atomic(str(place / "target"), b"new")
    assert os.listdir(place) == ["target"]


def test_a_missing_folder_is_a_storage_error(place: Path) -> None:
    with pytest.raises(StorageError):
        files.write_atomic(str(place / "none" / "x"), b"")


def test_a_link_planted_in_the_temp_files_place_is_not_followed(place: Path) -> None:
    path = str(place / "note")
    (place / "precious").write_bytes(b"mine")
    os.symlink(place / "precious", files.temp_path(path))
    with pytest.raises(StorageError):
        files.write_atomic(path, b"new")
    assert (place / "precious").read_bytes() == b"mine"


def test_temp_files_of_dead_processes_are_swept_and_no_others(place: Path) -> None:
    kept = [f".a.tmp-{os.getpid()}", ".a.tmp-1", ".a.tmp-x", "a.tmp-5", "b.json"]
    for name in [*kept, f".dead.json.tmp-{NO_PROCESS}"]:
        (place / name).touch()
    assert files.sweep_temp_files(str(place)) == 1
    assert sorted(os.listdir(place)) == sorted(kept)
    assert files.sweep_temp_files(str(place / "none")) == 0


def test_temp_files_in_the_folders_below_are_swept_where_that_is_asked_for(place: Path) -> None:
    below = place / "session" / "tool-results"
    below.mkdir(parents=True)
    (place / "elsewhere").symlink_to(place.parent, target_is_directory=True)
    names = [place / f".a.tmp-{NO_PROCESS}", below / f".b.tmp-{NO_PROCESS}", place.parent / f".c.tmp-{NO_PROCESS}"]
    for path in names:
        path.touch()
    assert files.sweep_temp_files(str(place)) == 1
    assert files.sweep_temp_files(str(place), below=True) == 1
    assert [path.exists() for path in names] == [False, False, True]


def test_only_a_regular_file_is_opened_and_nothing_waits(place: Path) -> None:
    (place / "note").write_bytes(b"text")
    (place / "link").symlink_to(place / "note")
    os.mkfifo(place / "fifo")
    (place / "device").symlink_to("/dev/zero")
    for name in ("note", "link"):
        with files.open_plain(str(place / name)) as file:
            assert file.read() == b"text"
    for name in ("fifo", "device", "."):
        with pytest.raises(OSError, match="not a regular file"):
            files.open_plain(str(place / name))
    with pytest.raises(FileNotFoundError):
        files.open_plain(str(place / "none"))


def test_a_process_is_alive_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert files.process_alive(child.pid)
    child.communicate(b"\n")
    assert not files.process_alive(child.pid)
    assert not files.process_alive(NO_PROCESS)


def test_removing_what_is_not_there_is_no_error(place: Path) -> None:
    files.remove_quietly(str(place / "none"))


def test_a_listing_holds_each_entrys_state_and_hidden_names_apart(place: Path) -> None:
    (place / "one.json").write_bytes(b"12345")
    (place / ".one.json.tmp-1").write_bytes(b"")
    (place / "folder").mkdir()
    listing = files.listing(str(place))
    found = {name: (mtime_ns, size) for name, mtime_ns, size in listing.states()}
    assert set(found) == {"one.json", "folder"}
    assert listing.hidden == [".one.json.tmp-1"]
    assert found["one.json"] == ((place / "one.json").stat().st_mtime_ns, 5)
    with pytest.raises(FileNotFoundError):
        files.listing(str(place / "absent"))


@pytest.mark.parametrize("change", ["mtime", "size", "name", "gone"])
def test_a_fingerprint_is_another_one_after_any_change(place: Path, change: str) -> None:
    for name in ("one.json", "two.json", "gr\udcfc\u00fc.json"):
        (place / name).write_bytes(b"12345")
        os.utime(place / name, ns=(1, 1))
    before = files.listing(str(place)).fingerprint()
    assert files.listing(str(place)).fingerprint() == before
    one = place / "one.json"
    if change == "mtime":
        os.utime(one, ns=(1, 2))
    elif change == "size":
        one.write_bytes(b"1234")
        os.utime(one, ns=(1, 1))
    elif change == "name":
        one.rename(place / "oen.json")
    else:
        one.unlink()
    assert files.listing(str(place)).fingerprint() != before


def test_a_file_dated_after_2262_has_a_state_that_sqlite_can_hold(place: Path) -> None:
    (place / "late.json").write_bytes(b"1")
    os.utime(place / "late.json", (15_000_000_000, 15_000_000_000))
    listing = files.listing(str(place))
    assert listing.mtimes_ns == [files.mtime_ns((place / "late.json").stat())]
    assert 0 <= listing.mtimes_ns[0] < 2**63
    assert listing.fingerprint()


def test_a_file_that_changed_since_it_was_seen_is_neither_replaced_nor_removed(place: Path) -> None:
    path = place / "note"
    path.write_bytes(b"old")
    seen, absent = files.Seen(str(path), os.lstat(path)), files.Seen(str(path), None)
    (place / "arrives").write_bytes(b"new")
    os.replace(place / "arrives", path)
    for state in (seen, absent):
        with pytest.raises(files.ChangedMeanwhileError):
            files.write_atomic(str(path), b"ours", unchanged=[state])
        with pytest.raises(files.ChangedMeanwhileError):
            state.remove()
    assert (path.read_bytes(), os.listdir(place)) == (b"new", ["note"])


def test_a_file_that_is_what_was_seen_is_replaced_and_removed(place: Path) -> None:
    path = place / "note"
    files.write_atomic(str(path), b"ours", unchanged=[files.Seen(str(path), None)])
    seen = files.Seen(str(path), os.lstat(path))
    seen.remove()
    seen.remove()
    assert os.listdir(place) == []
