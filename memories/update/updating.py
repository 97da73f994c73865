"""Putting another version in place: fetched into a folder of its own, installed by its own install.sh, checked by its
doctor, and taken back where that fails.

All that is needed later is imported here: once lib/ is exchanged, an import would find the other version's modules.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading

from memories.core import update_state
from memories.core.errors import UpdateError
from memories.core.paths import make_private
from memories.update import addresses, git_source, installation, release_source, trial, versions
from memories.update.check import Available, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from memories.core.paths import DataFolder

INSTALL_SECONDS = 3_600
MAX_FILE_BYTES = 1_000_000
_VERSION = re.compile(r'^version = "(\d{1,6}\.\d{1,6}\.\d{1,6})"', re.M)
_LISTED = 5
_COMMIT_CHARS = 7


class Target:
    """What to install. version: X.Y.Z, "" for git's HEAD. mark: its commit (git) or its tarball's checksum. newest: the
    greatest version that there is."""

    __slots__ = ("mark", "newest", "version")

    def __init__(self, version: str, mark: str, newest: str = "") -> None:
        self.version = version
        self.mark = mark
        self.newest = newest

    @property
    def label(self) -> str:
        """How people name it."""
        return self.version or self.mark[:10]


class Result:
    """What an update did. before, after: versions as people read them. changes: lines of the changelog. trouble: why it
    was rolled back, "" where it was not. whole: whether install.sh had nothing left to do."""

    __slots__ = ("after", "before", "changes", "trouble", "whole")

    def __init__(self, before: str, after: str, changes: list[str], trouble: str = "", *, whole: bool = True) -> None:
        self.before = before
        self.after = after
        self.changes = changes
        self.trouble = trouble
        self.whole = whole


def choose(
    available: Available, about: dict[str, str], to: str = "", notes: dict[str, Any] | None = None
) -> Target | None:
    """The version to install: `to` (a version, or the beginning of HEAD's commit), else the newest above the installed
    one; None where that is installed, or noted as one that was gone back from. notes: of state/update.json.

    Raises UpdateError for a version that is not there.
    """
    here = about.get("version", "")
    if to and len(to) >= _COMMIT_CHARS and available.head.startswith(to):
        return Target("", available.head) if available.head != about.get("commit") else None
    if to:
        wanted = to.removeprefix("v")
        if wanted not in available.found:
            known = sorted(available.found, key=update_state.numbers, reverse=True)[:_LISTED]
            raise UpdateError(f"There is no version {wanted}; there are {', '.join(known) or 'none with a number'}.")
        return None if wanted == here else _target(available, wanted)
    newest = available.newest
    if update_state.is_declined(notes or {}, newest or available.head):
        return None
    if newest:
        return _target(available, newest) if update_state.numbers(newest) > update_state.numbers(here) else None
    return Target("", available.head) if available.head not in (about.get("commit"), about.get("head")) else None


def _target(available: Available, version: str) -> Target:
    return Target(version, available.found[version], available.newest)


def update(folder: DataFolder, where: Source, target: Target, say: Callable[[str], None], *, down: bool) -> Result:
    """Fetch, install, check; the caller holds state/update.lock. down: a lower version was asked for by name.

    Raises UpdateError where it came to nothing: then the installation is as it was.
    """
    before = installation.about(folder.lib)
    failing = installation.failing(folder)
    fetched = f"{folder.lib}.fetched-{os.getpid()}"
    make_private(fetched)
    try:
        say(f"fetch {target.label} from {addresses.cleaned(where.repo)}")
        tree = fetch(where, target, fetched)
        version = check_tree(tree, target, before.get("version", ""), down=down)
        changes = versions.changes(_text(tree, "CHANGELOG.md"), before.get("version", ""), version)
        seen = trial.begin(folder, failing)
        code = _install(folder, tree, where, say)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    if not installation.has_changed(folder, seen):
        trial.forget(folder)
        raise UpdateError(f"{target.label} could not be installed (see above): the installation is as it was.")
    trouble = trial.end(folder, failing, say)
    if trouble:
        return Result(update_state.shown(before), update_state.shown(before), [], trouble)
    now = installation.about(folder.lib)
    is_lower = update_state.numbers(now.get("version", "")) < update_state.numbers(before.get("version", ""))
    left = (target.newest, before.get("version", "")) if is_lower else ()
    update_state.save(folder, update_state.declining(update_state.read(folder), now, *left))
    return Result(update_state.shown(before), update_state.shown(now), changes, whole=code == 0)


def fetch(where: Source, target: Target, into: str) -> str:
    """The source tree of a version, below an empty folder. Raises UpdateError."""
    addresses.check(where.repo, where.kind)
    if where.kind == addresses.RELEASE:
        return release_source.fetch(where.repo, target.version, target.mark, into)
    tree = os.path.join(into, "source")
    commit = git_source.fetch(where.repo, f"v{target.version}" if target.version else "", tree)
    if target.version and commit != target.mark:
        raise UpdateError(f"v{target.version} has moved while it was fetched: nothing was run. Try again.")
    return tree


def check_tree(tree: str, target: Target, here: str, *, down: bool) -> str:
    """The version that a tree says it is. Raises UpdateError: not ours, not what was asked for, or lower unasked."""
    if not installation.is_ours(tree):
        raise UpdateError("What was fetched is not LLM Memory (no install.sh with memories/core): nothing was run.")
    found = _VERSION.search(_text(tree, "pyproject.toml"))
    version = found[1] if found else ""
    if not version or (target.version and version != target.version):
        raise UpdateError(f"What was fetched as {target.label} says it is {version or 'no version'}: nothing was run.")
    if not down and update_state.numbers(version) < update_state.numbers(here):
        raise UpdateError(
            f"{target.label} is {version}, older than {here}: ask for a downgrade by its name, with --to."
        )
    return version


def _install(folder: DataFolder, tree: str, where: Source, say: Callable[[str], None]) -> int:
    """Run a tree's install.sh, passing on what it says; its exit code."""
    environ = installation.environment(folder)
    environ |= {"LLM_MEMORY_REPO": where.repo, "LLM_MEMORY_UPDATER": str(os.getpid())}  # its lock is held here
    environ.setdefault("LLM_MEMORY_PYTHON", os.path.realpath(sys.executable))  # the same one: its venv can be copied
    process = subprocess.Popen(
        ["sh", os.path.join(tree, "install.sh")],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    timer = threading.Timer(INSTALL_SECONDS, process.terminate)
    timer.start()
    with process:
        try:
            for line in process.stdout or ():
                say(addresses.without_credentials(line.rstrip("\n")))
        finally:
            timer.cancel()
    return process.returncode


def _text(tree: str, name: str) -> str:
    try:
        with open(os.path.join(tree, name), encoding="utf-8", errors="replace") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError:
        return ""
