"""Whatever becomes of memory.db, and whoever has it open: memories are stored, and found again."""

from __future__ import annotations

import shutil

import pytest

from tests.faults import mirror_faults, survival
from tests.faults.home import Home

QUICK = {
    "only its -wal and -shm deleted",
    "cut within a page",
    "pages in the middle overwritten",
    "replaced by a newer version's with other tables",
    "a FIFO",
}


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in mirror_faults.HEALED]
)
def test_an_index_that_was_harmed_is_made_again_and_costs_no_memory(home: Home, name: str) -> None:
    assert survival.after(home, mirror_faults.HEALED[name]) == []


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.long) for name in mirror_faults.SAID])
def test_what_is_not_ours_in_the_place_of_the_index_is_said_and_left_alone(home: Home, name: str) -> None:
    assert survival.after(home, mirror_faults.SAID[name], heals=False) == []
    shutil.rmtree(home.folder.mirror)
    assert survival.after(home, lambda _folder: None) == []
