"""A file of the user's that is written whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from memories.core import new_file
from memories.core.errors import StorageError

NO_PROCESS = 2**22 + 1


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "all.tar"
    with new_file.writing(str(target)) as file:
        file.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert target.stat().st_mode & 0o777 == 0o600


def test_what_was_there_stays_when_it_fails(tmp_path: Path) -> None:
    target = tmp_path / "out" / "all.tar"
    target.parent.mkdir()
    target.write_bytes(b"older")
    with pytest.raises(StorageError, match="--force"), new_file.writing(str(target)):
        pass
    with pytest.raises(TypeError), new_file.writing(str(target), overwrite=True) as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert target.read_bytes() == b"older"
    assert os.listdir(target.parent) == ["all.tar"]


def test_one_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "all.tar"
    with pytest.raises(StorageError, match="exists"), new_file.writing(str(target)):
        target.write_bytes(b"another's")
    assert target.read_bytes() == b"another's"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no file"), new_file.writing(str(tmp_path), overwrite=True):
        pass


def test_a_folder_that_is_not_there_is_a_domain_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"), new_file.writing(str(tmp_path / "a" / "b.tar")):
        pass


def test_what_a_killed_export_left_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    dead = place / f".old.tar.llm-memory-export.tmp-{NO_PROCESS}"
    running = place / ".old.tar.llm-memory-export.tmp-1"
    others = [place / f".x.swp.tmp-{NO_PROCESS}", place / f"a.llm-memory-export.tmp-{NO_PROCESS}"]
    for path in (dead, running, *others):
        path.write_bytes(b"half")
    with new_file.writing(str(place / "new.tar")) as file:
        file.write(b"new")
    assert not dead.exists()
    assert all(path.exists() for path in (running, *others, place / "new.tar"))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_is_never_written_through_nor_replaced(tmp_path: Path, is_there: bool) -> None:
    precious, link = tmp_path / "precious.txt", tmp_path / "all.tar"
    if is_there:
        precious.write_bytes(b"precious")
    link.symlink_to("precious.txt")
    wanted = pytest.raises(StorageError, match=r"all\.tar is a link to precious\.txt")
    with wanted, new_file.writing(str(link), overwrite=True) as file:
        file.write(b"export")
    assert link.is_symlink()
    assert not is_there or precious.read_bytes() == b"precious"
    assert precious.exists() == is_there


def test_a_link_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "all.tar"
    with pytest.raises(StorageError, match="is a link"), new_file.writing(str(target), overwrite=True):
        target.symlink_to("precious.txt")
    assert target.is_symlink()
    assert not [one for one in tmp_path.iterdir() if ".tmp-" in one.name]


def test_a_folder_may_be_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    with new_file.writing(str(tmp_path / "link" / "all.tar")) as file:
        file.write(b"whole")
    assert (tmp_path / "out" / "all.tar").read_bytes() == b"whole"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600])
def test_one_that_replaces_another_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "all.tar"
    target.write_bytes(b"older")
    target.chmod(mode)
    with new_file.writing(str(target), overwrite=True) as file:
        file.write(b"newer")
        (half,) = (one for one in tmp_path.iterdir() if ".tmp-" in one.name)
        assert half.stat().st_mode & 0o777 == 0o600
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"newer", mode)


def test_an_output_that_refuses_is_said_to_be_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        wanted = pytest.raises(StorageError, match=r"^Cannot write the output: No space left on device\.$")
        with wanted, new_file.writing("-") as file:
            file.write(b"x" * 100_000)
