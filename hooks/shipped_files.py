"""Files that we put on the machine and the user may edit: the rules text, .stignore, Claude Code's skill and commands.

A file is written where it is missing or still is a version of ours; one that somebody edited is left alone.
"""

from __future__ import annotations

import json
import os

from hooks.user_files import read_bytes, sha256
from memories.core.files import remove_quietly, write_atomic

RULES = "config/CLAUDE.md"
STIGNORE = ".stignore"
SKILL = "skills/llm-memory/SKILL.md"
COMMANDS = ("brief", "forget", "narrative", "recall", "remember")
"""/llm-memory:NAME, from commands/llm-memory/NAME.md. These and the skill are in Claude Code's folder, and the same
files in the plugin (.claude-plugin/plugin.json); the others are in the data folder."""

STIGNORE_TEXT = b"""// LLM Memory: what travels between machines (Syncthing; the first pattern that matches decides).
// Half-written files never travel, and never keep a deleted folder alive.
(?d).*.tmp-*
(?d).DS_Store
// A conflict copy is merged where it was made, and what comes of that travels. Were copies to travel, two machines that
// lose to the same version in the same second would give theirs one name, and Syncthing would drop one of the two.
*.sync-conflict-*
!/records
!/transcripts
!/config
!/trash
// The mirror, this machine's state and the installed code stay here.
*
"""

_RULES_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules")


def shipped_texts() -> dict[str, bytes]:
    """Path in the data folder -> the bytes that this version ships. Raises SettingsError when our own copy is gone."""
    return {RULES: _text("CLAUDE.md"), STIGNORE: STIGNORE_TEXT}


def skill_texts() -> dict[str, bytes]:
    """Path in Claude Code's folder -> the bytes that this version ships. Raises SettingsError."""
    commands = {f"commands/llm-memory/{name}.md": _text(f"commands/{name}.md") for name in COMMANDS}
    return {SKILL: _text("SKILL.md"), **commands}


def _text(name: str) -> bytes:
    return read_bytes(os.path.join(_RULES_FOLDER, name)) or b""


def shipped_order() -> tuple[str, ...]:
    """sha256 of every rules text, skill and command ever shipped, oldest first.

    From rules/shipped.txt, one a line, to which each new one is appended; a test holds the newest to their files.
    """
    return tuple(_text("shipped.txt").decode("ascii").split())


class ShippedFiles:
    """The shipped files of one folder (root), with a note (JSON: path -> sha256) of what we wrote last."""

    __slots__ = ("_note", "_root")

    def __init__(self, root: str, note: str) -> None:
        self._root = root
        self._note = note

    def _written(self) -> dict[str, str]:
        note = read_bytes(self._note)
        return json.loads(note) if note else {}

    def wrote(self, name: str) -> bool:
        """True when an install of ours wrote that file before."""
        return name in self._written()

    def path(self, name: str) -> str:
        """Absolute path of a shipped file."""
        return os.path.join(self._root, *name.split("/"))

    def state(self, name: str, text: bytes) -> str:
        """`same` (nothing to do), `write` (missing, or an older version of ours) or `edited` (the user's now)."""
        current = read_bytes(self.path(name))
        if current == text:
            return "same"
        if current is None or sha256(current) in {self._written().get(name), *shipped_order()}:
            return "write"
        return "edited"

    def write(self, name: str, text: bytes) -> None:
        """Write a file and note its hash. Raises StorageError where the disk refuses."""
        os.makedirs(os.path.dirname(self.path(name)), mode=0o700, exist_ok=True)
        write_atomic(self.path(name), text)
        note = json.dumps({**self._written(), name: sha256(text)}, indent=2, sort_keys=True)
        write_atomic(self._note, note.encode() + b"\n")

    def remove(self, name: str) -> None:
        """Remove a file of ours and the folders that then hold nothing, below the root."""
        path = self.path(name)
        remove_quietly(path)
        while (path := os.path.dirname(path)) != self._root:
            try:
                os.rmdir(path)
            except OSError:
                return  # something of the user's is in it
