"""Where an import keeps what it is not done with, and whether the disks have room for what comes.

Nothing is renamed from one file system to another: records/, transcripts/ and state/ may be links to different disks.
"""

from __future__ import annotations

import os
import re
import stat

from memories.core import files
from memories.core.errors import BundleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from memories.core.paths import DataFolder

_CHUNK_BYTES = 1 << 20
_STAGING = re.compile(r"import-(\d+)")


def scratch_folder() -> str:
    """A dry run's folder, outside of the data folder. Raises OSError."""
    import tempfile

    return tempfile.mkdtemp(prefix="llm-memory-import-")


def staging_folder(folder: DataFolder) -> str:
    """This process's own folder in state/; what killed imports left is removed first. Raises OSError."""
    folder.create()
    sweep(folder)
    files.sweep_temp_files(folder.transcripts)
    staging = os.path.join(folder.state, f"import-{os.getpid()}")
    os.mkdir(staging, 0o700)
    return staging


def spool(staging: str, file: BinaryIO) -> BinaryIO:
    """A copy of what a pipe gives, to be read twice; whoever asks closes it. Raises OSError."""
    fd = os.open(os.path.join(staging, "bundle"), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    copy = open(fd, "w+b")  # noqa: SIM115 - see above
    while chunk := file.read(_CHUNK_BYTES):
        copy.write(chunk)
    copy.seek(0)
    return copy


def transcript_path(folder: DataFolder) -> str:
    """Where a transcript is written before it is merged: in transcripts/, so on the disk where it is to be, under a
    temp file's name, so that no file sync carries it and a sync removes what a killed import left."""
    return files.temp_path(os.path.join(folder.transcripts, "import"))


def sweep(folder: DataFolder) -> None:
    """Remove what imports that were killed left in state/. Raises nothing: a sync has more to do."""
    try:
        names = os.listdir(folder.state)
    except OSError:
        return
    for name in names:
        match = _STAGING.fullmatch(name)
        if match and (int(match[1]) == os.getpid() or not files.process_alive(int(match[1]))):
            remove(os.path.join(folder.state, name))


def remove(staging: str) -> None:
    """Remove a staging or scratch folder with all that is in it, as far as that can be done."""
    import shutil

    shutil.rmtree(staging, ignore_errors=True)


def room_on_disk(folder: DataFolder) -> Callable[[str, int], None]:
    """A function that is told each file's name and size, and raises BundleError once a disk has no room for all that
    were told; a file that is here in that size costs nothing."""
    disks: dict[str, int] = {}  # folder in the data folder -> its disk
    free: dict[int, int] = {}
    needed: dict[int, int] = {}

    def room(name: str, size: int) -> None:
        top = name.partition("/")[0]
        if top not in disks:
            place = _existing(os.path.join(folder.root, top))
            disks[top] = os.stat(place).st_dev
            free.setdefault(disks[top], _free_bytes(place))
        disk = disks[top]
        try:
            is_here = os.lstat(os.path.join(folder.root, name)).st_size == size
        except OSError:
            is_here = False
        needed[disk] = needed.get(disk, 0) + (0 if is_here else size)
        if needed[disk] > free[disk]:
            raise BundleError(
                f"It holds more than the disk has room for ({free[disk]:,} bytes free). "
                "Nothing was imported: make room."
            )

    return room


def _existing(path: str) -> str:
    """The folder, or the nearest above it that is there."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def _free_bytes(path: str) -> int:
    """Bytes that may be written where a folder is."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def digest_of(path: str, size: int) -> str | None:
    """sha256 of a plain file of that size; None for any other."""
    import hashlib  # a sync, which sweeps only, does without

    digest = hashlib.sha256()
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            return None
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with open(fd, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
