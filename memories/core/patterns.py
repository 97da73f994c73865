"""Regular expressions that are compiled when they are first used: a command that reads uses few of those it loads."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LazyPattern:
    """Compiles at the first use of a method; from then on it holds the compiled pattern's own methods, so that a loop
    pays nothing for it."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._given: tuple[Any, int] = (pattern, flags)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        found: object = getattr(re.compile(*self._given), name)  # re remembers what it compiled
        setattr(self, name, found)
        return found

    def __repr__(self) -> str:
        return repr(re.compile(*self._given))  # by which tests tell whether rules have changed


if TYPE_CHECKING:
    lazy = re.compile  # what it gives is used as a pattern is
else:

    def lazy(pattern: str | bytes, flags: int = 0) -> LazyPattern:
        """The pattern, compiled at its first use. flags: as re.compile takes them. A slip in it shows only then."""
        return LazyPattern(pattern, flags)
