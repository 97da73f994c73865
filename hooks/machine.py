"""What an install works on: where things are on this machine, and the report of what was done and what is left."""

from __future__ import annotations

import os

from hooks.shipped_files import ShippedFiles
from hooks.user_files import UserFile
from memories.core.paths import claude_config_dir, data_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Report:
    """Says every action as it happens and gathers what the user has to do. dry_run: says it and does nothing.

    failed turns True when a part of the install could not be put in place.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.failed = False
        self.left: list[str] = []

    def act(self, what: str, action: Callable[[], object]) -> None:
        """Say an action (an imperative sentence) and do it, unless this is a dry run."""
        print(f"  would {what}" if self.dry_run else f"  {what}", flush=True)
        if not self.dry_run:
            action()

    def note(self, text: str) -> None:
        """Say something that needs no action."""
        print(f"  {text}", flush=True)

    def leave(self, text: str, *, failed: bool = False) -> None:
        """Something the user has to do; failed=True when the install is not whole until then."""
        self.left.append(text)
        self.failed = self.failed or failed


class Machine:
    """Paths of this machine from the environment (HOME, CLAUDE_CONFIG_DIR, LLM_MEMORY_HOME); touches nothing.

    folder: the data folder. claude_dir: Claude Code's folder. bin: where our commands go. settings, claude_md: the
    user's files that we add to. shipped, skill (with the commands): ours that the user may edit.
    aside: where the first release's files are moved.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.folder = data_folder()
        self.claude_dir = claude_config_dir()
        self.config_dir_set = bool(os.environ.get("CLAUDE_CONFIG_DIR"))
        self.home = os.path.expanduser("~")
        self.bin = os.path.join(self.home, ".local", "bin")
        self.install_state = os.path.join(self.folder.state, "install")
        self.aside = os.path.join(self.folder.state, "first-release")
        self.settings = UserFile(os.path.join(self.claude_dir, "settings.json"), self.install_state)
        self.claude_md = UserFile(os.path.join(self.claude_dir, "CLAUDE.md"), self.install_state)
        self.shipped = ShippedFiles(self.folder.root, os.path.join(self.install_state, "shipped.json"))
        self.skill = ShippedFiles(self.claude_dir, os.path.join(self.install_state, "skill.json"))
        # Claude Code keeps its servers in ~/.claude.json, and inside its folder only where that was moved
        self.server_file = os.path.join(self.claude_dir if self.config_dir_set else self.home, ".claude.json")

    @property
    def default_folder(self) -> bool:
        """True when the data folder is where Claude Code's folder alone would put it."""
        return self.folder.root == os.path.join(self.claude_dir, "memory")

    def show(self, path: str) -> str:
        """A path as people write it: from ~ where it lies below home."""
        return "~" + path[len(self.home) :] if path.startswith(self.home.rstrip("/") + "/") else path
