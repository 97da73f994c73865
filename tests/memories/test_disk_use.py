"""What the data folder takes on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memories.core import mirror
from memories.core.paths import DataFolder
from memories.disk_use import disk_use, said_size
from memories.selectors import mirror_connection
from tests.dashboard import realistic


def _sizes(folder: DataFolder, *, by_index: bool = True) -> dict[str, int]:
    found = disk_use(folder, mirror_connection(folder) if by_index else None)
    return {part.name: part.size for part in found.parts}


def test_the_index_knows_what_walking_finds(memory_home: DataFolder) -> None:
    realistic.fill(memory_home)
    by_index, walked = _sizes(memory_home), _sizes(memory_home, by_index=False)
    assert by_index["records"] == walked["records"]
    assert 0 < by_index["transcripts"] < walked["transcripts"], "copies and outputs of tools are not in the index"
    assert by_index["memory.db"] > 0


def test_folders_are_walked_and_links_not_followed(memory_home: DataFolder, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 100_000)
    inside = Path(memory_home.lib, "venv", "bin")
    inside.mkdir(parents=True)
    (inside / "python").symlink_to(tmp_path / "big")
    (inside / "tool").write_bytes(b"x" * 5000)
    assert 5000 <= _sizes(memory_home)["lib"] < 10_000


def test_the_program_is_measured_again_after_an_install(memory_home: DataFolder) -> None:
    marker = Path(memory_home.lib, "install.json")
    marker.parent.mkdir()
    for at, size in ((1_000, 3000), (2_000, 7000)):
        marker.write_text("{}", encoding="utf-8")
        os.utime(marker, (at, at))
        Path(memory_home.lib, "code").write_bytes(b"x" * size)
        assert _sizes(memory_home)["lib"] == size + 2


def test_shares_are_of_the_whole(memory_home: DataFolder) -> None:
    realistic.fill(memory_home)
    mirror.update(memory_home)
    found = disk_use(memory_home, mirror_connection(memory_home))
    assert found.size == sum(part.size for part in found.parts)
    assert 95 <= sum(part.share for part in found.parts) <= 105
    assert found.free
    assert [part.name for part in found.parts if part.travels] == ["records", "transcripts", "trash", "config"]


def test_a_data_folder_that_is_not_there_takes_nothing(tmp_path: Path) -> None:
    found = disk_use(DataFolder(str(tmp_path / "nowhere" / "at all")), None)
    assert (found.size, found.free, found.said_free) == (0, None, "")
    assert {part.share for part in found.parts} == {0}


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0"), (1, "1 KB"), (1_990, "2 KB"), (1_000_000, "1.0 MB"), (2 * 10**9, "2.0 GB"), (5 * 10**13, "50,000.0 GB")],
)
def test_sizes_are_said_as_a_person_reads_them(size: int, said: str) -> None:
    assert said_size(size) == said
