"""File locks between processes: flock on a file in state/, released by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time

from memories.core.errors import LockTimeoutError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_POLL_SECONDS = 0.01


class FileLock:
    """An exclusive lock as a context manager.

    path: the lock's file (made when missing). timeout: seconds to wait; 0 tries once.
    Entering raises LockTimeoutError when another process holds it longer, StorageError when the file cannot be made.
    """

    def __init__(self, path: str, timeout: float = 0.0) -> None:
        self._path = path
        self._timeout = timeout
        self._fd = -1

    def __enter__(self) -> FileLock:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"Cannot open the lock {self._path}: {error.strerror}. Check free space and permissions."
            ) from error
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(self._fd)
                    raise LockTimeoutError(
                        f"Another process is using {os.path.basename(self._path)}; try again in a moment."
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
