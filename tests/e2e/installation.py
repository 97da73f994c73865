"""A home with LLM Memory installed by the checkout's install.sh, once per client version; cheap copies of it for tests.

install.sh takes half a minute (a venv), so it runs once into a seed home that all xdist workers share. Each test gets a
copy: code and venv as hard links, everything else copied with the seed's path replaced by the copy's. A venv stands
that: pyvenv.cfg names only the base interpreter, and our entries call the venv's python with a script.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.e2e.client import CHECKOUT
from tests.e2e.home import Home

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.loopback import LoopbackNetwork

INSTALL_SECONDS = 300
_PASSED_ON = ("PIP_", "UV_", "SSL_", "LLM_MEMORY_PYTHON", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
INHERITED = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
"""How pip reaches packages on this machine, as it was before any test; the rest is the throwaway home's."""


def install(home: Home, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the checkout's install.sh into a home, with its real client on PATH."""
    return subprocess.run(
        [str(CHECKOUT / "install.sh"), "--no-update-check", *args],  # a checkout has a remote, and sessions would ask
        cwd=home.path,
        env=home.env(None, INHERITED),
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=INSTALL_SECONDS,
        check=False,
    )


def seed_home(shared: Path, version: str, claude: Path, network: LoopbackNetwork) -> Home:
    """The installed seed of a client version, below `shared`; whoever comes first makes it, and fails with it."""
    home = Home(shared / f"seed-{version}", claude, network)
    done = home.path / "installed.log"
    with open(shared / f"seed-{version}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(home.path, ignore_errors=True)
            result = install(home.create())
            assert result.returncode == 0, f"install.sh failed:\n{result.stdout}\n{result.stderr}"
            assert home.wait_until_quiet() == []
            done.write_text(result.stdout, "utf-8")
    return home


def copy_home(seed: Home, path: Path) -> Home:
    """A home like the seed at another path: same installation, nothing of its sessions (there were none)."""
    home = Home(path, seed.claude, seed.network)
    lib = os.path.relpath(seed.data / "lib", seed.path)
    shutil.copytree(seed.path, path, symlinks=True, ignore=lambda folder, names: _lib(seed, folder, names))
    old, new = os.fsencode(seed.path), os.fsencode(path)
    for file in path.rglob("*"):
        if file.is_file() and not file.is_symlink() and old in (content := file.read_bytes()):
            assert ".db" not in file.name, f"{file} holds an absolute path and cannot be moved"
            file.write_bytes(content.replace(old, new))
    shutil.copytree(seed.path / lib, path / lib, symlinks=True, copy_function=os.link)
    about = path / lib / "install.json"
    content = about.read_bytes()
    about.unlink()  # a hard link: writing into it would change the seed
    about.write_bytes(content.replace(old, new))
    about.chmod(0o600)
    return home


def _lib(seed: Home, folder: str, names: list[str]) -> list[str]:
    return ["lib"] if folder == str(seed.data) and "lib" in names else []
