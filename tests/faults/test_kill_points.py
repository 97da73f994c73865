"""A process that is killed at a write, or whose write fails: every way in which the memory is written, every point."""

from __future__ import annotations

import errno

import pytest

from tests.faults import points
from tests.faults.home import Home
from tests.faults.operations import OPERATIONS, Operation

QUICK_POINTS = 1
"""Points of each operation that the normal suite tries; each run of it the same, each operation other ones."""

BY_NAME = {operation.name: operation for operation in OPERATIONS}
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)


@pytest.mark.parametrize("name", BY_NAME)
def test_what_was_acknowledged_survives_a_kill_and_nothing_partial_is_read(home: Home, name: str) -> None:
    operation = BY_NAME[name]
    torn = OPERATIONS.index(operation) % 2 == 1
    every = points.points(home, operation, checked=False)
    for point in points.spread(every, QUICK_POINTS, _seed(operation)):
        found = points.kill(home, operation, point, torn=torn)[1]
        assert not found, (point, found)


@pytest.mark.long
@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
@pytest.mark.parametrize("name", BY_NAME)
def test_every_point_of_every_operation_survives_a_kill(home: Home, name: str, torn: bool) -> None:
    operation = BY_NAME[name]
    every = points.points(home, operation)
    assert len(every) > 20
    bad = {}
    for point in every:
        if not torn or point.call in points.TEARABLE:
            found = points.kill(home, operation, point, torn=torn)[1]
            if found:
                bad[repr(point)] = found
    assert bad == {}


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_a_write_that_fails_is_said_and_harms_nothing(home: Home, error: int) -> None:
    chosen = ERRORS.index(error)
    for operation in OPERATIONS[chosen::6]:
        every = points.points(home, operation, checked=False)
        for point in points.spread(every, QUICK_POINTS, _seed(operation) + chosen):
            found = points.refuse(home, operation, point, error)[1]
            assert not found, (point, found)


@pytest.mark.long
@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", BY_NAME)
def test_every_point_of_every_operation_survives_an_error(home: Home, name: str, error: int) -> None:
    operation = BY_NAME[name]
    bad = {}
    for point in points.points(home, operation):
        found = points.refuse(home, operation, point, error)[1]
        if found:
            bad[repr(point)] = found
    assert bad == {}


def _seed(operation: Operation) -> int:
    return 7 + 13 * OPERATIONS.index(operation)
