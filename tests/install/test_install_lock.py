"""install.sh beside another install or update, which it gives way to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from memories.core.locks import FileLock
from tests.install.test_install_sh import run_install

pytestmark = [pytest.mark.install, pytest.mark.xdist_group("install")]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python that makes no venv: an install that gets that far ends there. There is a state folder."""
    (tmp_path / ".claude" / "memory" / "state").mkdir(parents=True)
    found = tmp_path / "python"
    body = f"""#!/bin/sh
case "$*" in *"print(sys.executable)"*) echo "{found}"; exit ;; *"-m venv"*) exit 1 ;; esac
exec "{os.path.realpath(sys.executable)}" "$@"
"""
    found.write_text(body, encoding="utf-8")
    found.chmod(0o700)
    return found


def test_an_install_beside_another_or_an_update_is_refused(tmp_path: Path, python: Path) -> None:
    memory = tmp_path / ".claude" / "memory"
    with FileLock(str(memory / "state" / "update.lock")):
        refused = run_install(tmp_path, LLM_MEMORY_PYTHON=str(python))
    assert refused.returncode == 1
    assert "another install or update of LLM Memory is at work" in refused.stderr
    assert "stage" not in refused.stdout
    assert [path.name for path in memory.iterdir()] == ["state"]


@pytest.mark.long
def test_the_install_that_an_update_starts_has_the_updates_lock_and_names_its_address(
    tmp_path: Path, python: Path
) -> None:
    def install(*options: str, updater: int) -> str:
        done = run_install(
            tmp_path,
            *options,
            LLM_MEMORY_PYTHON=str(python),
            LLM_MEMORY_UPDATER=str(updater),
            LLM_MEMORY_REPO="https://example.org/memory",
        )
        return done.stdout + done.stderr

    with FileLock(str(tmp_path / ".claude" / "memory" / "state" / "update.lock")):
        assert "could not make a venv" in install(updater=os.getpid())
        assert "at work here" in install(updater=1)
        assert "would stage the code of https://example.org/memory in" in install("--dry-run", updater=os.getpid())
    assert "could not make a venv" in install(updater=1)
