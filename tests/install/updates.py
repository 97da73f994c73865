"""For the tests of updates: an installed lib/ whose Python is a few lines of shell, versions to install over it, and
the git remotes and release folders that these come from."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

from memories.core.paths import DataFolder

PYTHON = """#!/bin/sh
lib=$(cd "$(dirname "$0")/../.." && pwd)
echo "$(cat "$lib/version") $*" >>"{log}"
case "$*" in
*" doctor --json") cat "$lib/doctor.json" ;;
esac
"""
"""Of a lib/: its doctor says what doctor.json holds, and nothing where that is missing."""

INSTALL = """#!/bin/sh
# What install.sh does, as far as an update can tell.
set -eu
here=$(dirname "$0") data=$LLM_MEMORY_HOME
echo "installing for $LLM_MEMORY_REPO"
[ ! -e "$here/refuses" ] || { echo "pip could not install" >&2; exit 1; }
new=$data/lib.new-$$
cp -R "$data/lib" "$new"
rm -f "$new/doctor.json"
cp "$here"/installed/* "$new/"
rm -rf "$data/lib.previous"
mv "$data/lib" "$data/lib.previous"
mv "$new" "$data/lib"
"""


def doctor_says(*failing: str) -> str:
    """What `doctor --json` prints where these checks fail."""
    checks = [{"name": name, "status": "fail", "text": "", "todo": ""} for name in failing]
    return json.dumps({"ok": not failing, "checks": [*checks, {"name": "index", "status": "ok"}]})


def add_lib(folder: DataFolder, log: Path, **about: str) -> None:
    """An installation of version 2.0.0, unless `about` says otherwise, that is well."""
    lib = Path(folder.lib)
    python = lib / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(log=log), encoding="utf-8")
    python.chmod(0o700)
    found = {"version": "2.0.0", "kind": "git", "repo": "file:///nowhere", "commit": "0" * 40} | about
    (lib / "install.json").write_text(json.dumps(found), encoding="utf-8")
    (lib / "version").write_text(found["version"], encoding="utf-8")
    (lib / "doctor.json").write_text(doctor_says(), encoding="utf-8")


def installed_version(folder: DataFolder) -> str:
    """The version that is in place."""
    found: str = json.loads(Path(folder.lib, "install.json").read_text(encoding="utf-8"))["version"]
    return found


def write_tree(
    tree: Path, version: str, *, failing: tuple[str, ...] | None = (), refuses: bool = False, **about: str
) -> Path:
    """The source of a version. failing: checks that fail once it is installed; None: it does not start."""
    for name in ("manage.py", "requirements.txt", "memories/core/paths.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("", encoding="utf-8")
    (tree / "install.sh").write_text(INSTALL, encoding="utf-8")
    (tree / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n', encoding="utf-8")
    changelog = f"# Changelog\n\n## [{version}] - 2026-12-01\n\n- New in {version}.\x1b[31m\n\n## [2.0.0]\n\n- Old.\n"
    (tree / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    installed = tree / "installed"
    installed.mkdir(exist_ok=True)
    found = {"version": version, "kind": "git", **about}
    (installed / "install.json").write_text(json.dumps(found), encoding="utf-8")
    (installed / "version").write_text(version, encoding="utf-8")
    (installed / "doctor.json").unlink(missing_ok=True)
    if failing is not None:
        (installed / "doctor.json").write_text(doctor_says(*failing), encoding="utf-8")
    (tree / "refuses").unlink(missing_ok=True)
    if refuses:
        (tree / "refuses").touch()
    return tree


def git(folder: Path, *words: str) -> str:
    """Run git there, as nobody in particular."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *who, *words], cwd=folder, env=environ, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(tree: Path, tag: str = "") -> str:
    """Commit all of a tree (and tag it, annotated); the commit."""
    if not (tree / ".git").exists():
        git(tree, "init", "--quiet", "--template=", "--initial-branch=main")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--allow-empty", "-m", "a version")
    if tag:
        git(tree, "tag", "-m", tag, tag)
    return git(tree, "rev-parse", "HEAD")


def tarball(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """A .tar.gz of just these members."""
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if content else None)
    return path


def release(folder: Path, tree: Path, version: str) -> Path:
    """Put a tree's tarball into a release folder and name it in SHA256SUMS; the tarball."""
    folder.mkdir(exist_ok=True)
    path = folder / f"llm-memory-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tree, f"llm-memory-{version}")
    sums = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in sorted(folder.glob("*.gz"))]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")
    return path
