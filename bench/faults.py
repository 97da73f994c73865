"""What faults cost: processes killed at their writes and under load, disks that refuse, an index of noise.

    python -m bench.faults [--quick] [--kills N] [--json]

Each try begins with the same throwaway home, does the fault to real processes, and looks at everything afterwards with
fresh ones. Needs a C compiler for the kill points. Exits 1 when anything that was acknowledged is lost.
"""

from __future__ import annotations

import argparse
import errno
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults import load, mirror_faults, points, survival
from tests.faults.forks import Forks, NoShimError, shim
from tests.faults.home import Home
from tests.faults.operations import OPERATIONS, Operation

QUICK_POINTS, POINTS = 2, 8
"""Points at which each operation is hit, spread over all of them."""

QUICK_KILLS, KILLS = 12, 60
SERVERS = 5
SECONDS_PER_KILL = 0.7
SEED = 20_260_314
ERRORS = {"full disk": errno.ENOSPC, "failing disk": errno.EIO, "read-only disk": errno.EROFS}
LOST = ("lost", "came back", "partial", "wrong", "not stored")
LEFT = ("left behind",)


class Row:
    """One line of the table. tries: how often it was done; acknowledged: operations that were said to be done all the
    same; lost, left: findings of these kinds; others: the rest."""

    def __init__(self, fault: str, repaired_by: str) -> None:
        self.fault = fault
        self.repaired_by = repaired_by
        self.tries = self.acknowledged = 0
        self.lost: list[str] = []
        self.left: list[str] = []
        self.others: list[str] = []

    def add(self, acknowledged: int, findings: list[str], tries: int = 1) -> None:
        """Count a try and what was found after it."""
        self.tries += tries
        self.acknowledged += acknowledged
        for one in findings:
            kind = self.lost if one.startswith(LOST) else self.left if one.startswith(LEFT) else self.others
            kind.append(one)


def killed(home: Home, operation: Operation, count: int) -> Row:
    """The operation killed at its writes, every other one torn."""
    row = Row(f"killed in {operation.name}", "the next sync")
    for number, point in enumerate(points.spread(points.points(home, operation), count, SEED)):
        acknowledged, findings = points.kill(home, operation, point, torn=number % 2 == 1)
        row.add(acknowledged, [f"{one} ({point})" for one in findings])
    return row


def refused(home: Home, name: str, count: int) -> Row:
    """Every operation on a disk that refuses."""
    row = Row(f"{name}, any write of any operation", "room or a sound disk, then sync")
    for operation in OPERATIONS:
        for point in points.spread(points.points(home, operation), count, SEED + ERRORS[name]):
            acknowledged, findings = points.refuse(home, operation, point, ERRORS[name])
            row.add(acknowledged, [f"{one} ({operation.name}, {point})" for one in findings])
    return row


def harmed(home: Home, names: list[str]) -> Row:
    """memory.db harmed below a running server."""
    row = Row("the index deleted, cut, overwritten, newer, ...", "the next call or sync")
    for name in names:
        home.begin()
        row.add(1, [f"{one} ({name})" for one in survival.after(home, mirror_faults.HEALED[name])])
    return row


def loaded(home: Home, kills: int) -> Row:
    """Servers and hooks at work, killed at random."""
    home.begin()
    ledger = load.Load(home, SERVERS, SEED).run(kills * SECONDS_PER_KILL, kills)
    row = Row(f"{kills} random kills, {SERVERS} servers and hooks at work", "the next sync")
    done = len(ledger.stored) + len(ledger.deleted) + len(ledger.linked)
    row.add(done, load.findings(home, ledger, SEED), tries=ledger.kills)
    return row


def rows(home: Home, *, quick: bool, kills: int) -> Iterator[Row]:
    """Every line of the table, as it is done."""
    count = QUICK_POINTS if quick else POINTS
    for operation in OPERATIONS:
        yield killed(home, operation, count)
    for name in ERRORS:
        yield refused(home, name, 1 if quick else count // 2)
    yield harmed(home, list(mirror_faults.HEALED)[:: 6 if quick else 1])
    yield loaded(home, kills)


def main() -> int:
    """Measure and print; 1 when anything was lost."""
    parser = argparse.ArgumentParser(description="What faults cost; the table: fault, tries, acknowledged, lost, left.")
    parser.add_argument("--quick", action="store_true", help="fewer points: a minute instead of ten")
    parser.add_argument("--kills", type=int, help=f"random kills under load ({KILLS}; quick: {QUICK_KILLS})")
    parser.add_argument("--json", action="store_true", help="the figures and all findings as JSON")
    options = parser.parse_args()
    kills = options.kills if options.kills is not None else QUICK_KILLS if options.quick else KILLS
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="llm-memory-faults-") as place:
        root = Path(place)
        home = Home(root)
        try:
            library = shim(root)
        except NoShimError as error:
            sys.exit(str(error))
        with Forks(library, home.environ, root) as forks:
            home.fill(forks)
            if not options.json:
                print(f"{'fault':<62}{'tries':>6}{'ack.':>6}{'lost':>6}{'left':>6}{'other':>6}  repaired by")
            for row in rows(home, quick=options.quick, kills=kills):
                found.append(row)
                if not options.json:
                    _print(row)
    if options.json:
        print(json.dumps([vars(row) for row in found], indent=1))
    return int(any(row.lost for row in found))


def _print(row: Row) -> None:
    counts = f"{row.tries:>6}{row.acknowledged:>6}{len(row.lost):>6}{len(row.left):>6}{len(row.others):>6}"
    print(f"{row.fault:<62}{counts}  {row.repaired_by}", flush=True)
    for one in (*row.lost, *row.left, *row.others):
        print(f"    {one}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
