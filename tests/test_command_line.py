"""The names that people type for commands whose modules are called otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llm_memory_site import command_line

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", str(MANAGE), *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [("sync-setup", "--help"), ("help", "sync-setup")])
def test_a_command_answers_to_the_name_that_its_usage_shows(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: manage.py sync-setup [-h]")


def test_the_overview_shows_the_names_that_people_type() -> None:
    lines = [line.split()[0] for line in run("help").stdout.splitlines() if line.startswith("  ")]
    assert {"sync-setup", "import", "rebuild_index"} <= set(lines)
    assert not {"sync_setup", "import_bundle"} & set(lines)


def test_a_command_that_is_none_is_said() -> None:
    done = run("make-tea")
    assert done.returncode == 1
    assert "Unknown command" in done.stderr


def test_every_name_leads_to_its_module() -> None:
    assert command_line.module_name("import") == "import_bundle"
    assert command_line.module_name("sync-setup") == command_line.module_name("sync_setup") == "sync_setup"
    assert command_line.module_name("rebuild-index") == "rebuild_index"
    for module in command_line.SHOWN_NAMES:
        assert list((MANAGE.parent / "memories" / "management" / "commands").glob(f"{module}.py"))
