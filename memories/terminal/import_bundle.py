"""The part of `llm-memory import` that merges a bundle: ask what its marks may remove, and say what came of it."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

from hooks.shipped_files import shipped_order
from memories import forget_listing
from memories.core import bundle, bundle_import, mirror
from memories.core.errors import BundleError, LLMMemoryError, StorageError
from memories.core.paths import claude_projects_dir
from memories.importers.formats import STDIN
from memories.management.progress import ProgressBars
from memories.management.shown import shown
from memories.named import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from memories.core.bundle_import import ImportResult
    from memories.terminal.command import Command

NAMES = {
    bundle.RECORD: "Memories",
    bundle.TOMBSTONE: "Deleted memories",
    bundle.TRANSCRIPT: "Transcript files",
    bundle.RULES: "Rules",
    bundle.SETTINGS: "Settings",
    bundle.MARK: "Marks of sessions that must not come back",
}


def run(command: Command, name: str, *, forget: bool, dry_run: bool, as_json: bool) -> None:
    """Import the bundle of that name, STDIN for the one that comes in, and report. forget: without asking, let marks in
    it remove sessions that are here. Raises BundleError, StorageError, LockTimeoutError."""
    taking = _Taking(command, forget=forget, dry_run=dry_run, as_json=as_json)
    if name != STDIN:
        try:
            file = open(name, "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise StorageError(f"Cannot read {name}: {error.strerror}. Check its name and permissions.") from error
        try:
            with file:
                result = taking.run(file)
        except BundleError as error:
            raise BundleError(f"{shown(name)}: {error}") from error
    elif sys.stdin.isatty():
        raise StorageError("No bundle comes in: name a file, or send one in with `|` or `<`.")
    else:
        result = taking.run(sys.stdin.buffer)
    if as_json:
        command.say_json(_as_data(result, name, dry_run=dry_run))
    else:
        taking.report(result)


def _as_data(result: ImportResult, name: str, *, dry_run: bool) -> dict[str, Any]:
    return {
        "from": "bundle",
        "path": name,
        "dry_run": dry_run,
        "machine": result.machine,
        "files": result.files,
        "bytes": result.bytes,
        "kinds": result.counts,
        "secrets": result.secrets,
        "forgotten": sorted(result.forgotten),
        "removed": result.removed,
        "spared": result.spared,
        "kept": result.kept,
        "left": [{"path": path, "reason": reason} for path, reason in result.left],
    }


class _Taking:
    """One import of a bundle, for a command that says what happens."""

    def __init__(self, command: Command, *, forget: bool, dry_run: bool, as_json: bool) -> None:
        self._command = command
        self._say = command.say
        self._forget = forget
        self._dry_run = dry_run
        self._as_json = as_json

    def run(self, file: BinaryIO) -> ImportResult:
        """Merge it."""
        with ProgressBars() as bars:

            def agree(session_ids: list[str]) -> bool:
                bars.pause()
                return self._agreed(session_ids)

            return bundle_import.run(
                self._command.folder,
                file,
                shipped_rules=shipped_order,
                dry_run=self._dry_run,
                progress=bars,
                projects_dir=claude_projects_dir(),
                agree=agree,
            )

    def _agreed(self, session_ids: list[str]) -> bool:
        """List the sessions that marks in the bundle would remove here, and ask where somebody can be asked."""
        if self._as_json:
            return self._forget
        self._say(
            f"Marks in the bundle say that {counted(len(session_ids), 'session')} must go, of which this is here:"
        )
        for line in self._lines(session_ids):
            self._say(f"  {line}")
        if self._forget or self._dry_run or not sys.stdin.isatty():
            return self._forget
        self._command.stdout.flush()
        try:
            said = input("Remove them here, too? It cannot be undone. All else is imported either way. [y/N] ")
        except EOFError:
            said = ""
        return said.strip().lower() in {"y", "yes"}

    def _lines(self, session_ids: list[str]) -> list[str]:
        folder = self._command.folder
        try:
            with closing(mirror.connect(folder.mirror, read_only=True)) as connection:
                listed = forget_listing.Known(folder, claude_projects_dir(), connection).listed(session_ids)
        except (LLMMemoryError, sqlite3.Error):
            return session_ids  # no index: their ids say which they are
        return [line for one in listed for line in forget_listing.head_of(one)]

    def report(self, result: ImportResult) -> None:
        """Say what came of it."""
        done = "Would import" if self._dry_run else "Imported"
        self._say(f"{done} {result.files} files, {result.bytes} bytes, exported by {shown(result.machine)}")
        for kind, counts in result.counts.items():
            if any(counts.values()):
                self._say(f"  {NAMES[kind]}: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}")
        if result.secrets:
            self._say(f"  {result.secrets} secret{'s' * (result.secrets != 1)} replaced in memories")
        for session_id in sorted(result.forgotten):
            self._say(f"  left out: session {session_id}, which was forgotten or let go")
        for session_id in result.removed:
            self._say(f"  removed here, as a mark in the bundle says: session {session_id}")
        if result.spared:
            for session_id in result.spared:
                self._say(f"  not taken: the mark that would remove session {session_id} here")
            self._say("To remove what is here of them, too: import it again with --forget.")
        for name in result.kept:
            self._say(f"  kept because it differs: {shown(name)}")
        for path, reason in result.left:
            self._say(f"  not merged: {shown(path)}: {shown(reason)}")
