"""The points at which an operation can be hit: each of its calls that write, by number."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from tests.faults import check
from tests.faults.operations import Expected, Operation, fault_in

if TYPE_CHECKING:
    from tests.faults.home import Home

TEARABLE = ("write", "pwrite")


class Point:
    """number: of the call, from 1. call: its name. path: below the data folder."""

    def __init__(self, number: int, call: str, path: str) -> None:
        self.number, self.call, self.path = number, call, path

    def __repr__(self) -> str:
        return f"{self.number} {self.call} {self.path}"


def points(home: Home, operation: Operation, *, checked: bool = True) -> list[Point]:
    """Every call of an undisturbed run, without SQLite's shared memory, which holds nothing that is not made again.

    checked: whether what it promises is looked at too. Raises AssertionError where the run is not what it promises.
    """
    log = home.root / "points.log"
    log.unlink(missing_ok=True)
    home.begin()
    operation.prepare(home)
    outcome = operation.run(home, fault_in(home, log=log))
    assert outcome.acknowledged, outcome.refused
    if checked:
        expected = Expected(home)
        operation.promise(home, expected, True)
        assert [*check.at_once(home), *check.after(home, expected)] == []
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        number, call, path = line.split(" ", 2)
        if not path.endswith("-shm"):
            found.append(Point(int(number), call, path.removeprefix(home.folder.root + "/")))
    return found


def spread(all_points: list[Point], count: int, seed: int) -> list[Point]:
    """So many of them, evenly, others with each seed; all where there are no more."""
    if len(all_points) <= count:
        return all_points
    step = len(all_points) / count
    shift = seed % max(1, int(step))
    return [all_points[min(len(all_points) - 1, int(number * step) + shift)] for number in range(count)]


def kill(home: Home, operation: Operation, point: Point, *, torn: bool = False) -> tuple[bool, list[str]]:
    """Kill the operation there: (whether it was acknowledged all the same, findings)."""
    home.begin()
    operation.prepare(home)
    outcome = operation.run(home, fault_in(home, point.number, torn=torn and point.call in TEARABLE))
    findings = check.at_once(home)
    expected = Expected(home)
    operation.promise(home, expected, outcome.acknowledged)
    return outcome.acknowledged, [*findings, *check.after(home, expected)]


def refuse(home: Home, operation: Operation, point: Point, error: int) -> tuple[bool, list[str]]:
    """Fail the call there, a full or read-only disk's later ones too: (whether it was acknowledged, findings)."""
    home.begin()
    operation.prepare(home)
    sticky = error in (errno.ENOSPC, errno.EROFS)
    outcome = operation.run(home, fault_in(home, point.number, errno=error, sticky=sticky))
    findings = check.at_once(home)
    expected = Expected(home)
    operation.promise(home, expected, outcome.acknowledged)
    return outcome.acknowledged, [*findings, *check.after(home, expected)]
