"""Every command that a page shows is run: a page's own, in the order in which they stand, in a home that has what the
pages speak of. What cannot run here is named with where it is run instead."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memories.core import records, session_logs, sync, trash
from memories.core.paths import DataFolder
from memories.core.settings import DEFAULTS
from tests.core.transcript_lines import Script
from tests.importers import sources
from tests.test_docs import CODE_BLOCK, PAGES, ROOT, page_id

ELSEWHERE = {
    "./install.sh": "tests/install",
    "./scripts/": "a developer's, run by whoever reads this",
    "claude": "tests/e2e",
    "cd ": "goes with the command before it",
    "llm-memory-dashboard": "tests/dashboard",
    "llm-memory dashboard": "tests/dashboard",
    "llm-memory demo --dashboard": "tests/dashboard",
    "llm-memory narrate": "tests/e2e/test_narrating.py: it starts Claude",
    "llm-memory sync-setup": "tests/sync",
    "llm-memory uninstall": "tests/install",
    "llm-memory update": "tests/install",
    "./install.sh --uninstall": "tests/install",
}
"""How a line begins -> where it is run instead."""

ANSWERED = ("llm-memory forget", "llm-memory delete")
"""What asks on a terminal; here the answer is given as `--yes`, where the line does not say it or --dry-run."""

UUID = "09b83eb73dc149767359e7be8747965a"
OTHER = "2f6c1d0a94b84e7c8e5d3b1a7f6e4c20"
SESSION = "7b1e2f04-0000-4000-8000-00000000c0de"


def shown(page: Path) -> list[str]:
    """The lines of a page's shell blocks, and the commands of its transcripts of a terminal, in their order."""
    lines: list[str] = []
    for language, body in CODE_BLOCK.findall(page.read_text("utf-8")):
        if language == "sh":
            lines += [line for line in body.splitlines() if line.strip() and not line.startswith("#")]
        elif language in {"text", "console"}:
            lines += [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
    return lines


def _conversation(project: Path, session_id: str = SESSION) -> bytes:
    script = Script(str(project), session_id)
    script.user("Please settle how orders are numbered. ECONNREFUSED on port 5432 is another matter.")
    for number in range(120):
        script.answer(f"Step {number} of the numbering of orders is done.")
        script.user(f"Go on with step {number + 1}.")
    script.answer("Deploys of orders go out on Tuesdays only.")
    return script.dump()


def _other_memories(home: Path, project: Path) -> None:
    """What the pages import: other tools' memories in their usual places, an old data folder, a file in the project."""
    (home / ".claude-mem").mkdir()
    sources.claude_mem(home / ".claude-mem")
    shutil.copytree(sources.NOTES, home / "basic-memory")
    shutil.copy(sources.GRAPH, project / "memory.jsonl")
    old = DataFolder(str(home / "old-memory"))
    old.create()
    records.save(old, records.new_record(type="note", content="The first one remembered this."))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as the pages describe it; only to be copied."""
    home = tmp_path_factory.mktemp("pages") / "home"
    folder = DataFolder(str(home / ".claude" / "memory"))
    folder.create()
    project = home / "orders-api"
    project.mkdir()
    projects = home / ".claude" / "projects" / "-orders-api"
    projects.mkdir(parents=True)
    (projects / f"{SESSION}.jsonl").write_bytes(_conversation(project))
    (project / ".llm-memory.json").write_text('{"id": "orders-api"}\n', "utf-8")  # the same project in each copy
    Path(folder.settings).write_text('{"transcripts_keep_days": 3650}\n', "utf-8")
    about = {"project": "orders-api", "project_id": "marker:orders-api"}
    kept = [
        (
            "note",
            "Deploys go out on Tuesdays only; the freeze starts Monday 18:00.",
            UUID,
            {"tags": "decision, deploy"},
        ),
        ("note", "Orders are numbered with ULIDs, because two regions assign numbers at once.", OTHER, {}),
        (
            "narrative",
            "# orders-api\n\n## Decisions with reasons\n\n- ULIDs for orders.\n",
            None,
            {"status": "archived"},
        ),
        ("narrative", "# orders-api\n\n## Decisions with reasons\n\n- ULIDs, for two regions.\n", None, {}),
    ]
    before = None
    for kind, content, uuid, more in kept:
        record = {**records.new_record(type=kind, content=content, **about), **more}
        record["uuid"] = uuid or record["uuid"]
        if kind == "narrative" and before is not None:
            record["connections"] = [{"to_uuid": before, "relationship": "supersedes"}]
        before = record["uuid"] if kind == "narrative" else None
        records.save(folder, record)
    _other_memories(home, project)
    sync.run(folder, str(home / ".claude" / "projects"), dict(DEFAULTS), wait_seconds=60.0)
    assert session_logs.exists(folder, SESSION)
    return home


@pytest.fixture
def home(world: Path, tmp_path: Path) -> Path:
    """A copy of it, with `llm-memory` on its PATH; its archived session is that of a project folder in the copy."""
    place = tmp_path / "world"
    shutil.copytree(world, place, symlinks=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "llm-memory"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I {ROOT / "manage.py"} "$@"\n', "utf-8")
    program.chmod(0o755)
    return place


def _run(line: str, home: Path, work: Path) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": f"{home.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LLM_MEMORY_HOME": str(home / ".claude" / "memory"),
        "LANG": "C.UTF-8",
    }
    if line.startswith(ANSWERED) and not {"--yes", "--dry-run"} & set(shlex.split(line)):
        line += " --yes"
    return subprocess.run(
        ["sh", "-c", line], cwd=work, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _prepare(line: str, home: Path) -> None:
    """What a line takes for granted: that what it restores was deleted, that what it deletes is there, that a file that
    it writes is not there yet."""
    if line.startswith("llm-memory export") and "--force" not in line:
        target = home / "orders-api" / shlex.split(line)[2]
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    folder = DataFolder(str(home / ".claude" / "memory"))
    is_there = Path(folder.records, f"{UUID}.json").exists()
    if line.startswith("llm-memory restore") and is_there:
        trash.bury(folder, UUID)
    elif UUID in line and not line.startswith("llm-memory restore") and not is_there:
        trash.dig_up(folder, UUID)


@pytest.mark.parametrize("page", [page for page in PAGES if shown(page)], ids=page_id)
def test_the_commands_of_a_page_run_in_their_order(page: Path, home: Path) -> None:
    work = home / "orders-api"
    for line in shown(page):
        if line.startswith("cd "):
            work = work / line.removeprefix("cd ")
        if line.startswith(tuple(ELSEWHERE)):
            continue
        _prepare(line, home)
        done = _run(line, home, work)
        allowed = {0, 1} if line.startswith("llm-memory doctor") else {0}  # no install.sh was run in this home
        assert done.returncode in allowed, f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        if "--json" in line:
            json.loads(done.stdout)


def test_what_is_run_elsewhere_is_shown_somewhere() -> None:
    lines = [line for page in PAGES for line in shown(page)]
    assert [begin for begin in ELSEWHERE if not any(line.startswith(begin) for line in lines)] == []
    assert all(re.match(r"tests/|a |goes |another ", where) for where in ELSEWHERE.values())
