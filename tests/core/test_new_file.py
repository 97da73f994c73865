"""A file of the user's that is written whole or not at all."""

from __future__ import annotations

import os
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
