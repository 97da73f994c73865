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


class DataFolder:
    """The data folder's layout; building one touches nothing on disk.

    Attributes are absolute paths (str): root, records, transcripts, config, trash, state, lib, mirror, rules, settings.
    """

    __slots__ = ("config", "lib", "mirror", "records", "root", "rules", "settings", "state", "transcripts", "trash")

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(os.path.expanduser(root))
        self.records = os.path.join(self.root, "records")
        self.transcripts = os.path.join(self.root, "transcripts")
        self.config = os.path.join(self.root, "config")
        self.trash = os.path.join(self.root, "trash")
        self.state = os.path.join(self.root, "state")
        self.lib = os.path.join(self.root, "lib")
        self.mirror = os.path.join(self.root, "memory.db")
        self.rules = os.path.join(self.config, "CLAUDE.md")
        self.settings = os.path.join(self.config, "settings.json")

    def create(self) -> None:
        """Make the folders that are missing, 0700. Raises OSError where the disk refuses."""
        for path in (self.root, self.records, self.transcripts, self.config, self.trash, self.state):
            os.makedirs(path, mode=0o700, exist_ok=True)


def data_folder(environ: Mapping[str, str] | None = None) -> DataFolder:
    """The data folder: $LLM_MEMORY_HOME, default `memory` in Claude Code's folder."""
    env = os.environ if environ is None else environ
    return DataFolder(env.get("LLM_MEMORY_HOME") or os.path.join(claude_config_dir(env), "memory"))
