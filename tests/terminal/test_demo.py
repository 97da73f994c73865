"""The worked example works, and touches nothing of the user's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from memories.core import conversation, coverage, mirror, scope
from memories.demo import sample, walkthrough
from memories.terminal import demo


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
    parser = demo.Command().parser("llm-memory demo")
    assert parser.parse_args(["--dashboard"]).dashboard == "8765"
    assert parser.parse_args([]).dashboard is None


def test_the_sample_year_has_something_for_every_page(tmp_path: Path) -> None:
    folder = sample.write(str(tmp_path))
    connection = mirror.connect(folder.mirror)
    counts = dict(connection.execute("SELECT type, count(*) FROM memory GROUP BY type").fetchall())
    relationships = {kind for (kind,) in connection.execute("SELECT DISTINCT relationship FROM link")}
    agents, machines = connection.execute(
        "SELECT (SELECT count(*) FROM session WHERE part LIKE 'agent-%'), count(DISTINCT origin) FROM memory"
    ).fetchone()
    orders = scope.of_name(connection, "orders-api", None, {"project_aliases": {}})
    found = coverage.coverage(connection, folder, orders)
    problems = mirror.problems(connection)
    connection.close()
    assert counts == {"narrative": 3, "note": 17, "session_log": 72}
    assert relationships == {"related_to", "supersedes"}
    assert (agents, machines) == (2, 2)
    assert (found["status"], len(found["grown"]), found["stale_refs"], problems) == ("stale", 1, [], [])


def test_the_sample_s_citations_lead_to_lines_that_exist(tmp_path: Path) -> None:
    folder = sample.write(str(tmp_path))
    connection = mirror.connect(folder.mirror)
    texts = [text for (text,) in connection.execute("SELECT content FROM memory WHERE type = 'narrative'")]
    sessions = [one for (one,) in connection.execute("SELECT session_id FROM session WHERE part = ''")]
    connection.close()
    cited = {found for text in texts for found in re.findall(r"\[([0-9a-f]{8}):(\d+)\]", text)}
    assert len(cited) == 6
    for prefix, line in cited:
        (session,) = [one for one in sessions if one.startswith(prefix)]
        lines = Path(folder.transcripts, f"{session}.jsonl").read_text(encoding="utf-8").splitlines()
        assert json.loads(lines[int(line) - 1])["type"] in {"user", "assistant"}
