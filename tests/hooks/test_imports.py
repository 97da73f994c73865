"""What each hook loads: the time a hook takes is the time its imports take, so the set is held here, not the clock."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.transcript_lines import short_session
from tests.hooks.conftest import EVENTS, ROOT, Hooks

NEVER = set(
    "django dataclasses typing pathlib logging subprocess tempfile uuid inspect asyncio email http urllib shutil "
    "argparse importlib.metadata".split()
)
NOT_IN_POST_TOOL_USE = {
    "sqlite3",
    "datetime",
    "memories.core.mirror",
    "hashlib",
    "memories.core.projects",
    "memories.core.records",
}
ONLY_IN_EXCEPTIONS = {"memories.core.permissions", "memories.core.private_files", "pwd", "grp"}
CORE = sorted((ROOT / "memories" / "core").glob("*.py"))


def _loaded(hooks: Hooks, event: str, **fields: str) -> set[str]:
    """The modules that a hook's process has loaded when it is done."""
    script = short_session(str(hooks.project))
    path = script.path_in(hooks.projects_dir)
    if not os.path.exists(path):
        script.write(hooks.projects_dir)
    program = (
        "import sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rpartition('/')[0])\n"
        "import manage; manage.main(); sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(hooks.manage), "hook", event],
        input=json.dumps(hooks.payload(path, **fields)).encode(),
        capture_output=True,
        check=True,
        env=hooks.env,
    )
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("event", EVENTS)
def test_a_hook_loads_neither_django_nor_what_is_slow_to_import(hooks: Hooks, event: str) -> None:
    loaded = _loaded(hooks, event, source="startup")
    assert "failed" not in hooks.log
    assert f"hooks.{event}" in loaded
    assert loaded & (NEVER | ONLY_IN_EXCEPTIONS) == set()
    assert {f"hooks.{other}" for other in EVENTS} & loaded == {f"hooks.{event}"}


@pytest.mark.parametrize("source", ["resume", "compact", "clear"])
def test_session_start_loads_nothing_slow_for_any_source(hooks: Hooks, source: str) -> None:
    assert _loaded(hooks, "session_start", source=source) & NEVER == set()


def test_post_tool_use_loads_no_database_and_no_project_identity(hooks: Hooks) -> None:
    assert _loaded(hooks, "post_tool_use", tool_name="Bash") & NOT_IN_POST_TOOL_USE == set()


def test_a_session_start_with_nothing_new_reads_no_transcript(hooks: Hooks) -> None:
    _loaded(hooks, "session_start", source="startup")
    loaded = _loaded(hooks, "session_start", source="startup")
    assert {"memories.core.session_logs", "memories.core.git_folders"} & loaded == {"memories.core.git_folders"}


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core_imports_the_standard_library_and_itself_only(path: Path) -> None:
    for name in _imported(path):
        assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("memories.core"), name
