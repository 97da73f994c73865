"""Installs the peers by name from npm and PyPI, each into a folder of .cache/peers; what stands in the way is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.peers.catalog import Peer
from bench.product import ROOT

CACHE = ROOT / ".cache" / "peers"
SECONDS = 900.0
"""How long one installation may take."""


class NotInstallableError(RuntimeError):
    """What stood in the way."""


def install(peer: Peer, cache: Path) -> Path:
    """The folder that a peer is installed in, made when it is missing. Raises NotInstallableError."""
    place = cache / (peer.npm or peer.pip).replace("/", "-").lstrip("@")
    done = place / "installed"
    if done.exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if peer.npm:
        _npm(peer.npm, place)
    else:
        _pip(peer, place)
    done.touch()
    return place


def version(peer: Peer, place: Path) -> str:
    """The installed version, "" where it cannot be told."""
    if peer.npm:
        text = (place / "node_modules" / peer.npm / "package.json").read_text("utf-8")
        return text.partition('"version": "')[2].partition('"')[0]
    name = peer.pip.partition("==")[0].replace("-", "_")
    found = list(place.glob(f"lib/python*/site-packages/{name}-*.dist-info"))
    return found[0].name.removeprefix(f"{name}-").removesuffix(".dist-info") if found else ""


def _npm(package: str, place: Path) -> None:
    if shutil.which("npm") is None:
        raise NotInstallableError("npm is not on PATH")
    (place / "package.json").write_text('{"private": true}\n', "utf-8")
    _run(["npm", "install", "--no-audit", "--no-fund", package], place)


def _pip(peer: Peer, place: Path) -> None:
    _run([_python(peer), "-m", "venv", str(place)], place)
    # no compiler runs: a peer that has no wheel for this machine is left out
    _run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", peer.pip], place)


def _python(peer: Peer) -> str:
    """The first interpreter that a peer can run on: ours, those on PATH, the system's."""
    least = f"sys.version_info >= {peer.python}"
    check = (
        f"import sys, venv, ensurepip, sqlite3; sys.exit(not ({least} and hasattr(sqlite3.Connection, sys.argv[1])))"
    )
    needed = "enable_load_extension" if peer.sqlite_extensions else "execute"
    names = [sys.executable, *(f"python3.{minor}" for minor in range(14, 9, -1)), "/usr/bin/python3"]
    for found in filter(None, map(shutil.which, names)):
        if subprocess.run([found, "-I", "-c", check, needed], capture_output=True, check=False).returncode == 0:
            return found
    extensions = " with a sqlite3 that loads extensions" if peer.sqlite_extensions else ""
    raise NotInstallableError(f"needs Python {peer.python[0]}.{peer.python[1]}{extensions}, which is not here")


def _run(command: list[str], place: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False, env=dict(os.environ)
        )
    except subprocess.TimeoutExpired:
        raise NotInstallableError(f"{command[0]} took over {SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise NotInstallableError(f"{Path(command[0]).name} failed: {' '.join(done.stderr.split())[-300:]}")
