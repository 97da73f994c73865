"""Throwaway homes for targets that need files, and proof that nothing was written beside them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from memories.core.paths import DataFolder

SESSION = "22c27cac-b859-4875-a798-6d086e9ce27f"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "DJANGO_SETTINGS_MODULE")


class FuzzHome:
    """A folder with a user's home (Claude Code's folder in it), a project, a place for the target's own files, and the
    data folder."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="llm-memory-fuzz-")
        atexit.register(shutil.rmtree, self.path, ignore_errors=True)
        self.folder = DataFolder(self.at("memory"))
        self.projects = self.at("home", ".claude", "projects", "-orders")
        self.project = self.at("orders")
        self.scratch = self.at("scratch")
        self.elsewhere = self.at("elsewhere")
        for path in (self.projects, self.project, self.scratch, self.elsewhere):
            os.makedirs(path)
        Path(self.elsewhere, "canary").write_bytes(b"untouched")
        self.reset()

    def at(self, *names: str) -> str:
        """A path in this home."""
        return os.path.join(self.path, *names)

    def reset(self) -> None:
        """Empty the data folder."""
        shutil.rmtree(self.folder.root, ignore_errors=True)
        self.folder.create()

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The environment of a process that belongs to this home."""
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        ours = {
            "HOME": self.at("home"),
            "CLAUDE_CONFIG_DIR": self.at("home", ".claude"),
            "CLAUDE_PROJECT_DIR": self.project,
            "LLM_MEMORY_HOME": self.folder.root,
        }
        with patch.dict(os.environ, {**kept, **ours}, clear=True):
            yield

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Asserts that what happens in here writes nothing outside of the data folder and the scratch folder."""
        before = self._outside()
        yield
        assert self._outside() == before, "something outside of the data folder was changed"

    def _outside(self) -> dict[str, bytes | None]:
        inside = (self.folder.root, self.scratch)
        found: dict[str, bytes | None] = {}
        for folder, folders, files in os.walk(self.path):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in inside]
            found |= dict.fromkeys((os.path.join(folder, name) for name in folders), None)
            for name in files:
                path = os.path.join(folder, name)
                found[path] = os.readlink(path).encode() if os.path.islink(path) else Path(path).read_bytes()
        return found


_made: dict[str, FuzzHome] = {}


def home(name: str) -> FuzzHome:
    """A target's own home, made once in a process."""
    key = f"{os.getpid()}-{name}"
    if key not in _made:
        _made[key] = FuzzHome()
    return _made[key]
