"""What the reading commands begin with: the project of the current folder, an index that is there, a project's name."""

from __future__ import annotations

import os

from memories import selectors
from memories.core import projects
from memories.core.cleaning import clean
from memories.core.errors import MirrorUnavailableError
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.core.scope import Scope

WAIT_SECONDS = 60.0
"""How long a command waits for another process that makes the index."""


class Here:
    """settings: the user's. own: the project of the current folder, None outside any."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = read_settings(folder)[0]
        self.own: Project | None = projects.identify(os.getcwd(), self.settings)

    def scope(self, name: str | None) -> Scope | None:
        """The project that was named; None where none was. Raises MirrorUnavailableError."""
        wanted = clean(name or "")
        return selectors.named_scope(self.folder, wanted, self.own, self.settings) if wanted else None


def make_index(folder: DataFolder) -> None:
    """Make the index where there is none; one that is there is used as it is.

    Raises LockTimeoutError, MirrorUnavailableError.
    """
    try:
        selectors.mirror_connection(folder)
    except MirrorUnavailableError:
        from memories.core import mirror  # once in the life of a data folder
        from memories.management.progress import ProgressBars

        with ProgressBars() as bars:
            mirror.update(folder, wait_seconds=WAIT_SECONDS, progress=lambda *counts: bars("records", *counts))
