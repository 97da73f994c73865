"""Three machines in a triangle, hundreds of random operations, links cut and healed by chance."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.sync.chance import Week
from tests.sync.ledger import assert_one
from tests.sync.machine import Machine
from tests.sync.network import joined
from tests.sync.story import DAY

pytestmark = [pytest.mark.install, pytest.mark.long, pytest.mark.xdist_group("sync")]

OPERATIONS = 250


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_week_on_three_machines_ends_in_one_memory(make_machine: Callable[..., Machine], seed: int) -> None:
    skews = {"alpha": 0, "beta": DAY, "gamma": -DAY}
    machines = [make_machine(name, skew=skew) for name, skew in skews.items()]
    with joined(machines) as network, ExitStack() as stack:
        workers = {machine.name: stack.enter_context(machine.worker()) for machine in machines}
        week = Week(network, workers, seed)
        week.run(OPERATIONS)
        network.converge()
        assert_one(machines, week.ledger)
        for machine in machines:
            week.assert_links_kept(machine)
            week.assert_rules_kept(machine)
