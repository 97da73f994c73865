"""`llm-memory narrate`: the estimate first, our tools alone, an end at the cap, never two at once."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_narrative import TOOL, narrative, store
from tests.e2e.tui import terminal_session

if TYPE_CHECKING:
    from tests.e2e.fake_anthropic import FakeAnthropic
    from tests.e2e.home import Home

pytestmark = pytest.mark.e2e

SAID = "Orders are kept for ten years"
COSTLY = {"input_tokens": 20_000, "output_tokens": 3_000}


def narrate(home: Home, api: FakeAnthropic, *args: str) -> subprocess.CompletedProcess[str]:
    """Run `llm-memory narrate orders-api` to its end."""
    command = [str(home.path / ".local" / "bin" / "llm-memory"), "narrate", "orders-api", *args]
    return subprocess.run(
        home.network.inside(command), env=home.env(api), cwd=home.project, text=True, capture_output=True, check=False
    )


def one_session(home: Home) -> str:
    """A session to be narrated; its id."""
    return terminal_session(home, SAID, "Understood.")


def runs(home: Home) -> list[dict[str, Any]]:
    """What is kept of the runs."""
    path = home.data / "state" / "narrate.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_a_run_states_its_estimate_reads_stores_and_records_what_it_cost(installed_home: Home) -> None:
    home = installed_home
    session_id = one_session(home)
    script = [
        {"tool": TOOL + "narrative_coverage", "input": {"project": "orders-api"}},
        {"tool": TOOL + "transcript_read", "input": {"session_id": session_id}},
        store(narrative(f"- {SAID}"), project="orders-api", transcript_ref=[session_id]),
        "Written.",
    ]
    sources = sorted((home.config / "projects").rglob("*.jsonl"))
    with home.model(script) as api:
        done = narrate(home, api)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert re.search(r"Estimated cost: \d\.\d\d USD", done.stdout)
    [record] = home.records(type="narrative", status="active")
    assert SAID in record["content"]
    assert json.loads(record["transcript_ref"]) == [session_id]
    started, ended = runs(home)
    assert started["usd"] > 0
    assert ended["cost_usd"] > 0
    assert ended["reason"] is None
    assert sorted((home.config / "projects").rglob("*.jsonl")) == sources, "the run itself is no session"
    assert len(home.records(type="session_log")) == 1


def test_a_run_ends_at_its_cap_and_says_so(installed_home: Home) -> None:
    home = installed_home
    one_session(home)
    costly = {"tool": TOOL + "narrative_coverage", "input": {"project": "orders-api"}, "usage": COSTLY}
    with home.model([costly] * 20) as api:
        done = narrate(home, api, "--max-usd", "0.90")
    assert done.returncode == 1
    assert "reached its cap" in done.stderr
    assert "Traceback" not in done.stderr
    assert runs(home)[-1]["cost_usd"] <= 0.90
    assert len(api.of_kind("main")) < 10
    assert home.records(type="narrative") == []


def test_a_second_run_at_the_same_time_is_refused(installed_home: Home) -> None:
    home = installed_home
    one_session(home)
    go_on = threading.Event()
    with home.model([{"text": "Nothing to say.", "until": go_on}]) as api:
        first: list[subprocess.CompletedProcess[str]] = []
        thread = threading.Thread(target=lambda: first.append(narrate(home, api)))
        thread.start()
        api.wait_for("main", 1)
        second = narrate(home, api)
        go_on.set()
        thread.join()
    assert second.returncode == 1
    assert "being written on this machine already" in second.stderr
    assert first[0].returncode == 1
    assert "ended without storing one" in first[0].stderr
    assert len(api.of_kind("main")) == 1
