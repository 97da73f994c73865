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
from memories.update import addresses, git_source, installation, release_source, versions
from memories.update.check import Available, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memories.core.paths import DataFolder

INSTALL_SECONDS = 3_600
MAX_FILE_BYTES = 1_000_000
_VERSION = re.compile(r'^version = "(\d{1,6}\.\d{1,6}\.\d{1,6})"', re.M)
_LISTED = 5


class Target:
    """What to install. version: X.Y.Z, "" for git's HEAD. mark: its commit (git) or its tarball's checksum."""

    __slots__ = ("mark", "version")

    def __init__(self, version: str, mark: str) -> None:
        self.version = version
        self.mark = mark

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


def choose(available: Available, about: dict[str, str], to: str = "") -> Target | None:
    """The version to install: `to`, else the newest above the installed one; None where that is installed.

    Raises UpdateError for a version that is not there.
    """
    here = about.get("version", "")
    if to:
        wanted = to.removeprefix("v")
        if wanted not in available.found:
            known = sorted(available.found, key=update_state.numbers, reverse=True)[:_LISTED]
            raise UpdateError(f"There is no version {wanted}; there are {', '.join(known) or 'none with a number'}.")
        return None if wanted == here else _target(available, wanted)
    newest = available.newest
    if newest:
        return _target(available, newest) if update_state.numbers(newest) > update_state.numbers(here) else None
    return Target("", available.head) if available.head != about.get("commit") else None


def _target(available: Available, version: str) -> Target:
    return Target(version, available.found[version])


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
        seen = os.stat(folder.lib)
        code = _install(folder, tree, where, say)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    if not installation.has_changed(folder, seen):
        raise UpdateError(f"{target.label} could not be installed (see above): the installation is as it was.")
    trouble = _trouble(folder, failing)
    if trouble:
        say(f"{trouble}: going back")
        installation.roll_back(folder, say)
        shutil.rmtree(installation.previous(folder), ignore_errors=True)  # what failed is nothing to go back to
        return Result(update_state.shown(before), update_state.shown(before), [], trouble)
    notes = update_state.read(folder)
    update_state.save(folder, {name: value for name, value in notes.items() if name != "declined"})
    after = update_state.shown(installation.about(folder.lib))
    return Result(update_state.shown(before), after, changes, whole=code == 0)


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


def _trouble(folder: DataFolder, failing: set[str] | None) -> str:
    """What is wrong now that was not before, "" for nothing. failing: doctor's failed checks before the update."""
    after = installation.failing(folder)
    if after is None:
        return "the new version does not start"
    new = sorted(after - failing) if failing is not None else []
    return f"doctor fails with the new version where it did not before ({', '.join(new)})" if new else ""


def _install(folder: DataFolder, tree: str, where: Source, say: Callable[[str], None]) -> int:
    """Run a tree's install.sh, passing on what it says; its exit code."""
    environ = installation.environment(folder) | {"LLM_MEMORY_REPO": where.repo}
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
