"""Files of the user's that we add to (settings.json, CLAUDE.md), so that an uninstall gives them back byte for byte.

For each, state/install keeps the original's bytes and the sha256 of what we wrote. While the file still has that hash
nobody else touched it, and the original is what goes back; otherwise only our part is taken out.
"""

from __future__ import annotations

import hashlib
import json
import os

from memories.core.errors import SettingsError
from memories.core.files import remove_quietly, write_atomic

_NEW_FILE_MODE = 0o600


def sha256(data: bytes) -> str:
    """The hex SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: str) -> bytes | None:
    """A file's bytes, None when it is not there. Raises SettingsError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(
            f"Cannot read {path}: {error.strerror}. Make it a readable file and run this again."
        ) from error


class UserFile:
    """One such file and what is known of it from the last install.

    path: absolute; a symlink is followed, so that a file kept elsewhere stays there. state: the folder of our notes.
    """

    __slots__ = ("_note", "_original", "path")

    def __init__(self, path: str, state: str) -> None:
        self.path = path
        name = os.path.basename(path)
        self._note = os.path.join(state, f"{name}.note.json")
        self._original = os.path.join(state, f"{name}.original")

    def read(self) -> bytes | None:
        """The file's bytes now; None when there is no file."""
        return read_bytes(self.path)

    def write(self, data: bytes) -> None:
        """Replace the file's content in one step; its mode stays. Raises StorageError where the disk refuses."""
        target = os.path.realpath(self.path)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else _NEW_FILE_MODE
        write_atomic(target, data, mode=mode)
        os.chmod(target, mode)  # the umask may have taken bits from it

    def known(self) -> bool:
        """True when an install of ours wrote this file before."""
        return os.path.exists(self._note)

    def written_by_us(self, current: bytes | None) -> bool:
        """True when the file is byte for byte what we wrote last."""
        note = read_bytes(self._note)
        return note is not None and current is not None and json.loads(note)["written"] == sha256(current)

    def original(self) -> bytes | None:
        """The bytes before us; None when there was no file (or nothing is known)."""
        return read_bytes(self._original)

    def remember(self, original: bytes | None, written: bytes) -> None:
        """Note what was there before us and what we wrote. Called before the write, so that a crash loses neither."""
        if original is None:
            remove_quietly(self._original)
        else:
            write_atomic(self._original, original)
        write_atomic(self._note, json.dumps({"written": sha256(written)}).encode() + b"\n")

    def give_back(self, data: bytes | None) -> None:
        """Write what is left without us; None removes the file."""
        if data is not None:
            self.write(data)
        else:
            remove_quietly(os.path.realpath(self.path))
