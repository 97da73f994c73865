"""The bench of faults, at its smallest: every kind of line, nothing lost, nothing left."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.bench.test_commands import bench
from tests.faults.conftest import made_shim


@pytest.mark.long
def test_the_bench_of_faults_prints_every_fault_and_leaves_nothing_behind(tmp_path: Path) -> None:
    made_shim(tmp_path)
    done = bench("faults", "--quick", "--kills", "3", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) > 13
    for row in rows:
        assert row["tries"] > 0
        assert (row["lost"], row["left"], row["others"]) == ([], [], []), row["fault"]
    assert os.listdir(os.environ["HOME"]) == []
