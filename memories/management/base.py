"""What our commands share: domain errors as one line, no system checks, plain output."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from memories.core.errors import StorageError
from memories.core.paths import DataFolder, data_folder


class MemoryCommand(BaseCommand):
    """A command over the data folder. Domain errors pass through to llm_memory_site.command_line."""

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
        """Run the command; a disk that refuses is a domain error like any other. Raises StorageError."""
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

    def say_json(self, value: Any) -> None:
        """A value as JSON on stdout."""
        self.stdout.write(json.dumps(value, ensure_ascii=False, indent=2))
