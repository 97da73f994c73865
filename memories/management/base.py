"""What our commands share: domain errors as one line, no system checks, plain output."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from memories.core.errors import StorageError
from memories.core.paths import DataFolder, check_private, data_folder


class MemoryCommand(BaseCommand):
    """A command over the data folder. Domain errors pass through to llm_memory_site.command_line.

    needs_private_folder: False for the few that do not touch the user's data folder, or say what is wrong with it.
    """

    needs_private_folder = True
    requires_system_checks = ()
    suppressed_base_arguments = {  # noqa: RUF012 - Django's own attribute; they still work, help does not list them
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
        "--skip-checks",
    }

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; a disk that refuses is a domain error like any other. Raises StorageError, also for a data
        folder that is not this user's alone."""
        if self.needs_private_folder:
            check_private(self.folder)
        try:
            return super().execute(*args, **options)
        except BrokenPipeError:
            raise  # the reader has gone: no failure
        except OSError as error:
            where = error.filename or self.folder.root
            raise StorageError(
                f"{where}: {error.strerror or error}. `llm-memory doctor` says what is wrong."
            ) from error

    @property
    def folder(self) -> DataFolder:
        """The data folder that the environment names."""
        return data_folder()

    def say(self, line: str = "") -> None:
        """One line on stdout."""
        self.stdout.write(line)
