"""The worked example works, and touches nothing of the user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from memories.core import conversation
from memories.demo import walkthrough
from memories.management.commands import demo


def _run(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    home, temp = tmp_path / "demo-home", tmp_path / "temp"
    home.mkdir()
    temp.mkdir()
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(temp)}
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_the_demo_shows_archive_store_search_and_briefing_and_leaves_nothing(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for expected in ("1 session archived", '"status": "stored"', "**Redis**", "# LLM Memory: what earlier sessions"):
        assert expected in done.stdout
    assert list((tmp_path / "demo-home").iterdir()) == []
    assert list((tmp_path / "temp").iterdir()) == []


def test_the_bundled_session_holds_only_conversation_lines_of_our_own() -> None:
    path = Path(walkthrough.__file__).parent / f"{walkthrough.SESSION}.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {line["type"] for line in lines} == {"user", "assistant"}
    assert {line["cwd"] for line in lines} == {walkthrough.LAUNCH_FOLDER}
    assert len(list(conversation.iter_turns(str(path)))) > 10


def test_the_demo_has_a_dashboard_option_with_the_usual_port() -> None:
    parser = demo.Command().create_parser("manage.py", "demo")
    assert parser.parse_args(["--dashboard"]).dashboard == "8765"
    assert parser.parse_args([]).dashboard is None
