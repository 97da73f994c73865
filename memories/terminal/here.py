"""What the reading commands begin with: the project of the current folder, an index that is there, a project's name."""

from __future__ import annotations

import errno
import os

from memories import selectors
from memories.core import projects
from memories.core.cleaning import clean
from memories.core.errors import MirrorUnavailableError, StorageError
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memories.core.paths import DataFolder
    from memories.core.projects import Project
    from memories.core.scope import Scope

WAIT_SECONDS = 60.0
"""How long a command waits for another process that makes the index."""


_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Why a lock cannot be opened in a data folder that is there to be read."""


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


def update_index(folder: DataFolder, warn: Callable[[str], None]) -> None:
    """Bring the index up to date; where nothing may be written, the one that is there is used as it is, and warn is
    told so.

    Raises LockTimeoutError, StorageError, MirrorUnavailableError.
    """
    from memories.core import mirror

    try:
        mirror.update(folder, wait_seconds=WAIT_SECONDS)
    except StorageError as error:
        if getattr(error.__cause__, "errno", None) not in _READ_ONLY:
            raise
        selectors.mirror_connection(folder)
        warn(f"The index is used as it is: nothing can be written in {folder.root}.")
