"""Many servers and hooks at once, killed as they go: what was acknowledged is there and found, and nothing is left."""

from __future__ import annotations

import pytest

from tests.faults import load
from tests.faults.home import Home


@pytest.mark.parametrize(
    ("servers", "seconds", "kills", "seed"),
    [(4, 6, 12, 1), pytest.param(6, 240, 300, 2, marks=pytest.mark.long)],
    ids=["12 kills", "300 kills"],
)
def test_whatever_is_killed_under_load_nothing_acknowledged_is_lost(
    home: Home, servers: int, seconds: int, kills: int, seed: int
) -> None:
    ledger = load.Load(home, servers, seed).run(seconds, kills)
    assert ledger.kills == kills
    assert len(ledger.stored) > 20
    assert load.findings(home, ledger, seed) == []


@pytest.mark.parametrize(
    ("servers", "seconds"), [(5, 4), pytest.param(20, 60, marks=pytest.mark.long)], ids=["5 servers", "20 servers"]
)
def test_many_servers_and_hooks_at_once_lose_nothing_and_hardly_ever_ask_for_another_try(
    home: Home, servers: int, seconds: int
) -> None:
    ledger = load.Load(home, servers, seed=3).run(seconds, kills=0)
    assert len(ledger.stored) > 20
    assert {text for text in ledger.refused if "records.lock; try again" not in text} == set()
    assert len(ledger.refused) <= ledger.calls // 200
    assert load.findings(home, ledger, seed=3) == []
