"""What a bundle's record becomes before it is merged: without secrets, and saying who exported it.

A memory that came in a bundle tells where it is from also where its `origin`, which whoever made the bundle chose, says
otherwise: `imported_from` is the name that the bundle's manifest gives, or the one that the record came with already.
What is here and says the same is not touched, so one's own export changes nothing.
"""

from __future__ import annotations

import os

from memories.core import bundle, bundle_export, record_merge, records, redact
from memories.core.errors import InvalidRecordError
from memories.core.settings import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memories.core.bundle import Member
    from memories.core.paths import DataFolder


class Version:
    """A record or tombstone as it is brought. data: its bytes; secrets: how many were replaced in it; is_here: whether
    what is here says the same."""

    __slots__ = ("data", "is_here", "secrets")

    def __init__(self, data: bytes, secrets: int, *, is_here: bool) -> None:
        self.data, self.secrets, self.is_here = data, secrets, is_here


class Incoming:
    """Makes versions of what one bundle holds. machine: who exported it (bundle.exporter's)."""

    __slots__ = ("_folder", "_machine", "_redactor")

    def __init__(self, folder: DataFolder, machine: str) -> None:
        self._folder = folder
        self._machine = machine
        self._redactor = redact.redactor(read_settings(folder)[0])

    def version(self, member: Member, data: bytes) -> Version:
        """What the bytes of a record or tombstone in the bundle become. Raises InvalidRecordError."""
        parse = records.parse if member.kind == bundle.RECORD else records.parse_tombstone
        record = parse(data, bundle.uuid_of(member.name))
        secrets = bundle_export.redacted(record, data, self._redactor)
        record[record_merge.IMPORTED_FROM] = bundle.exporter(record.get(record_merge.IMPORTED_FROM) or self._machine)
        return Version(records.dump(record), secrets, is_here=self._is_here(member, record))

    def _is_here(self, member: Member, record: dict[str, Any]) -> bool:
        """Whether the file here says the same, but for secrets and, where it was not imported, for who exported it."""
        try:
            data, _ = records.read_file(os.path.join(self._folder.root, member.name))
            here = records.parse(data, record["uuid"])
        except (OSError, InvalidRecordError):
            return False
        self._redactor.record(here)
        here.setdefault(record_merge.IMPORTED_FROM, record[record_merge.IMPORTED_FROM])
        return record_merge.canonical(here) == record_merge.canonical(record)
