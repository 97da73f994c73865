"""The bench of two machines, at a tiny size: counts, no times."""

from __future__ import annotations

import json
import os

import pytest

from tests.bench.test_commands import bench
from tests.syncthing import syncthing


@pytest.mark.long
@pytest.mark.xdist_group("sync")
def test_the_bench_of_two_machines_measures_both_sizes_and_leaves_nothing_behind() -> None:
    syncthing()
    done = bench("sync", "--records", "40", "--megabytes", "0.8", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["small"].keys() == figures["full"].keys()
    assert len(figures["full"]) == 12
    assert all(seconds > 0 for one in figures.values() for seconds in one.values())
    assert os.listdir(os.environ["HOME"]) == []
