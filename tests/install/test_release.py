"""Making a release, and the whole way of one: installed from the web's script, updated, taken back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memories.update import release_source
from tests.install.test_install_sh import CHECKOUT, environment, run_install, source_copy
from tests.install.updates import commit, write_tree

KEY = """
import hashlib, os, sys
with open(sys.argv[1], "rb") as file:
    print(hashlib.sha256(file.read()).hexdigest(), sys.version.split()[0], os.path.realpath(sys.executable))
"""
"""How install.sh names what a venv depends on."""


def make_release(tree: Path, folder: Path, *reference: str) -> list[str]:
    """Run a tree's scripts/release; the paths that it names."""
    command = ["sh", str(tree / "scripts" / "release"), str(folder), *reference]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(tree.parent))
    return done.stdout.splitlines()


def with_script(tree: Path) -> Path:
    (tree / "scripts").mkdir()
    shutil.copy2(CHECKOUT / "scripts" / "release", tree / "scripts")
    return tree


def test_a_release_is_the_same_bytes_each_time_and_can_be_taken(tmp_path: Path) -> None:
    tree = with_script(write_tree(tmp_path / "tree", "2.0.0"))
    commit(tree, "v2.0.0")
    web = tmp_path / "web"
    assert make_release(tree, web) == [f"{web}/llm-memory-2.0.0.tar.gz", f"{web}/SHA256SUMS"]
    first = (web / "llm-memory-2.0.0.tar.gz").read_bytes()
    commit(write_tree(tree, "2.1.0"))  # not tagged yet: HEAD
    make_release(tree, web)
    make_release(tree, web, "v2.0.0")
    assert (web / "llm-memory-2.0.0.tar.gz").read_bytes() == first
    base = f"file://{web}/"
    sums = release_source.ask(base)
    assert sorted(sums) == ["2.0.0", "2.1.0"]
    (tmp_path / "into").mkdir()
    found = release_source.fetch(base, "2.0.0", sums["2.0.0"], str(tmp_path / "into"))
    assert 'version = "2.0.0"' in Path(found, "pyproject.toml").read_text(encoding="utf-8")
    assert os.access(Path(found, "scripts", "release"), os.X_OK)


def seed_venv(home: Path) -> None:
    """A lib/ with this interpreter's own packages as its venv, which install.sh then copies: nothing is downloaded."""
    lib = home / ".claude" / "memory" / "lib"
    python = lib / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o700)
    (lib / "install.json").write_text("{}", encoding="utf-8")
    real = os.path.realpath(sys.executable)
    made = subprocess.run(
        [real, "-I", "-c", KEY, str(CHECKOUT / "requirements.txt")], check=True, capture_output=True, text=True
    )
    (lib / "venv" / "llm-memory-key").write_text(made.stdout, encoding="utf-8")


def set_version(tree: Path, version: str) -> None:
    project = tree / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").replace('"2.0.0"', f'"{version}"'), encoding="utf-8")
    (tree / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{version}]\n\n- A change.\n", encoding="utf-8")


@pytest.mark.long
@pytest.mark.install
@pytest.mark.xdist_group("install")
def test_the_whole_way_of_a_release(tmp_path: Path) -> None:
    tree = with_script(source_copy(tmp_path / "tree"))
    web, home = tmp_path / "web", tmp_path / "my home"
    commit(tree, "v2.0.0")
    make_release(tree, web)
    seed_venv(home)
    script = (CHECKOUT / "install.sh").read_text(encoding="utf-8")
    done = run_install(home, stdin=script, LLM_MEMORY_REPO=f"file://{web}/")
    assert done.returncode == 0, done.stdout + done.stderr
    memory = home / ".claude" / "memory"
    about = json.loads((memory / "lib" / "install.json").read_text(encoding="utf-8"))
    assert (about["version"], about["kind"], about["repo"]) == ("2.0.0", "release", f"file://{web}/")

    def llm_memory(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(home / ".local" / "bin" / "llm-memory"), *words]
        return subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)

    def version() -> str:
        found: str = json.loads((memory / "lib" / "install.json").read_text(encoding="utf-8"))["version"]
        return found

    assert "2.0.0 is the newest" in llm_memory("update", "--check").stdout
    original = (tree / "pyproject.toml").read_text(encoding="utf-8")
    set_version(tree, "2.0.1")
    commit(tree, "v2.0.1")
    make_release(tree, web)
    updated = llm_memory("update", "--json")
    assert updated.returncode == 0, updated.stdout + updated.stderr
    answer = json.loads(updated.stdout)
    assert (answer["status"], answer["from"], answer["to"]) == ("updated", "2.0.0", "2.0.1")
    assert answer["changes"] == ["## [2.0.1]", "- A change."]
    assert version() == "2.0.1"

    (tree / "pyproject.toml").write_text(original, encoding="utf-8")
    set_version(tree, "2.0.2")
    with (tree / "memories" / "doctor.py").open("a", encoding="utf-8") as file:
        file.write("\nraise RuntimeError('a broken release')\n")
    commit(tree, "v2.0.2")
    make_release(tree, web)
    failed = llm_memory("update", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["trouble"] == "the new version does not start"
    assert version() == "2.0.1"
    assert llm_memory("doctor", "--json").stdout.startswith("{")
    assert sorted(path.name for path in memory.glob("lib*")) == ["lib"]

    assert llm_memory("update", "--to", "2.0.0").returncode == 0
    assert version() == "2.0.0"
    assert llm_memory("update", "--rollback").returncode == 0
    assert version() == "2.0.1"
    assert llm_memory("uninstall").returncode == 0
    assert list(memory.glob("lib*")) == []
