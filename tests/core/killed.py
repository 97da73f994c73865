"""Killing a piece of work before each of its file operations in turn, for tests of what a kill leaves behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

OPERATIONS = ("replace", "link", "unlink", "mkdir", "rename")


class Killed(BaseException):
    """What the work ends with; no handler of ours catches it."""


def killed_before(number: int, work: Callable[[], Any]) -> bool:
    """Run some work and kill it before its number-th file operation (0: the first); False when it came to its end."""
    left = number

    def guarded(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return operation(*args, **kwargs)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(os, name, guarded(getattr(os, name)))
        try:
            work()
        except Killed:
            return True
    return False
