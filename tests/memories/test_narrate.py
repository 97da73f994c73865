"""Writing a narrative in a run of its own: the estimate, the cap, the command line, what is kept of it.

The client here is a small program that plays one; tests/e2e/test_narrating.py drives the real one.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.shipped_files import SKILL, skill_texts
from memories import narrate
from memories.core.errors import NarrateError
from memories.core.locks import FileLock
from memories.core.paths import DataFolder


def _entry(number: int, tokens: int) -> dict[str, Any]:
    return {
        "session_id": f"{number:08x}-0000-4000-8000-00000000c0de",
        "ended_at": f"2026-03-{number:02}",
        "tokens": tokens,
        "one_shot": False,
    }


def _coverage(*tokens: int, grown: int = 0) -> dict[str, Any]:
    entries = [_entry(number, size) for number, size in enumerate(tokens, 1)]
    split = len(entries) - grown
    return {
        "project": "orders-api",
        "narrative_uuid": None,
        "unprocessed": entries[:split],
        "grown": entries[split:],
        "sessions_since": len(entries),
        "summary": "All is in it.",
    }


def _play(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[Any], code: int = 0
) -> Path:
    """Put a `claude` on the PATH that notes how it was called, prints the events and ends; the file of its notes."""
    folder.create()
    notes = tmp_path / "called.json"
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable} -I\n"
        "import json, os, sys\n"
        f"with open({str(notes)!r}, 'w') as file:\n"
        "    json.dump({'args': sys.argv[1:], 'cwd': os.getcwd(), 'env': dict(os.environ)}, file)\n"
        f"for event in {events!r}:\n"
        "    print(event if isinstance(event, str) else json.dumps(event))\n"
        f"sys.exit({code})\n",
        "utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return notes


RESULT = {"type": "result", "subtype": "success", "is_error": False, "result": "Written.", "total_cost_usd": 0.31}
USED = {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "mcp__llm_memory__memory_store"}]}}


def test_the_oldest_sessions_come_first_and_the_rest_is_for_a_later_run() -> None:
    found = narrate.plan(_coverage(60_000, 50_000, 40_000), 2_000, 10.0)
    assert found.sessions == tuple(_entry(number, 0)["session_id"] for number in (1, 2))
    assert (found.tokens, found.left) == (112_000, 1)


def test_a_session_that_grew_waits_in_line_with_the_new_ones() -> None:
    found = narrate.plan(_coverage(1_000, 1_000, grown=1), 0, 10.0)
    assert len(found.sessions) == 2


def test_one_shot_runs_are_not_read() -> None:
    coverage = _coverage(1_000, 1_000)
    coverage["unprocessed"][0]["one_shot"] = True
    coverage["sessions_since"] = 1
    found = narrate.plan(coverage, 0, 10.0)
    assert found.sessions == (_entry(2, 0)["session_id"],)
    assert found.left == 0


def test_only_as_much_is_read_as_the_cap_allows() -> None:
    assert len(narrate.plan(_coverage(30_000, 30_000, 30_000), 0, 0.9).sessions) == 1
    assert len(narrate.plan(_coverage(30_000, 30_000, 30_000), 0, 10.0).sessions) == 3


def test_a_cap_below_the_smallest_run_is_refused_with_the_one_that_would_do() -> None:
    with pytest.raises(NarrateError, match="--max-usd") as refused:
        narrate.plan(_coverage(30_000), 0, 0.10)
    needed = float(str(refused.value).rpartition("Give --max-usd ")[2].split()[0])
    assert narrate.plan(_coverage(30_000), 0, needed).sessions


def test_where_nothing_waits_there_is_nothing_to_do() -> None:
    with pytest.raises(NarrateError, match="All is in it"):
        narrate.plan(_coverage(), 0, 1.0)


@given(st.integers(0, 2_000_000), st.integers(0, 100_000))
def test_more_to_read_never_costs_less(tokens: int, more: int) -> None:
    assert sum(narrate.estimate_usd(tokens + more)) >= sum(narrate.estimate_usd(tokens))


def test_the_prompt_is_what_the_skill_says_for_this_project_and_these_sessions() -> None:
    wanted = narrate.plan(_coverage(1_000), 0, 1.0)
    prompt = narrate.task(skill_texts()[SKILL].decode("utf-8"), wanted, "git:github.com/acme/orders-api")
    assert "`narrative_coverage`" in prompt
    assert "NAME is git:github.com/acme/orders-api." in prompt
    assert wanted.sessions[0] in prompt
    assert not any(line.startswith(">") for line in prompt.splitlines())


def test_the_client_gets_our_tools_alone_and_a_cap_below_the_users(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = _play(folder, tmp_path, monkeypatch, [USED, RESULT])
    wanted = narrate.plan(_coverage(1_000), 0, 1.0)
    used: list[str] = []
    outcome = narrate.run(folder, wanted, "write", max_usd=1.0, model="haiku", progress=used.append)
    assert outcome == narrate.Outcome(0.31, "Written.", None)
    assert used == ["mcp__llm_memory__memory_store"]
    called = json.loads(notes.read_text("utf-8"))
    args: list[str] = called["args"]
    options = dict(itertools.pairwise(args))
    assert 0 < float(options["--max-budget-usd"]) < 1.0
    assert options["--tools"] == ""
    assert options["--model"] == "haiku"
    assert "--no-session-persistence" in args
    assert "--strict-mcp-config" in args
    assert "memory_delete" not in options["--allowedTools"]
    server = json.loads(options["--mcp-config"])["mcpServers"]["llm_memory"]
    assert server["env"] == {"LLM_MEMORY_HOME": folder.root, "LLM_MEMORY_GUARD": "0"}
    assert called["env"]["LLM_MEMORY_GUARD"] == "1"
    assert called["cwd"] == os.path.realpath(folder.state)


@pytest.mark.parametrize(
    ("events", "code", "reason"),
    [
        (
            [{"type": "result", "subtype": "error_max_budget_usd", "is_error": True, "total_cost_usd": 0.9}],
            1,
            "its cap",
        ),
        ([{"type": "result", "is_error": True, "result": "API Error: 529 overloaded"}], 1, "529"),
        ([], 1, "exit code 1"),
        (
            [
                "not json",
                "[1]",
                '{"type": "assistant", "message": 3}',
                '{"type": "assistant", "message": {"content": 1}}',
            ],
            2,
            "2",
        ),
    ],
)
def test_a_run_that_ends_badly_says_why(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[Any], code: int, reason: str
) -> None:
    _play(folder, tmp_path, monkeypatch, events, code)
    outcome = narrate.run(folder, narrate.plan(_coverage(1_000), 0, 1.0), "write", max_usd=1.0)
    assert outcome.reason is not None
    assert reason in outcome.reason


@pytest.mark.parametrize("is_error", [True, False])
def test_what_a_run_said_is_kept_and_told_without_its_secrets(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_error: bool
) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    said = {"type": "result", "is_error": is_error, "result": f"{'x' * 280} {token}", "total_cost_usd": 0.1}
    _play(folder, tmp_path, monkeypatch, [said])
    outcome = narrate.run(folder, narrate.plan(_coverage(1_000), 0, 1.0), "write", max_usd=1.0)
    kept = Path(folder.state, "narrate.jsonl").read_text(encoding="utf-8")
    for text in (f"{outcome.answer} {outcome.reason}", kept):
        assert "xx [redacted" in text
        assert "ghp_" not in text


def test_what_it_cost_is_kept_beside_the_estimate(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert narrate.last_run(folder) is None
    _play(folder, tmp_path, monkeypatch, [RESULT])
    wanted = narrate.plan(_coverage(1_000), 0, 1.0)
    narrate.run(folder, wanted, "write", max_usd=1.0)
    assert narrate.last_run(folder) == (wanted.usd, 0.31)
    with open(os.path.join(folder.state, "narrate.jsonl"), "a", encoding="utf-8") as file:
        file.write('torn {"event"\n')
    assert narrate.last_run(folder) == (wanted.usd, 0.31)


def test_a_second_run_at_once_is_refused(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = _play(folder, tmp_path, monkeypatch, [RESULT])
    wanted = narrate.plan(_coverage(1_000), 0, 1.0)
    with FileLock(os.path.join(folder.state, "narrate.lock")), pytest.raises(NarrateError, match="already"):
        narrate.run(folder, wanted, "write", max_usd=1.0)
    assert not notes.exists()


def test_without_a_client_it_says_so_before_anything_is_noted(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.create()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NarrateError, match="no `claude` command"):
        narrate.run(folder, narrate.plan(_coverage(1_000), 0, 1.0), "write", max_usd=1.0)
    assert narrate.last_run(folder) is None


def _program(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """Put a `claude` on the PATH that runs some Python; the file on which its child holds a lock while it lives."""
    held = tmp_path / "held"
    child = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
        "print('{}', flush=True); time.sleep(600)"
    )
    _play(folder, tmp_path, monkeypatch, [])
    (tmp_path / "bin" / "claude").write_text(
        f"#!{sys.executable} -I\n"
        "import json, signal, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}, {str(held)!r}], stdout=subprocess.PIPE)\n"
        f"child.stdout.readline()\n{body}\n",
        "utf-8",
    )
    return held


def _is_alone(held: Path) -> bool:
    """Whether what held the lock ends: at once, but for the time that the system takes."""
    with FileLock(str(held), timeout=60.0):
        return True


SAYS_A_TOOL = f"print(json.dumps({USED!r}), flush=True)\n"


def test_a_client_that_says_nothing_is_ended_with_all_that_it_started(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = _program(folder, tmp_path, monkeypatch, SAYS_A_TOOL + "time.sleep(600)")
    monkeypatch.setattr(narrate, "SILENT_SECONDS", 2.0)
    outcome = narrate.run(folder, narrate.plan(_coverage(1_000), 0, 1.0), "write", max_usd=1.0)
    assert outcome.reason == "Claude said nothing for 2 seconds and was ended"
    assert _is_alone(held)


def test_what_a_client_leaves_running_is_ended(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = _program(folder, tmp_path, monkeypatch, f"print(json.dumps({RESULT!r}))")
    outcome = narrate.run(folder, narrate.plan(_coverage(1_000), 0, 1.0), "write", max_usd=1.0)
    assert outcome == narrate.Outcome(0.31, "Written.", None)
    assert _is_alone(held)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_leaves_nothing_running_even_where_the_client_will_not_end(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SAYS_A_TOOL + "time.sleep(600)"
    held = _program(folder, tmp_path, monkeypatch, body)
    monkeypatch.setattr(narrate, "GRACE_SECONDS", 0.1)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        narrate.run(
            folder,
            narrate.plan(_coverage(1_000), 0, 1.0),
            "write",
            max_usd=1.0,
            progress=lambda _: os.kill(os.getpid(), number),
        )
    assert _is_alone(held)
    assert "it was interrupted" in Path(folder.state, "narrate.jsonl").read_text("utf-8")


def test_a_client_that_writes_much_on_stderr_does_not_stand_still(
    folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(folder, tmp_path, monkeypatch, f"sys.stderr.write('x' * 500_000)\nprint(json.dumps({RESULT!r}))")
    outcome = narrate.run(folder, narrate.plan(_coverage(1_000), 0, 1.0), "write", max_usd=1.0)
    assert outcome.answer == "Written."
