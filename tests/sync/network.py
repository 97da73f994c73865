"""Machines whose Syncthing daemons share the data folder: links that are cut and healed, exchanges, whole syncs."""

from __future__ import annotations

import urllib.error
from contextlib import ExitStack, contextmanager
from itertools import combinations
from typing import TYPE_CHECKING

from tests.sync.needs import syncthing_home
from tests.syncthing import WAIT_SECONDS, Daemon, connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.sync.machine import Machine

FOLDER = "llm-memory"
ROUNDS = 6
"""Exchanges with a sync on each machine after which nothing may change any more; two are enough for two machines."""


class Network:
    """Machines with their daemons, all of them sharing the folder with all others. daemons: by the machine's name."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = list(machines)
        self.daemons = {
            one.name: Daemon(syncthing_home(one.home), name=one.name, environ={"HOME": str(one.home)})
            for one in machines
        }

    def pairs(self) -> list[tuple[Machine, Machine]]:
        """Each pair of machines once."""
        return list(combinations(self.machines, 2))

    def join(self) -> None:
        """Connect all daemons, then set the share up on each machine with `llm-memory sync-setup`."""
        for one, other in self.pairs():
            connect(self.daemons[one.name], self.daemons[other.name])
        for machine in self.machines:
            others = [self.daemons[other.name].device_id for other in self.machines if other is not machine]
            devices = [word for device in others for word in ("--device", device)]
            machine.llm_memory("sync-setup", "--yes", *devices)
        for daemon in self.daemons.values():
            # the shares as users have them, but for one thing: tests say themselves when to look for changes
            daemon.patch(f"/rest/config/folders/{FOLDER}", {"fsWatcherEnabled": False, "rescanIntervalS": 86400})

    def cut(self, one: Machine, other: Machine) -> None:
        """Nothing gets from one to the other, until heal()."""
        self._pause(one, other, paused=True)

    def heal(self, one: Machine, other: Machine) -> None:
        """Connect them again."""
        self._pause(one, other, paused=False)

    def _pause(self, one: Machine, other: Machine, *, paused: bool) -> None:
        a, b = self.daemons[one.name], self.daemons[other.name]
        a.patch(f"/rest/config/devices/{b.device_id}", {"paused": paused})

        def is_so() -> bool:
            return all(self._connected(*ends) is not paused for ends in ((a, b), (b, a)) if ends[0].is_running)

        if b.is_running and a.is_running:
            a.wait(is_so)

    @staticmethod
    def _connected(daemon: Daemon, other: Daemon) -> bool:
        connections = daemon.get("/rest/system/connections")["connections"]
        return bool(connections.get(other.device_id, {}).get("connected"))

    def exchange(self, machines: Sequence[Machine] | None = None, seconds: float = WAIT_SECONDS) -> None:
        """Let daemons look for changes and wait until each has what the others have. machines: default all."""
        daemons = [self.daemons[one.name] for one in machines or self.machines]
        for daemon in daemons:
            daemon.post(f"/rest/db/scan?folder={FOLDER}")
        daemons[0].wait(
            lambda: all(in_sync(one, [other for other in daemons if other is not one]) for one in daemons), seconds
        )

    def converge(self) -> int:
        """Exchange and `llm-memory sync` on every machine until neither changes anything; how many rounds it took.

        Fails after ROUNDS.
        """
        for rounds in range(1, ROUNDS + 1):
            self.exchange()
            before = [machine.files() for machine in self.machines]
            for machine in self.machines:
                machine.llm_memory("sync")
            self.exchange()
            after = [machine.files() for machine in self.machines]
            if before == after:
                return rounds
        raise AssertionError(f"still changing after {ROUNDS} rounds: {differences(before, after)}")


def differences(before: list[dict[str, bytes]], after: list[dict[str, bytes]]) -> list[str]:
    """Names of files that differ, machine by machine."""
    return [
        f"{number}: {name}"
        for number, (old, new) in enumerate(zip(before, after, strict=True))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def in_sync(daemon: Daemon, others: Sequence[Daemon]) -> bool:
    """Whether a daemon is idle, needs nothing, and knows that the others need nothing of what it has."""
    state = daemon.get(f"/rest/db/status?folder={FOLDER}")
    if state["state"] != "idle" or state["needTotalItems"] or state["errors"] or state["pullErrors"]:
        return False
    for other in others:
        try:
            done = daemon.get(f"/rest/db/completion?folder={FOLDER}&device={other.device_id}")
        except urllib.error.HTTPError:
            return False
        if done["needItems"] or done["needDeletes"] or done["needBytes"]:
            return False
    return True


@contextmanager
def joined(machines: Sequence[Machine]) -> Iterator[Network]:
    """The machines' daemons, running and sharing, until the end of the block."""
    network = Network(machines)
    with ExitStack() as stack:
        for daemon in network.daemons.values():
            stack.callback(daemon.kill)  # nobody needs its folders any more, and stopping takes seconds
            daemon.start()
        network.join()
        yield network
