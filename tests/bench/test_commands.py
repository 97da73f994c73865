"""Each bench as a command, at a tiny size, on throwaway folders only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import scale
from bench.retrieval import BARS
from tests.bench import tiny_locomo

ROOT = Path(__file__).resolve().parents[2]


def bench(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a bench in the test's throwaway home, which holds its temp files too."""
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TMPDIR": os.environ["HOME"]}
    return subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def locomo_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(tiny_locomo.dataset()), "utf-8")
    return path


def test_retrieval_measures_ours_beside_the_baselines(locomo_file: Path) -> None:
    done = bench("retrieval", str(locomo_file), "--json")
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    assert set(figures) == {"LoCoMo", "Code"}
    ours = figures["LoCoMo"]["LLM Memory"]
    assert ours["turn"]["overall"]["questions"] == 5
    assert set(ours["turn"]) == {"overall", "single-hop", "multi-hop", "temporal", "adversarial"}
    assert ours["session"]["overall"]["hit@5"] == 1
    assert figures["LoCoMo"]["AND of all words"]["turn"]["overall"]["hit@10"] < 1
    assert figures["Code"]["LLM Memory"]["turn"]["overall"]["empty"] == 0


def test_retrieval_prints_bars_and_goals_and_leaves_nothing_behind(locomo_file: Path) -> None:
    done = bench("retrieval", str(locomo_file), "--together", "--noise", "150", "--mcp")
    assert done.returncode == 0, done.stderr
    for name, *_ in BARS:
        assert name in done.stdout
    assert "LLM Memory, temporal" in done.stdout
    assert os.listdir(os.environ["HOME"]) == []


def test_retrieval_fails_below_a_bar(locomo_file: Path) -> None:
    data = tiny_locomo.dataset()
    for question in data[0]["qa"]:
        question["question"] = "xylophone"
    locomo_file.write_text(json.dumps(data), "utf-8")
    done = bench("retrieval", str(locomo_file))
    assert done.returncode == 1
    assert "BELOW THE BAR" in done.stdout


def test_retrieval_says_which_file_it_cannot_use(tmp_path: Path) -> None:
    done = bench("retrieval", str(tmp_path / "missing.json"))
    assert done.returncode == 2
    assert "missing.json" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_scale_measures_every_step() -> None:
    sizes = ("--records", "120", "--turns", "600", "--turns-steps", "300,5000", "--questions", "20")
    done = bench("scale", *sizes, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [step["turns"] for step in figures["steps"]] == [300, 600]
    for step in figures["steps"]:
        assert set(step["searches"]) == {"memories", "transcripts", "all"}
        assert step["searches"]["transcripts"]["found"] > 0.8
        assert step["database_bytes"] > 0
    assert os.listdir(os.environ["HOME"]) == []


@pytest.mark.long
def test_scale_prints_each_figure_beside_its_target() -> None:
    done = bench("scale", "--records", "60", "--turns", "200", "--questions", "5")
    assert done.returncode == 0, done.stderr
    for name in ("index, turns/s", "no-change sync", "database / indexed text", "search transcripts, p95 ms"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("turns", "steps", "sizes"),
    [
        (500, "100,500", [100, 500]),
        (20, "100,500", [20]),
        (300, "200,100", [100, 200, 300]),
    ],
)
def test_the_steps_end_with_the_whole_size(turns: int, steps: str, sizes: list[int]) -> None:
    assert scale.steps_of(turns, steps) == sizes


def test_a_figure_is_judged_by_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    scale.line("index, turns/s", 9_000, 4_000, 10_000, ",.0f")
    scale.line("database / indexed text", 9, 6, 3, ".2f")
    scale.line("search, p95 ms", 40, 100, 60, ".1f")
    scale.line("memory", 40, 300, None, ".1f")
    scale.line("no target", 1, None, None, ".1f")
    said = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1].strip() for line in said[:4]] == ["bar met", "BELOW THE BAR", "goal met", "bar met"]
