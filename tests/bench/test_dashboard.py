"""The dashboard's bench, at a tiny size."""

from __future__ import annotations

import json

import pytest

from tests.bench.test_commands import bench


@pytest.mark.long
def test_the_dashboard_s_bench_asks_every_page() -> None:
    done = bench("dashboard", "--records", "60", "--turns", "400", "--runs", "2", "--json")
    assert done.returncode == 0, done.stderr
    figures = {one["page"]: one for one in json.loads(done.stdout)}
    assert len(figures) == 18
    assert all(one["p50"] > 0 and one["kb"] >= 0 for one in figures.values())
    assert figures["search, as typed"]["target_ms"] == 150
