"""The real claude CLI in a given version, and the system tools the harness needs: installed when missing.

An environment variable LLM_MEMORY_CLAUDE_<version without dots>, LLM_MEMORY_CLAUDE_21330 say, names a binary to use.
The client's licence is proprietary: it is installed for tests into a git-ignored folder, never shipped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache"
PACKAGE = "@anthropic-ai/claude-code"
NEWEST = "2.1.330"
OLDEST = "2.1.197"
VERSIONS = (NEWEST, OLDEST)
"""npm's `latest`, and what a bare `npm install` picks under Node 20."""
SYSTEM_TOOLS = {"tmux": "tmux", "unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}
"""Program -> Debian package."""
INSTALL_SECONDS = 420
"""npm fetches about 380 MB."""


def skip(reason: str) -> NoReturn:
    """Skip the test, in words nobody reads over."""
    pytest.skip(f"E2E SKIPPED: {reason}")


def claude_binary(version: str) -> Path:
    """The client's executable, installed by npm into .cache/claude-<version>/ when missing; skips where npm cannot."""
    named = os.environ.get("LLM_MEMORY_CLAUDE_" + version.replace(".", ""))
    if named:
        return Path(named)
    folder = CACHE / f"claude-{version}"
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / f"claude-{version}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # xdist's workers all come here first
        if not folder.exists():
            _install(version, folder)
    return folder / "node_modules" / ".bin" / "claude"


def _install(version: str, folder: Path) -> None:
    if shutil.which("npm") is None:
        skip(f"claude {version} is not there, and npm is not on PATH to install it")
    staging = folder.with_name(folder.name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    (staging / "package.json").write_text('{"private": true}\n', "utf-8")
    # Run in the folder: `npm --prefix` was seen to lose the TLS settings.
    command = ["npm", "install", "--no-audit", "--no-fund", f"{PACKAGE}@{version}"]
    try:
        done = subprocess.run(
            command, cwd=staging, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        skip(f"npm install of claude {version} took over {INSTALL_SECONDS} s")
    if done.returncode != 0:
        skip(f"npm could not install claude {version}: {done.stderr.strip()[-400:]}")
    os.rename(staging, folder)


def require_system_tools() -> None:
    """Make sure of tmux, unshare, nsenter and ip: apt-get as root when missing, a skip where that fails."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "apt.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = sorted({package for tool, package in SYSTEM_TOOLS.items() if shutil.which(tool) is None})
        if missing and os.geteuid() == 0 and shutil.which("apt-get"):
            install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
            for command in (["apt-get", "update"], install):
                subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    absent = [tool for tool in SYSTEM_TOOLS if shutil.which(tool) is None]
    if absent:
        skip(f"missing {', '.join(absent)}: apt-get install {' '.join(sorted(set(SYSTEM_TOOLS.values())))}")
