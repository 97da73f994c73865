"""Earlier versions of this project, from its own git history, and processes that run their code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("manage.py", "hooks", "llm_memory_site", "mcp_bridge", "memories", "templates", "static")
"""What an installed copy holds, as install.sh copies it."""

NOT_HERE = (
    "NOT TESTED: upgrade and downgrade need the project's git history with its first commits (a full clone: "
    "git fetch --unshallow)."
)


def git(*arguments: str) -> bytes:
    """What git prints. Raises CalledProcessError, FileNotFoundError."""
    return subprocess.run(
        ["git", "-C", str(ROOT), "-c", "safe.directory=*", *arguments], capture_output=True, check=True
    ).stdout


def history() -> list[str]:
    """The commits that touch the format of records or the mirror, oldest first; skips the test where there are none."""
    try:
        if git("rev-parse", "--is-shallow-repository").strip() != b"false":
            pytest.skip(NOT_HERE)
        found = git("log", "--reverse", "--format=%H", "--", "memories/core/records.py", "memories/core/mirror.py")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(NOT_HERE)
    commits = found.decode().split()
    if not commits:
        pytest.skip(NOT_HERE)
    return commits


def mirror_version(commit: str) -> int:
    """The version of the mirror that a commit makes; 0 where it has none yet."""
    for name in ("memories/core/paths.py", "memories/core/mirror.py"):
        try:
            match = re.search(rb"^MIRROR_VERSION = (\d+)", git("show", f"{commit}:{name}"), re.MULTILINE)
        except subprocess.CalledProcessError:
            continue
        if match:
            return int(match[1])
    return 0


def oldest() -> str:
    """The oldest commit that stores records."""
    return history()[0]


def one_of_each() -> list[str]:
    """Of every version of the mirror before this one the newest commit with an MCP server, oldest first."""
    found: dict[int, str] = {}
    for commit in history():
        if git("ls-tree", commit, "mcp_bridge/server.py"):
            found[mirror_version(commit)] = commit
    return list(found.values())


def unpack(commit: str, target: Path) -> Path:
    """The code of a commit in a folder of its own."""
    target.mkdir(parents=True)
    archive = target.with_suffix(".tar")
    names = [name for name in CODE if git("ls-tree", commit, name)]
    archive.write_bytes(git("archive", commit, *names))
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(target)  # noqa: S202 - our own
    return target


def run(tree: Path, script: str, folder: str) -> str:
    """What a script prints that runs with a tree's code, on a data folder (sys.argv[1])."""
    env = {"PATH": os.environ["PATH"], "HOME": str(Path(folder).parent), "LLM_MEMORY_HOME": folder}
    done = subprocess.run(
        [sys.executable, "-c", script, folder], cwd=tree, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
