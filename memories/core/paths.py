"""Where things are: Claude Code's folder and the data folder, from the environment alone.

Plain strings and os.path throughout: importing pathlib would cost a hot hook 8 ms.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SYNCED_FOLDERS = ("records", "transcripts", "config", "trash")
"""The only folders that travel between machines; all else in the data folder is this machine's own."""

PROGRAM = ("lib", "lib.previous")
"""The installed code, and the one before it, which an update goes back to (install.sh)."""

MIRROR = "memory.db"
"""How the names of the mirror's file begin, whatever version it is of; before version 7 it was all of the name."""

MIRROR_VERSION = 7
"""Raise it with every change of schema.sql, of what a row is derived from, or of the rules of redaction: the next sync
makes a mirror of that version, beside the one that processes of another version still use (other_mirrors.py)."""


def home_dir() -> str:
    """Absolute path of the user's home folder, symlinks resolved."""
    return os.path.realpath(os.path.expanduser("~"))


def claude_config_dir(environ: Mapping[str, str] | None = None) -> str:
    """Claude Code's own folder: $CLAUDE_CONFIG_DIR, default ~/.claude."""
    env = os.environ if environ is None else environ
    return os.path.abspath(os.path.expanduser(env.get("CLAUDE_CONFIG_DIR") or "~/.claude"))


def claude_projects_dir(environ: Mapping[str, str] | None = None) -> str:
    """The folder in which Claude Code keeps its transcripts, one subfolder per launch folder."""
    return os.path.join(claude_config_dir(environ), "projects")


_KIND = 0o170000
_FOLDER = 0o040000
_STICKY = 0o1000
_RWX = 0o777
_OWNER_RWX = 0o700
_GROUP_AND_OTHERS = 0o077
_WRITE_OF_OTHERS = 0o022
"""Bits of st_mode, as stat(2) has them: this is looked at by every hook."""


class DataFolder:
    """The data folder's layout; building one touches nothing on disk.

    Attributes are absolute paths (str): root, records, transcripts, config, trash, state, lib, mirror, rules, settings;
    relative: the root as it was given where that depends on the folder the process is in, "" else.
    """

    __slots__ = ("config", "lib", "mirror", "records", "relative", "root", "rules", "settings", "state", "transcripts",
                 "trash")  # fmt: skip

    def __init__(self, root: str) -> None:
        expanded = os.path.expanduser(root)
        self.relative = "" if expanded.startswith("/") else root
        self.root = os.path.abspath(expanded)
        self.records = os.path.join(self.root, "records")
        self.transcripts = os.path.join(self.root, "transcripts")
        self.config = os.path.join(self.root, "config")
        self.trash = os.path.join(self.root, "trash")
        self.state = os.path.join(self.root, "state")
        self.lib = os.path.join(self.root, "lib")
        self.mirror = os.path.join(self.root, f"{MIRROR}.{MIRROR_VERSION}")
        self.rules = os.path.join(self.config, "CLAUDE.md")
        self.settings = os.path.join(self.config, "settings.json")

    def parts(self) -> tuple[str, ...]:
        """The folders that every data folder has, root first."""
        return (self.root, self.records, self.transcripts, self.config, self.trash, self.state)

    def create(self) -> None:
        """Make the folders that are missing, and those above them, 0700 whatever the umask. Raises OSError where the
        disk refuses."""
        for path in self.parts():
            make_private(path)


def make_private(path: str) -> None:
    """Make a folder and those above it that are missing, all 0700 whatever the umask; what is there stays as it is.

    Raises OSError.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        make_private(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if os.path.isdir(path):
            return  # another process made it meanwhile
        raise
    if os.stat(path).st_mode & _RWX != _OWNER_RWX:  # the umask took bits of ours; no file system adds any but one
        try:  # that keeps none, and refuses this
            os.chmod(path, 0o700)
        except OSError:
            pass


def check_private(folder: DataFolder) -> None:
    """Refuse a data folder that is another user's or that others can change, by itself or by a folder above it; also
    one whose path is relative: every folder that a process is started in would get a memory of its own.

    Raises StorageError with what mends it. One look at each folder of its path and nothing remembered, so that every
    hook and every call of a tool can afford it; a folder that is not there yet passes where it can be made.
    """
    if folder.relative:
        from memories.core.errors import StorageError

        raise StorageError(
            f"LLM_MEMORY_HOME is {folder.relative}, which is another folder wherever a process starts: "
            f"give its whole path, such as {folder.root}."
        )
    if _looks_private(folder.root):
        return
    from memories.core import permissions  # an exception: no hook of a sound folder loads it

    permissions.check(folder)


def _looks_private(root: str) -> bool:
    """Whether a look at the modes is enough: a real folder of ours that nobody else can enter, below folders that
    nobody else can change. A sticky folder (/tmp) lets nobody rename what is another's."""
    try:
        found = os.lstat(root)
        mode = found.st_mode
        if mode & (_KIND | _GROUP_AND_OTHERS) != _FOLDER or found.st_uid != os.geteuid():
            return False
        place = root
        while place != "/":
            place = place.rpartition("/")[0] or "/"  # an absolute path: a tenth of what os.path.dirname takes
            mode = os.lstat(place).st_mode
            if mode & _KIND != _FOLDER or (mode & _WRITE_OF_OTHERS and not mode & _STICKY):
                return False
    except OSError:
        return False
    return True


def data_folder(environ: Mapping[str, str] | None = None) -> DataFolder:
    """The data folder: $LLM_MEMORY_HOME, default `memory` in Claude Code's folder."""
    env = os.environ if environ is None else environ
    return DataFolder(env.get("LLM_MEMORY_HOME") or os.path.join(claude_config_dir(env), "memory"))
