"""Every error that the core raises on purpose; each message names the next step."""


class LLMMemoryError(Exception):
    """Base of all domain errors. The text is shown to users and models as it is."""


class InvalidRecordError(LLMMemoryError):
    """A record's fields break the format, or a file does not hold a record."""


class RecordNotFoundError(LLMMemoryError):
    """No record with that uuid exists in the records folder."""


class StorageError(LLMMemoryError):
    """The file system refused a read or a write (full, read-only, no permission)."""


class MirrorUnavailableError(LLMMemoryError):
    """The SQLite mirror is missing, damaged, of another version, or still being built."""


class LockTimeoutError(LLMMemoryError):
    """Another process held a lock for longer than the caller was willing to wait."""


class ProjectError(LLMMemoryError):
    """No project could be determined, or the project is excluded from memory."""


class TranscriptError(LLMMemoryError):
    """A transcript is missing or cannot be read."""


class TranscriptGoneError(TranscriptError):
    """A transcript is not kept any more, as somebody wanted: forgotten, or let go by the retention settings.

    log_uuid: the record that tells what happened in its session; "" where that is gone too.
    """

    def __init__(self, text: str, log_uuid: str = "") -> None:
        super().__init__(text)
        self.log_uuid = log_uuid


class SettingsError(LLMMemoryError):
    """A file that belongs to the user (settings.json, CLAUDE.md) cannot be edited safely."""


class QueryError(LLMMemoryError):
    """A search was asked for in a way that has no answer: a date that is none, filters that exclude each other."""


class NarrateError(LLMMemoryError):
    """A narrative cannot be written in a run of its own now, or such a run did not store one."""


class NarrativeRefusedError(LLMMemoryError):
    """A narrative lost items of the one before it, or cites or claims what the archive does not have."""


class SyncthingError(LLMMemoryError):
    """Syncthing is not there, does not answer, refuses, or is set up in a way that sync-setup must not touch."""


class BundleError(LLMMemoryError):
    """A file is no bundle, is damaged, or holds what a bundle must not: nothing of it is imported."""


class ForgetError(LLMMemoryError):
    """Sessions cannot be forgotten as it was asked: nothing was changed."""


class UpdateError(LLMMemoryError):
    """There is no newer version, or it cannot be fetched, trusted or started: the installation is as it was."""


class ImportSourceError(LLMMemoryError):
    """What is to be imported is of no known format, or cannot be read: nothing of it was imported."""
