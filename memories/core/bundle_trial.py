"""A dry run's scratch folder: what an import would meet is copied into it, and the import's own rules run there."""

from __future__ import annotations

import os

from memories.core import bundle, diverged, record_merge, records
from memories.core.errors import InvalidRecordError
from memories.core.paths import DataFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memories.core.bundle import Member


class Trial:
    """place: a data folder, empty but for what is taken into it of the real one, each file once."""

    __slots__ = ("_folder", "_names", "_taken", "place")

    def __init__(self, folder: DataFolder, root: str) -> None:
        """root: where the scratch folder is made. Raises OSError."""
        self._folder = folder
        self._taken: set[str] = set()
        self._names: dict[str, list[str]] = {}
        self.place = DataFolder(root)

    def take_small(self, member: Member, data: bytes) -> None:
        """Take what a record, tombstone, rules text or settings file (data) would meet. Raises OSError."""
        self.place.create()
        if member.kind in {bundle.RECORD, bundle.TOMBSTONE}:
            uuid = bundle.uuid_of(member.name)
            self._take_record(uuid)
            # Contents that lose are kept under uuids of their own, where each may be kept already.
            for content in self._contents(uuid, data):
                self._take_record(record_merge.kept_uuid(uuid, content))
        else:
            self._take_all("config")

    def take_transcript(self, relative: str) -> None:
        """Take what a file of the archive (its path below transcripts/) would meet: the file that it is or is a version
        of, with that one's copies and versions. Raises OSError."""
        self.place.create()
        original = diverged.original(relative)
        stem = os.path.basename(original).partition(".")[0]
        for above in {os.path.dirname(original), os.path.dirname(diverged.version_name(original, ""))}:
            for entry in _listed(os.path.join(self._folder.transcripts, above)):
                if stem in entry or "diverged-" in entry:
                    self._take(os.path.join("transcripts", above, entry))

    def _take_record(self, uuid: str) -> None:
        if not self._names:
            self._names = {"": []}
            for top in ("records", "trash"):
                for entry in _listed(os.path.join(self._folder.root, top)):
                    self._names.setdefault(entry[:32], []).append(f"{top}/{entry}")
        for name in self._names.get(uuid, []):
            self._take(name)

    def _contents(self, uuid: str, data: bytes) -> set[str]:
        found = {_content(data, uuid)}
        for name in self._names.get(uuid, []):
            try:
                found.add(_content(records.read_file(os.path.join(self._folder.root, name))[0], uuid))
            except (InvalidRecordError, OSError):
                pass  # what cannot be read, settling names
        return found - {""}

    def _take_all(self, top: str) -> None:
        for entry in _listed(os.path.join(self._folder.root, top)):
            self._take(f"{top}/{entry}")

    def _take(self, name: str) -> None:
        """Copy a file or link as it is, once; a folder stands for itself."""
        import shutil

        if name in self._taken:
            return
        self._taken.add(name)
        source = os.path.join(self._folder.root, name)
        target = os.path.join(self.place.root, name)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        if os.path.isdir(source) and not os.path.islink(source):
            os.makedirs(target, mode=0o700, exist_ok=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)


def _content(data: bytes, uuid: str) -> str:
    try:
        content: str = records.parse(data, uuid)["content"]
    except InvalidRecordError:
        return ""
    return content


def _listed(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []
