"""A progress bar for commands: on a terminal only, silent elsewhere."""

from __future__ import annotations

import sys

from memories.terminal.packages import make_importable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from tqdm import tqdm


class ProgressBars:
    """Shows one bar per named step: `with ProgressBars() as bars: run(progress=bars)`."""

    def __init__(self, *, shown: bool = True) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._name = ""
        self._bar: tqdm[Any] | None = None

    def __call__(self, name: str, done: int, total: int) -> None:
        """Step name has come to done of total."""
        if not self._shown:
            return
        if self._bar is None or name != self._name:
            self._close()
            self._name = name
            self._bar = self._made(name, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _made(self, name: str, total: int) -> tqdm[Any] | None:
        """A bar; None, from then on, where tqdm is not installed: the work goes on without being watched."""
        make_importable()  # only who watches pays for it
        try:
            from tqdm import tqdm
        except ImportError:
            self._shown = False
            return None
        return tqdm(total=total, desc=name, unit="", leave=False)

    def pause(self) -> None:
        """Take the bar away, for somebody who prints or asks in between."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
